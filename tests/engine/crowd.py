"""Many Deployments for which there is no room: one node is dead, two are full, three are for others."""

from __future__ import annotations

from typing import Any

SAYS = (
    "0/6 nodes are available: 1 node(s) had untolerated taint(s), 2 Insufficient cpu, 3 node(s) had untolerated taint(s). "
    "preemption: 0/6 nodes are available: 2 No preemption victims found for incoming pod, "
    "4 Preemption is not helpful for scheduling."
)
REQUESTS = ("250m", "500m", "1", "1500m", "2")


def crowd(number: int) -> tuple[dict[str, Any], ...]:
    """The cluster, with so many Deployments of one pod each that wait."""
    gone = [{"key": "node.kubernetes.io/unreachable", "effect": effect} for effect in ("NoSchedule", "NoExecute")]
    gpu = [{"key": "gpu", "value": "true", "effect": "NoSchedule"}]
    nodes = [_node("full-1"), _node("full-2"), _node("dead", gone, ready="Unknown")]
    nodes += [_node(f"gpu-{index}", gpu) for index in range(3)]
    running = [_pod(f"base-{index}", "1900m", node=f"full-{index % 2 + 1}") for index in range(4)]
    waiting = [
        manifest
        for index in range(number)
        for manifest in _workload(f"team-{index % 7}", f"svc-{index}", REQUESTS[index % len(REQUESTS)])
    ]
    return (*nodes, *running, *waiting)


def stuck(number: int) -> tuple[dict[str, Any], ...]:
    """The cluster, where the dead node ran a pod of so many Deployments: it cannot be ended, and there is no room for the
    pod that shall take its place."""
    manifests: list[dict[str, Any]] = []
    for index in range(number):
        name, namespace = f"svc-{index}", f"team-{index % 7}"
        deployment, replica_set, waiting = _workload(namespace, name, "250m")
        lost = _pod(f"{name}-1-lost", "250m", node="dead", namespace=namespace, owner=f"{name}-1")
        lost["metadata"] |= {"deletionTimestamp": "2026-01-15T09:55:30Z", "deletionGracePeriodSeconds": 30}
        lost["status"]["conditions"][1] |= {"status": "False", "reason": "NodeNotReady"}
        manifests += [deployment, replica_set, waiting, lost]
    return (*crowd(0), *manifests)


def _node(name: str, taints: list[dict[str, str]] | None = None, *, ready: str = "True") -> dict[str, Any]:
    room = {"cpu": "4", "memory": "16Gi", "pods": "110"}
    since = "2026-01-15T09:50:00Z"
    stopped = "" if ready == "True" else "Kubelet stopped posting node status."
    condition = {"type": "Ready", "status": ready, "reason": "NodeStatusUnknown", "message": stopped}
    return {
        "kind": "Node",
        "metadata": {"name": name, "labels": {"kubernetes.io/hostname": name}},
        "spec": {"taints": taints or []},
        "status": {
            "allocatable": room,
            "capacity": room,
            "conditions": [{**condition, "lastHeartbeatTime": since, "lastTransitionTime": since}],
        },
    }


def _spec(cpu: str) -> dict[str, Any]:
    return {"containers": [{"name": "app", "image": "web:1", "resources": {"requests": {"cpu": cpu}}}]}


def _pod(name: str, cpu: str, *, node: str = "", namespace: str = "base", owner: str = "") -> dict[str, Any]:
    waits = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": SAYS}
    ready = [{"type": kind, "status": "True"} for kind in ("PodScheduled", "Ready")]
    owners = [{"kind": "ReplicaSet", "name": owner, "controller": True}] if owner else []
    return {
        "kind": "Pod",
        "metadata": {"name": name, "namespace": namespace, "uid": f"{namespace}/{name}", "ownerReferences": owners},
        "spec": {"schedulerName": "default-scheduler", "nodeName": node, **_spec(cpu)},
        "status": {"phase": "Running" if node else "Pending", "conditions": ready if node else [waits]},
    }


def _workload(namespace: str, name: str, cpu: str) -> tuple[dict[str, Any], ...]:
    labels = {"matchLabels": {"app": name}}
    template = {"metadata": {"labels": {"app": name}}, "spec": _spec(cpu)}
    spec = {"replicas": 1, "selector": labels, "template": template}
    owner = {"kind": "Deployment", "name": name, "controller": True}
    return (
        {"kind": "Deployment", "metadata": {"name": name, "namespace": namespace}, "spec": spec},
        {
            "kind": "ReplicaSet",
            "metadata": {"name": f"{name}-1", "namespace": namespace, "ownerReferences": [owner]},
            "spec": spec,
        },
        _pod(f"{name}-1-a", cpu, namespace=namespace, owner=f"{name}-1"),
    )
