"""Nodes that are cordoned, tainted, sick or lost: what is proposed is pasted, and pods run again."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest

from tests.real.cluster.layout import NODE_NAME
from tests.real.namespace import Namespace
from tests.real.recording.nodes import cordon, kill, ready, uncordon
from tests.real.recording.workloads import headless, stateful_set
from tests.real.repairs import Case, available, check
from tests.real.workloads import deployment, manifest

pytestmark = pytest.mark.real

NODE = ("node", NODE_NAME)
SOON = {"terminationGracePeriodSeconds": 1}
SICK = "KernelDeadlock"


def pod_waits(at: Namespace) -> None:
    cordon(at)
    at.apply(deployment("web", at.name, pod=SOON))
    at.cluster.wait_for("it waits", lambda: bool(at.event("FailedScheduling", "unschedulable")))


def runs(at: Namespace) -> bool:
    return bool(at.cluster.get("deployment", "web", at.name)["status"].get("availableReplicas"))


def soon_evicted(at: Namespace) -> None:
    """It tolerates the taint for ten minutes."""
    tolerations = [{"key": "maintenance", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 600}]
    available(at, deployment("web", at.name, pod={**SOON, "tolerations": tolerations}))
    at.cluster.kubectl("taint", "node", NODE_NAME, "maintenance=soon:NoExecute")


def untaint(at: Namespace) -> None:
    if any(taint["key"] == "maintenance" for taint in at.cluster.get("node", NODE_NAME)["spec"].get("taints", [])):
        at.cluster.kubectl("taint", "node", NODE_NAME, "maintenance-")


def sick(at: Namespace) -> None:
    """As the node-problem-detector writes it."""
    state(at, "True", "DockerHung", "kernel: INFO: task docker:20744 blocked for more than 120 seconds.")


def state(at: Namespace, status: str, reason: str, message: str) -> None:
    stated = {"type": SICK, "status": status, "reason": reason, "message": message}
    times = dict.fromkeys(("lastHeartbeatTime", "lastTransitionTime"), "2026-01-15T10:00:00Z")
    patch = json.dumps({"status": {"conditions": [{**stated, **times}]}})
    at.cluster.kubectl("patch", "node", NODE_NAME, "--subresource=status", "-p", patch)


def healthy_again(at: Namespace) -> None:
    state(at, "False", "KernelHasNoDeadlock", "kernel has no deadlock")
    uncordon(at)


def cordoned(at: Namespace) -> bool:
    return bool(at.cluster.get("node", NODE_NAME)["spec"].get("unschedulable"))


def lost_with_a_volume(at: Namespace) -> None:
    volume, size = f"orders-{at.name}", {"storage": "1Gi"}
    modes = {"accessModes": ["ReadWriteOnce"], "storageClassName": "manual"}
    source = {"hostPath": {"path": "/tmp/orders", "type": "DirectoryOrCreate"}}
    claim = {**modes, "volumeName": volume, "resources": {"requests": size}}
    item = stateful_set("db", at.name, "db", "serve", replicas=1)
    spec = item["spec"]["template"]["spec"]
    spec.update(SOON, volumes=[{"name": "orders", "persistentVolumeClaim": {"claimName": "orders"}}])
    spec["containers"][0]["volumeMounts"] = [{"name": "orders", "mountPath": "/orders"}]
    at.apply(
        manifest("PersistentVolume", volume, None, spec={**modes, "capacity": size, **source}),
        manifest("PersistentVolumeClaim", "orders", at.name, spec=claim),
        headless("db", at.name),
        item,
    )
    at.cluster.wait_for("it runs", lambda: at.running_for("db") > timedelta(seconds=1))
    lose(at)
    at.cluster.kubectl("delete", "pod", "db-0", "-n", at.name, "--wait=false")


def lose(at: Namespace) -> None:
    kill("kubelet")(at)
    at.cluster.wait_for("the node is lost", lambda: ready("Unknown")(at))


def back(at: Namespace) -> None:
    at.cluster.revive("kubelet")
    at.cluster.wait_for("the node is back", lambda: ready("True")(at))
    if any("out-of-service" in taint["key"] for taint in at.cluster.get("node", NODE_NAME)["spec"].get("taints", [])):
        at.cluster.kubectl("taint", "node", NODE_NAME, "node.kubernetes.io/out-of-service-")
    at.cluster.wait_for("its taints are gone", lambda: not at.cluster.get("node", NODE_NAME)["spec"].get("taints"))


def another_pod(at: Namespace) -> bool:
    """The pod of the lost node is gone, and the controller has created its successor."""
    return any(not pod["metadata"].get("deletionTimestamp") for pod in at.pods("db"))


CASES = {
    "cordoned-and-a-pod-waits": Case(
        "nodes/cordoned-and-forgotten",
        NODE,
        (f"Uncordon {NODE_NAME}",),
        pod_waits,
        runs,
        later=timedelta(hours=2),
        undo=uncordon,
    ),
    "pod-soon-evicted": Case(
        "nodes/taint-evicts", NODE, ("Remove the taint maintenance=soon:NoExecute",), soon_evicted, runs, undo=untaint
    ),
    "sick": Case(
        "nodes/node-problem", NODE, ("Cordon the node",), sick, cordoned, says=SICK, stays=True, undo=healthy_again
    ),
    "lost-with-a-volume": Case(
        "nodes/node-not-ready",
        NODE,
        ("Only if the machine is off",),
        lost_with_a_volume,
        another_pod,
        later=timedelta(minutes=6),
        stays=True,
        undo=back,
    ),
    "pod-of-a-lost-node": Case(
        "pods/terminating-stuck",
        ("statefulset", "db"),
        ("Force-delete the pod",),
        lost_with_a_volume,
        another_pod,
        says=f"the kubelet of node {NODE_NAME} has not confirmed",
        later=timedelta(minutes=2),
        undo=back,
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_what_is_proposed_repairs_it(namespace: Namespace, tmp_path: Path, name: str) -> None:
    check(namespace, tmp_path, CASES[name])
