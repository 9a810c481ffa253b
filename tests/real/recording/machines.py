"""Faults of the machine below a node: its memory, its disk, its certificates, its restart."""

from __future__ import annotations

import json
import os
from datetime import timedelta

from tests.real.cluster.layout import NODE_NAME, Document
from tests.real.namespace import Namespace
from tests.real.recording.fault import Fault, Step, Test, event
from tests.real.recording.nodes import NODE, ready, then_another
from tests.real.workloads import deployment

ETCD_ALARM = "http://127.0.0.1:2379/v3/maintenance/alarm"
IMAGES = "/var/lib/containerd"


def kubelet_with(**changes: object) -> Step:
    """The kubelet starts again with other settings; None removes one."""

    def restart(at: Namespace) -> None:
        path = at.cluster.folder / "kubelet.json"
        settings = {**json.loads(path.read_text()), **changes}
        path.write_text(json.dumps({key: value for key, value in settings.items() if value is not None}))
        at.cluster.restart("kubelet")

    return restart


def first(change: Step) -> Step:
    """The fault happens while `checkout` runs well."""

    def steps(at: Namespace) -> None:
        at.wait_until_available("checkout")
        change(at)

    return steps


def checkout(namespace: str) -> list[Document]:
    return [deployment("checkout", namespace, replicas=2)]


def hungry(namespace: str) -> list[Document]:
    """Programs without a memory limit, one of which needs more than the node can give."""
    unlimited = {"resources": {"requests": {"cpu": "10m", "memory": "16Mi"}}}
    return [
        deployment("checkout", namespace),
        deployment("report", namespace, "eat", "-mb", "600", container=unlimited),
    ]


def node_event(reason: str) -> Test:
    return lambda at: any(
        one["reason"] == reason and one["involvedObject"]["kind"] == "Node"
        for one in at.cluster.items("events", "default")
    )


def requests(at: Namespace) -> list[Document]:
    """The requests for a serving certificate of the kubelet."""
    text = at.cluster.kubectl("get", "certificatesigningrequests", "-o", "json")
    return [item for item in json.loads(text)["items"] if item["spec"]["signerName"] == "kubernetes.io/kubelet-serving"]


def switched_off_and_on(at: Namespace) -> None:
    """The kernel of the machine has another boot id after its start: here the node's status gets one first."""
    cluster = at.cluster
    cluster.wait_for("the programs ran for a while", lambda: at.running_for("checkout") > timedelta(seconds=20))
    cluster.kill("kubelet")
    cluster.kill("containerd")
    cluster.end_all_containers()
    before = {"status": {"nodeInfo": {"bootID": "6b6a1f0e-3f43-4b7e-8d5c-0d8f6a1c2e11"}}}
    cluster.kubectl("patch", "node", NODE_NAME, "--subresource=status", "--type=merge", "-p", json.dumps(before))
    cluster.revive("containerd")
    cluster.revive("kubelet")


def mount_read_only(at: Namespace) -> None:
    """As the kernel does after an error of the disk. Descriptors that are open stay writable."""
    at.cluster.inside("mount", "--bind", IMAGES, IMAGES)
    at.cluster.inside("mount", "-o", "remount,bind,ro", IMAGES)


def mount_writable(at: Namespace) -> None:
    at.cluster.inside("umount", IMAGES)


def alarm(action: str) -> Step:
    """What etcd does itself where its database reaches its quota, and what an operator does after a defragmentation."""
    request = json.dumps({"action": action, "memberID": 0, "alarm": "NOSPACE"})

    def send(at: Namespace) -> None:
        at.cluster.inside("curl", "-sf", "-d", request, ETCD_ALARM)

    return send


def ask_and_deny(at: Namespace) -> None:
    kubelet_with(serverTLSBootstrap=True)(at)
    at.cluster.wait_for("a request", lambda: bool(requests(at)))
    for one in requests(at):
        at.cluster.kubectl("certificate", "deny", one["metadata"]["name"])


def another_node(at: Namespace) -> None:
    """The cluster's range has room for one node, and a second one joins."""
    at.cluster.restart("kube-controller-manager", "--cluster-cidr=10.244.0.0/24", "--node-cidr-mask-size=24")
    size = {"cpu": "4", "memory": "8Gi", "pods": "110"}
    join = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "node-2", "labels": {"kubernetes.io/os": "linux"}}}
    at.apply(join)
    status = {"status": {"capacity": size, "allocatable": size}}
    at.cluster.kubectl("patch", "node", "node-2", "--subresource=status", "--type=merge", "-p", json.dumps(status))


def one_node_less(at: Namespace) -> None:
    at.cluster.kubectl("delete", "node", "node-2", "--ignore-not-found")
    at.cluster.restart("kube-controller-manager")


