"""A second node without a kubelet, on which a pod uses a disk that the first node needs."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime

from tests.real.cluster.layout import KUBERNETES_VERSION, Document
from tests.real.namespace import Namespace
from tests.real.recording.disks.claims import claim, user
from tests.real.storage_driver import DRIVER
from tests.real.workloads import manifest

OTHER_NODE = "node-2"
PATIENCE = 70
"""Seconds after which a pod that waits for its disk counts as stuck."""


def second_node(at: Namespace) -> None:
    """A node without a kubelet, which nobody may be placed on: pods and disks there stay as they are."""
    labels = {"kubernetes.io/hostname": OTHER_NODE, "kubernetes.io/os": "linux", f"topology.{DRIVER}/zone": "zone-a"}
    node = manifest("Node", OTHER_NODE, None, spec={"unschedulable": True})
    node["metadata"]["labels"] = labels
    node["metadata"]["annotations"] = {"volumes.kubernetes.io/controller-managed-attach-detach": "true"}
    parts = [{"name": DRIVER, "nodeID": OTHER_NODE, "topologyKeys": [f"topology.{DRIVER}/zone"]}]
    at.apply(node, manifest("CSINode", OTHER_NODE, None, "storage.k8s.io/v1", spec={"drivers": parts}))
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    ready = {
        "type": "Ready",
        "status": "True",
        "reason": "KubeletReady",
        "lastTransitionTime": now,
        "lastHeartbeatTime": now,
    }
    size = {"cpu": "4", "memory": "8Gi", "pods": "110"}
    info = {"kubeletVersion": KUBERNETES_VERSION, **dict.fromkeys(("machineID", "systemUUID", "bootID"), OTHER_NODE)}
    info |= dict.fromkeys(("kernelVersion", "osImage", "containerRuntimeVersion", "kubeProxyVersion"), "")
    info |= {"operatingSystem": "linux", "architecture": "amd64"}
    status = {"conditions": [ready], "capacity": size, "allocatable": size, "nodeInfo": info}
    at.cluster.kubectl(
        *("patch", "node", OTHER_NODE, "--subresource=status", "--type=merge", "-p", json.dumps({"status": status}))
    )


def on_the_second_node(at: Namespace, *tolerations: Document) -> None:
    """Pod import runs there with the disk."""
    second_node(at)
    at.apply(claim(at.name, storageClassName="disks-at-once"))
    importer = user(at.name, name="import")["spec"]["template"]
    importer["spec"] |= {"nodeName": OTHER_NODE, "tolerations": list(tolerations)}
    pod = manifest("Pod", "import", at.name, spec=importer["spec"])
    pod["metadata"]["labels"] = importer["metadata"]["labels"]
    at.apply(pod)
    at.cluster.wait_for("the disk at the other node", lambda: attached(at, OTHER_NODE))
    running = {"name": "app", "image": "checkout", "imageID": "", "ready": True, "restartCount": 0, "started": True}
    running["state"] = {"running": {"startedAt": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")}}
    conditions = [
        {"type": kind, "status": "True"} for kind in ("PodScheduled", "Initialized", "ContainersReady", "Ready")
    ]
    status = {"phase": "Running", "conditions": conditions, "containerStatuses": [running]}
    at.cluster.kubectl(
        *("patch", "pod", "import", "-n", at.name, "--subresource=status", "--type=merge"),
        *("-p", json.dumps({"status": status})),
    )


def used_on_two_nodes(at: Namespace) -> None:
    on_the_second_node(at, {"operator": "Exists"})
    at.apply(user(at.name))
    for _ in range(PATIENCE // 10):
        keep_ready(at)
        time.sleep(10)


def keep_ready(at: Namespace) -> None:
    """What the kubelet of the second node would do every ten seconds."""
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    spec = {"holderIdentity": OTHER_NODE, "leaseDurationSeconds": 40, "renewTime": now}
    at.apply(manifest("Lease", OTHER_NODE, "kube-node-lease", "coordination.k8s.io/v1", spec=spec))


def used_on_a_dead_node(at: Namespace) -> None:
    """The node has no kubelet, so that it is taken for dead after a while, and its pod is evicted and cannot end."""
    cordon = {"key": "node.kubernetes.io/unschedulable", "operator": "Exists"}
    dead = {
        "key": "node.kubernetes.io/unreachable",
        "operator": "Exists",
        "effect": "NoExecute",
        "tolerationSeconds": 5,
    }
    on_the_second_node(at, cordon, dead)
    at.cluster.wait_for(
        "the eviction", lambda: "deletionTimestamp" in at.cluster.get("pod", "import", at.name)["metadata"], 240
    )
    at.apply(user(at.name))


def attached(at: Namespace, node: str) -> bool:
    return any(
        row["spec"]["nodeName"] == node and row.get("status", {}).get("attached")
        for row in at.cluster.items("volumeattachments", "default")
    )


def without_second_node(at: Namespace) -> None:
    at.cluster.kubectl("delete", "pod", "import", "-n", at.name, "--force", "--grace-period=0", "--ignore-not-found")
    at.cluster.kubectl("delete", "node", OTHER_NODE, "--ignore-not-found")
    at.cluster.kubectl("delete", "csinode", OTHER_NODE, "--ignore-not-found")
    at.cluster.kubectl("delete", "lease", OTHER_NODE, "-n", "kube-node-lease", "--ignore-not-found")
