"""A fleet of four nodes that all refuse one pod, each for reasons of its own.

The pod asks 1 cpu and the label disk=ssd. near: 4 cpu, 3200m used, so 200m are missing. far: 2 cpu, 1900m used, so
900m are missing. gpu: empty, but tainted. plain: room, but cordoned and without the label.
"""

from __future__ import annotations

from typing import Any

from kubedoctor.cluster import Ref

WAITING = Ref("Pod", "shop", "waiting")
SAYS = (
    "0/4 nodes are available: 1 node(s) had untolerated taint(s), 1 node(s) were unschedulable, 2 Insufficient cpu. "
    "preemption: 0/4 nodes are available: 2 No preemption victims found for incoming pod, "
    "2 Preemption is not helpful for scheduling."
)


def waiting_pod(name: str = "waiting", *, says: str = SAYS, **spec: Any) -> dict[str, Any]:
    """The pod; more fields of its spec replace those it has."""
    conditions = [{"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": says}]
    asked = {"requests": {"cpu": "1"}}
    return {
        "kind": "Pod",
        "metadata": {"name": name, "namespace": "shop", "uid": name, "labels": {"app": "web"}},
        "spec": {
            "schedulerName": "default-scheduler",
            "nodeSelector": {"disk": "ssd"},
            "containers": [{"name": "app", "image": "web:1", "resources": asked}],
            **spec,
        },
        "status": {"phase": "Pending", "conditions": conditions if says else []},
    }


def running_pod(name: str, node: str, cpu: str) -> dict[str, Any]:
    """A pod that takes up room."""
    container = {"name": "app", "image": "web:1", "resources": {"requests": {"cpu": cpu}}}
    return {
        "kind": "Pod",
        "metadata": {"name": name, "namespace": "shop", "uid": name},
        "spec": {"nodeName": node, "containers": [container]},
        "status": {"phase": "Running"},
    }


def fleet_node(name: str, cpu: str = "4", *, ssd: bool = True, **spec: Any) -> dict[str, Any]:
    """A node with room for 110 pods and 8Gi."""
    labels = {"kubernetes.io/hostname": name, **({"disk": "ssd"} if ssd else {})}
    room = {"cpu": cpu, "memory": "8Gi", "pods": "110"}
    return {"kind": "Node", "metadata": {"name": name, "labels": labels}, "spec": spec, "status": {"allocatable": room}}


NODES = (
    fleet_node("near"),
    fleet_node("far", "2"),
    fleet_node("gpu", taints=[{"key": "gpu", "value": "true", "effect": "NoSchedule"}]),
    fleet_node("plain", ssd=False, unschedulable=True),
)
FLEET = (
    *NODES,
    {"kind": "Namespace", "metadata": {"name": "shop"}},
    running_pod("busy-1", "near", "3200m"),
    running_pod("busy-2", "far", "1900m"),
)
