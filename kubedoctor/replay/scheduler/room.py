"""What the scheduler knows of all nodes, worked out once: their room, their labels, whom their taints keep away."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from weakref import WeakKeyDictionary

import msgspec

from kubedoctor.cluster.core import Node, Taint
from kubedoctor.cluster.pods import Pod, Toleration
from kubedoctor.cluster.quantities import Quantity
from kubedoctor.cluster.reading import Cluster
from kubedoctor.cluster.snapshot import Snapshot
from kubedoctor.cluster.tolerations import untolerated
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


CORDON = Taint(key="node.kubernetes.io/unschedulable", effect="NoSchedule")
HOSTNAME = "kubernetes.io/hostname"


class Closed(msgspec.Struct, frozen=True):
    """Nodes that refuse a pod with certain tolerations whatever it asks for, and the rest.

    tainted: nodes that are not cordoned, each with the first taint that is not tolerated.
    """

    cordoned: tuple[Node, ...]
    tainted: tuple[tuple[Node, Taint], ...]
    open: tuple[Node, ...]


class Fleet:
    """All nodes of a snapshot."""

    def __init__(self, nodes: tuple[Node, ...]) -> None:
        self.nodes = nodes
        self.allocatable = {node.name: amounts(node.status.allocatable) for node in nodes}
        self._closed: dict[tuple[Toleration, ...], Closed] = {}

    @cached_property
    def labels(self) -> frozenset[tuple[str, str]]:
        """Every label that some node carries."""
        return frozenset(pair for node in self.nodes for pair in node.labels.items())

    @cached_property
    def kinds_of_labels(self) -> tuple[Mapping[str, str], ...]:
        """The different sets of labels; nodes that differ by their host name only count as one."""
        seen: dict[frozenset[tuple[str, str]], Mapping[str, str]] = {}
        for node in self.nodes:
            seen.setdefault(frozenset(pair for pair in node.labels.items() if pair[0] != HOSTNAME), node.labels)
        return tuple(seen.values())

    def closed_to(self, tolerations: tuple[Toleration, ...]) -> Closed:
        """The nodes by whether they are open to pods with these tolerations."""
        known = self._closed.get(tolerations)
        if known is None:
            known = self._closed[tolerations] = self._sorted(tolerations)
        return known

    def _sorted(self, tolerations: tuple[Toleration, ...]) -> Closed:
        minds_cordons = untolerated(tolerations, (CORDON,)) is not None
        cordoned, tainted, free = [], [], []
        for node in self.nodes:
            if node.spec.unschedulable and minds_cordons:
                cordoned.append(node)
            elif (taint := untolerated(tolerations, node.spec.taints)) is not None:
                tainted.append((node, taint))
            else:
                free.append(node)
        return Closed(tuple(cordoned), tuple(tainted), tuple(free))


_FLEETS: WeakKeyDictionary[Snapshot, tuple[int, Fleet]] = WeakKeyDictionary()


def fleet_of(cluster: Cluster) -> Fleet:
    """All nodes, none where they cannot be read. Kept until nodes change."""
    nodes = cluster.maybe.all(Node)
    revision = cluster.snapshot.revision("Node")
    known = _FLEETS.get(cluster.snapshot)
    if known is None or known[0] != revision or len(known[1].nodes) != len(nodes):
        known = _FLEETS[cluster.snapshot] = (revision, Fleet(nodes))
    return known[1]


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
