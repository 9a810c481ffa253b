"""A cluster where nothing fits: `big` and `told` for the pods that run, `store` for its claim's class. A scheduler has
spoken only of `told`."""

from __future__ import annotations

from typing import Any

from kubedoctor.sandbox import SandboxState

Manifest = dict[str, Any]
MADE = "2026-01-15T09:00:00Z"
BIG, TOLD, STORE = "big", "told", "store"
WORDS = (
    "0/4 nodes are available: 4 Insufficient cpu. "
    "preemption: 0/4 nodes are available: 4 No preemption victims found for incoming pod."
)
LARGER_THAN_A_CHUNK = 4


def _made(kind: str, name: str, api: str = "v1", namespace: str = "", **fields: Any) -> Manifest:
    metadata = {"name": name, "creationTimestamp": MADE, **({"namespace": namespace} if namespace else {})}
    return {"apiVersion": api, "kind": kind, "metadata": metadata, **fields}


def _node(name: str) -> Manifest:
    made = _made("Node", name, spec={}, status={"allocatable": {"cpu": "2", "memory": "8Gi", "pods": "110"}})
    made["metadata"]["labels"] = {"kubernetes.io/hostname": name, "topology.kubernetes.io/zone": "a"}
    made["status"]["conditions"] = [{"type": "Ready", "status": "True"}]
    return made


def _pod(name: str, cpu: str, phase: str = "Pending", **spec: Any) -> Manifest:
    container = {"name": "app", "image": "shop/app:1", "resources": {"requests": {"cpu": cpu}}}
    return _made("Pod", name, namespace="shop", spec={"containers": [container], **spec}, status={"phase": phase})


def pending() -> SandboxState:
    """Nodes and pods come in more than one chunk of three."""
    numbers = range(LARGER_THAN_A_CHUNK)
    zones = [{"matchLabelExpressions": [{"key": "topology.kubernetes.io/zone", "values": ["b"]}]}]
    told = _pod(TOLD, "1")
    refused = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": WORDS}
    told["status"]["conditions"] = [refused]
    claimed = [{"name": "data", "persistentVolumeClaim": {"claimName": "data"}}]
    objects = [
        _made("Namespace", "shop"),
        _made("ConfigMap", "cluster-autoscaler-status", namespace="kube-system", data={}),
        *(_node(f"node-{one}") for one in numbers),
        *(_pod(f"busy-{one}", "1500m", "Running", nodeName=f"node-{one}") for one in numbers),
        _pod(BIG, "1"),
        told,
        _pod(STORE, "10m", volumes=claimed),
        _made(
            "StorageClass",
            "fast",
            "storage.k8s.io/v1",
            provisioner="disk.example",
            volumeBindingMode="WaitForFirstConsumer",
            allowedTopologies=zones,
        ),
        _made(
            "PersistentVolumeClaim",
            "data",
            namespace="shop",
            spec={
                "storageClassName": "fast",
                "accessModes": ["ReadWriteOnce"],
                "resources": {"requests": {"storage": "1Gi"}},
            },
            status={"phase": "Pending"},
        ),
    ]
    return SandboxState(objects, namespace="shop")