def kernel_ran_out_of_memory(at: Namespace) -> None:
    """The kernel kills a container's program, and says so where the kubelet reads it. A machine that really ran out of
    memory would be the one that runs the tests: the kernel's lines are written into its log, and the program is killed."""
    at.cluster.wait_for("the program ran for a while", lambda: at.running_for("checkout") > timedelta(seconds=20))
    pid = at.cluster.pid_in_container(at.pod_name("checkout"), at.name)
    lines = (
        "app invoked oom-killer: gfp_mask=0x140cca(GFP_HIGHUSER_MOVABLE|__GFP_COMP), order=0, oom_score_adj=985",
        "oom-kill:constraint=CONSTRAINT_NONE,nodemask=(null),cpuset=/,mems_allowed=0,global_oom,task_memcg=/kubepods/burstable,"
        f"task=app,pid={pid},uid=0",
        f"Out of memory: Killed process {pid} (app) total-vm:1264264kB, anon-rss:913040kB, file-rss:0kB, shmem-rss:0kB",
    )
    for line in lines:
        with open("/dev/kmsg", "w") as kernel:
            kernel.write(f"<3>{line}\n")
    os.kill(pid, 9)


def small(at: Namespace) -> None:
    capacity = at.cluster.get("node", NODE_NAME)["status"]["capacity"]["memory"]
    reserved = int(capacity.removesuffix("Ki")) // 1024 - 500
    kubelet_with(kubeReserved={"memory": f"{reserved}Mi"})(at)


MACHINES = (
    Fault(
        "node-restarted",
        "The machine of the only node was switched off and on; all is well again.",
        "node-restarted",
        "node-1 was restarted, and its containers ended with it.",
        (NODE[0],),
        checkout,
        lambda at: (
            node_event("Rebooted")(at) and at.running_for("checkout") > timedelta(seconds=5) and ready("True")(at)
        ),
        steps=first(switched_off_and_on),
        settle=40,
    ),
    Fault(
        "serving-certificate-not-approved",
        "The kubelet asks for a serving certificate, and nobody approves it.",
        "certificate-request-pending",
        "The request of node-1 for a serving certificate waits for an approval.",
        (("CertificateSigningRequest", "/csr-*"), NODE[0]),
        checkout,
        lambda at: bool(requests(at)),
        steps=first(kubelet_with(serverTLSBootstrap=True)),
        repair=kubelet_with(serverTLSBootstrap=None),
        settle=150,
    ),
    Fault(
        "serving-certificate-denied",
        "Somebody denied the kubelet's request for a serving certificate.",
        "certificate-request-denied",
        "The request of node-1 for a serving certificate was denied.",
        (("CertificateSigningRequest", "/csr-*"), NODE[0]),
        checkout,
        lambda at: any(one["status"].get("conditions") for one in requests(at)),
        steps=first(ask_and_deny),
        repair=kubelet_with(serverTLSBootstrap=None),
        settle=20,
    ),
    Fault(
        "disk-read-only",
        "The disk of the container runtime was remounted read-only.",
        "read-only-disk",
        "The disk of node-1 is read-only, so that no container can be created.",
        NODE,
        lambda namespace: [deployment("checkout", namespace)],
        lambda at: event("FailedCreatePodSandBox")(at) or event("Failed")(at),
        steps=then_another(mount_read_only),
        repair=mount_writable,
        settle=45,
    ),
    Fault(
        "pod-range-exhausted",
        "A second node joins, and the cluster's pod range has room for one.",
        "no-pod-range",
        "node-2 gets no range of pod addresses.",
        (("Node", "/node-2"),),
        checkout,
        node_event("CIDRNotAvailable"),
        steps=first(another_node),
        repair=one_node_less,
        settle=20,
    ),
    Fault(
        "memory-of-all-pods-used-up",
        "A program without a memory limit needs more than the node gives to all pods together.",
        "node-out-of-memory",
        "report was killed because the pods of node-1 may not use more than its allocatable memory.",
        (("Deployment", "report"), NODE[0]),
        hungry,
        lambda at: at.last_ended("report", "OOMKilled"),
        steps=small,
        repair=kubelet_with(kubeReserved={"memory": "1Gi"}),
        settle=10,
    ),
    Fault(
        "kernel-out-of-memory",
        "The machine ran out of memory, and its kernel killed the program of a container.",
        "node-out-of-memory",
        "node-1 ran out of memory, and its kernel killed checkout.",
        (NODE[0], ("Deployment", "checkout")),
        lambda namespace: [deployment("checkout", namespace, container={"resources": {"requests": {"cpu": "10m"}}})],
        node_event("SystemOOM"),
        steps=first(kernel_ran_out_of_memory),
        settle=5,
    ),
    Fault(
        "images-cannot-be-freed",
        "The disk is fuller than the kubelet allows, and all its images are in use.",
        "image-garbage-collection",
        "The kubelet of node-1 can free no disk space by removing images.",
        (NODE[0],),
        checkout,
        node_event("FreeDiskSpaceFailed"),
        steps=first(kubelet_with(imageGCHighThresholdPercent=2, imageGCLowThresholdPercent=1, imageMinimumGCAge="0s")),
        repair=kubelet_with(imageGCHighThresholdPercent=100, imageGCLowThresholdPercent=99, imageMinimumGCAge=None),
        settle=5,
    ),
)
