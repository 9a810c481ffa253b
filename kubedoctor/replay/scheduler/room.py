"""How much room the nodes have, as the scheduler counts: allocatable less what their unfinished pods ask for."""

from __future__ import annotations

from weakref import WeakKeyDictionary

import msgspec

from kubedoctor.cluster.core import Node
from kubedoctor.cluster.pods import Pod
from kubedoctor.cluster.quantities import Quantity
from kubedoctor.cluster.reading import Cluster
from kubedoctor.cluster.snapshot import Snapshot
from kubedoctor.cluster.triage import finished
from kubedoctor.cluster.wants import CannotSee
from kubedoctor.replay.scheduler.requests import Amounts, amounts, pod_requests


class NodeRoom(msgspec.Struct, frozen=True):
    """`free` may be below zero; `pods` are the unfinished pods on the node."""

    allocatable: Amounts
    free: Amounts
    pods: tuple[Pod, ...]

    @property
    def is_full(self) -> bool:
        """It runs as many pods as it may."""
        most = self.allocatable.get("pods")
        return most is not None and len(self.pods) >= most.value()


_KNOWN: WeakKeyDictionary[Snapshot, tuple[tuple[int, int], dict[str, NodeRoom]]] = WeakKeyDictionary()


def room_by_node(cluster: Cluster) -> dict[str, NodeRoom] | None:
    """The room of every node; None where not all pods or no nodes can be read. Kept until pods or nodes change."""
    try:
        nodes, pods = cluster.all(Node), cluster.all(Pod)
    except CannotSee:
        cluster.maybe.all(Node)
        cluster.maybe.all(Pod)
        return None
    if any(gap.partial and gap.kind in ("Node", "Pod") for gap in cluster.gaps):
        return None
    snapshot = cluster.snapshot
    revision = (snapshot.revision("Node"), snapshot.revision("Pod"))
    known = _KNOWN.get(snapshot)
    if known and known[0] == revision:
        return known[1]
    by_node: dict[str, list[Pod]] = {}
    for pod in pods:
        if pod.spec.node_name and not finished(pod):
            by_node.setdefault(pod.spec.node_name, []).append(pod)
    made = {node.name: _room(node, tuple(by_node.get(node.name, ()))) for node in nodes}
    _KNOWN[snapshot] = (revision, made)
    return made


def _room(node: Node, pods: tuple[Pod, ...]) -> NodeRoom:
    allocatable = amounts(node.status.allocatable)
    free = dict(allocatable)
    for pod in pods:
        for name, amount in pod_requests(pod.spec).items():
            free[name] = free.get(name, Quantity()) - amount
    return NodeRoom(allocatable, free, pods)
