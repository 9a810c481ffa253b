"""Faults of the node and of the control plane: one after the other, each repaired before the next."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

from tests.real.cluster.layout import BINARIES, NODE_NAME, POD_RANGE, Document
from tests.real.cluster.node import NETWORKS, POD_NETWORK
from tests.real.namespace import Namespace
from tests.real.recording.fault import Fault, Step, Test, event
from tests.real.recording.parts import CHECKOUT, phase
from tests.real.recording.workloads import container, headless, stateful_set, template
from tests.real.workloads import deployment, manifest, network_plugin

NODE = (("Node", f"/{NODE_NAME}"), ("Deployment", "web"))
NETWORK = f"{NETWORKS}/10-bridge.conflist"


def checkout(namespace: str) -> list[Document]:
    return [deployment("checkout", namespace)]


def nothing(namespace: str) -> list[Document]:
    return []


def then_another(change: Step) -> Step:
    """The fault happens while `checkout` runs well; then `web` is made, which meets it."""

    def steps(at: Namespace) -> None:
        at.wait_until_available("checkout")
        change(at)
        at.apply(deployment("web", at.name))

    return steps


def network(**changes: object) -> Step:
    """Write the pod network's configuration with other fields of its plug-in."""

    def write(at: Namespace) -> None:
        plugin = {**POD_NETWORK["plugins"][0], **changes}
        at.cluster.folder.joinpath(NETWORK).write_text(json.dumps({**POD_NETWORK, "plugins": [plugin]}))

    return write


def another_range(at: Namespace) -> None:
    first = POD_RANGE.replace("0.0/16", "99.0/30")
    network(ipam={**POD_NETWORK["plugins"][0]["ipam"], "ranges": [[{"subnet": first}]]})(at)


def runtime_binary(name: str) -> Step:
    """Let containerd use another program as runc, and start again."""

    def write(at: Namespace) -> None:
        path = at.cluster.folder / "containerd.toml"
        text = path.read_text()
        before = text[text.index("BinaryName = '") :].split("\n")[0]
        path.write_text(text.replace(before, f"BinaryName = '{name}'"))
        at.cluster.kill("containerd")
        at.cluster.revive("containerd")

    return write


def without_network(at: Namespace) -> None:
    """The configuration disappears while its DaemonSet runs."""
    folder = at.cluster.folder / NETWORKS
    at.apply(*network_plugin(at.name, str(folder), POD_NETWORK))
    at.cluster.kubectl("rollout", "status", "daemonset/network", "-n", at.name, "--timeout=60s")
    at.wait_until_available("checkout")
    at.cluster.folder.joinpath(NETWORK).unlink()


def silent_with_a_set(at: Namespace) -> None:
    """The kubelet ends, and the pod of a StatefulSet is deleted."""
    at.cluster.wait_for("the pod runs", lambda: at.running_for("db") > timedelta(seconds=2))
    at.cluster.kill("kubelet")
    at.cluster.wait_for("the node is lost", lambda: ready("Unknown")(at))
    at.cluster.kubectl("delete", "pod", "db-0", "-n", at.name, "--wait=false", "--grace-period=1")


def condition_of_node(kind: str, status: str) -> Test:
    return lambda at: any(
        row["type"] == kind and row["status"] == status
        for row in at.cluster.get("node", NODE_NAME)["status"]["conditions"]
    )


def kill(component: str) -> Step:
    return lambda at: at.cluster.kill(component)


def revive(component: str) -> Step:
    return lambda at: at.cluster.revive(component)


def ready(status: str) -> Test:
    return condition_of_node("Ready", status)


def taint(at: Namespace) -> None:
    at.wait_until_available("checkout")
    at.cluster.kubectl("taint", "node", NODE_NAME, "maintenance=soon:NoExecute")


def untaint(at: Namespace) -> None:
    at.cluster.kubectl("taint", "node", NODE_NAME, "maintenance-")


def agents(namespace: str) -> list[Document]:
    spec = {"selector": {"matchLabels": {"app": "agent"}}, "template": template("agent", container("serve"))}
    return [manifest("DaemonSet", "agent", namespace, "apps/v1", spec=spec)]


def taint_for_a_team(at: Namespace) -> None:
    """A taint without a pod to create or to delete is no reason for the controller to count: a change of the DaemonSet is."""
    at.cluster.kubectl("rollout", "status", "daemonset/agent", "-n", at.name, "--timeout=60s")
    at.cluster.kubectl("taint", "node", NODE_NAME, "team=ml:NoSchedule")
    at.cluster.kubectl("annotate", "daemonset", "agent", "acme.example/owner=shop", "-n", at.name)


def untaint_for_all(at: Namespace) -> None:
    at.cluster.kubectl("taint", "node", NODE_NAME, "team-")


def cordon(at: Namespace) -> None:
    at.cluster.kubectl("cordon", NODE_NAME)


def uncordon(at: Namespace) -> None:
    at.cluster.kubectl("uncordon", NODE_NAME)


def pending_for(seconds: int) -> Test:
    """A pod was made so long ago, and nobody has said anything about it."""
    return lambda at: phase("web", "Pending")(at) and old(at, "web", seconds)


def old(at: Namespace, app: str, seconds: int) -> bool:
    ages = [datetime.now(UTC) - datetime.fromisoformat(pod["metadata"]["creationTimestamp"]) for pod in at.pods(app)]
    return any(age > timedelta(seconds=seconds) for age in ages)


NODES = (
    Fault(
        "network-plugin-missing",
        "The pod network's configuration names a plug-in that is not on the node.",
        "sandbox",
        "The plug-in calico is not on node-1.",
        NODE,
        checkout,
        event("FailedCreatePodSandBox"),
        steps=then_another(network(type="calico")),
        repair=network(),
        settle=45,
    ),
    Fault(
        "network-range-changed",
        "The pod network's range was changed while its bridge kept an address of the old one.",
        "sandbox",
        "The bridge cni0 of node-1 has an address outside the new range.",
        NODE,
        checkout,
        event("FailedCreatePodSandBox"),
        steps=then_another(another_range),
        repair=network(),
        settle=45,
    ),
    Fault(
        "runtime-binary-missing",
        "runc is gone from the node.",
        "sandbox",
        "node-1 has no /opt/runc, which containerd must start.",
        NODE,
        checkout,
        event("FailedCreatePodSandBox"),
        steps=then_another(runtime_binary("/opt/runc")),
        repair=runtime_binary(str(BINARIES / "runc")),
        settle=45,
    ),
    Fault(
        "container-runtime-dead",
        "containerd ended and is not started again.",
        "node-not-ready",
        "The container runtime of node-1 is down.",
        NODE,
        checkout,
        ready("False"),
        steps=then_another(kill("containerd")),
        repair=revive("containerd"),
        settle=20,
    ),
    Fault(
        "network-configuration-gone",
        "Somebody removed the configuration of the pod network; the DaemonSet that writes it runs.",
        "node-not-ready",
        "node-1 has no network configuration any more.",
        (("Node", f"/{NODE_NAME}"), ("DaemonSet", "network")),
        checkout,
        ready("False"),
        steps=without_network,
        repair=network(),
        settle=20,
    ),
    Fault(
        "kubelet-silent-with-a-stateful-set",
        "The kubelet ended for good, and the pod of a StatefulSet cannot end.",
        "node-not-ready",
        "The kubelet of node-1 does not report, so db-0 stays Terminating.",
        (("Node", f"/{NODE_NAME}"), ("StatefulSet", "db")),
        lambda namespace: [headless("db", namespace), stateful_set("db", namespace, "db", "serve", replicas=1)],
        lambda at: any(pod["metadata"].get("deletionTimestamp") for pod in at.pods("db")),
        steps=silent_with_a_set,
        repair=revive("kubelet"),
        settle=60,
    ),
    Fault(
        "taint-evicts",
        "Somebody tainted the only node with NoExecute.",
        "taint",
        "The taint maintenance=soon:NoExecute evicted all pods, and none may return.",
        (*NODE, *CHECKOUT, ("Deployment", "kube-system/coredns")),
        checkout,
        lambda at: phase("checkout", "Pending")(at) and bool(at.event("FailedScheduling")),
        steps=taint,
        repair=untaint,
        settle=10,
    ),
    Fault(
        "cordoned-node",
        "The only node was cordoned and forgotten.",
        "cordoned",
        "node-1 is cordoned, so web has no node.",
        NODE,
        checkout,
        event("FailedScheduling"),
        steps=then_another(cordon),
        repair=uncordon,
    ),
    Fault(
        "daemon-set-no-longer-tolerated",
        "The only node got a taint NoSchedule that its DaemonSet does not tolerate; its pod runs on.",
        "daemon-set-misscheduled",
        "Agent runs on node-1, which has the taint team=ml:NoSchedule: its pod is not created again there.",
        (("DaemonSet", "agent"), ("Node", f"/{NODE_NAME}")),
        agents,
        lambda at: bool(at.cluster.get("daemonset", "agent", at.name)["status"].get("numberMisscheduled")),
        steps=taint_for_a_team,
        repair=untaint_for_all,
        settle=10,
    ),
    Fault(
        "scheduler-dead",
        "kube-scheduler does not run.",
        "scheduler-down",
        "No scheduler looks at pod web: it is Pending without any event.",
        (("Deployment", "web"), ("Pod", "web")),
        checkout,
        pending_for(75),
        steps=then_another(kill("kube-scheduler")),
        repair=revive("kube-scheduler"),
    ),
    Fault(
        "controller-manager-dead",
        "kube-controller-manager does not run.",
        "controller-manager-down",
        "No controller makes a ReplicaSet for web.",
        (("Deployment", "web"),),
        checkout,
        lambda at: bool(at.cluster.get("deployment", "web", at.name)),
        steps=then_another(kill("kube-controller-manager")),
        repair=revive("kube-controller-manager"),
        settle=90,
    ),
)
