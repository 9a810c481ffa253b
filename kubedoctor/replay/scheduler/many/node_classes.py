"""Many nodes at once: those that a filter cannot tell apart share its answer."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Sequence
from functools import cached_property
from operator import add

from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.replay.scheduler.cycle import (
    NodeVerdict,
    Objection,
    PreFiltered,
    SchedulingVerdict,
    histogram,
    objection_with_nominated,
    objections,
    pre_filter,
    schedule,
    unavailable,
)
from kubedoctor.replay.scheduler.framework import NodeFilter, unresolvable
from kubedoctor.replay.scheduler.plugins.csi_translation import BETA_REGION, BETA_ZONE, REGION, ZONE, built_in_of
from kubedoctor.replay.scheduler.plugins.dynamic_resources import unreplayed_claims
from kubedoctor.replay.scheduler.plugins.inter_pod_affinity import PodAffinityFilter
from kubedoctor.replay.scheduler.plugins.node_resources_fit import ResourcesFilter
from kubedoctor.replay.scheduler.plugins.node_volume_limits import is_counted
from kubedoctor.replay.scheduler.plugins.required_node_affinity import required_terms
from kubedoctor.replay.scheduler.said import reasons
from kubedoctor.replay.scheduler.snapshot import ClusterState, NodeInfo
from kubedoctor.replay.scheduler.well_known import HOSTNAME

_FEW = 32
"""Up to so many nodes nothing is gained."""
_BY_CLASS = ("NodeUnschedulable", "TaintToleration", "VolumeZone", "NodeDeclaredFeatures")
_ZONES = (ZONE, REGION, BETA_ZONE, BETA_REGION)


def schedule_by_classes(pod: Pod, state: ClusterState) -> SchedulingVerdict:
    """As `schedule`, quicker where there are many nodes."""
    if len(state.nodes) <= _FEW:
        return schedule(pod, state)
    classes: NodeClasses | None = state.known(NodeClasses)
    if classes is None:
        classes = NodeClasses(state)
        state.learn(NodeClasses, classes)
    return by_classes(pod, state, classes)


class Grouping:
    """Nodes in groups, each of which gets one answer of some filters.

    numbers: for each node the number of its group. examples: one node of each group.
    """

    __slots__ = ("examples", "numbers")

    def __init__(self, keys: Iterable[Hashable], nodes: Sequence[NodeInfo]) -> None:
        known: dict[Hashable, int] = {}
        self.numbers = [known.setdefault(key, len(known)) for key in keys]
        first = dict(zip(reversed(self.numbers), reversed(nodes), strict=True))
        self.examples = [first[number] for number in range(len(known))]


class NodeClasses:
    """In what ways nodes of a state are alike, so that a filter need not be asked about each of them.

    individual: label keys that tell almost every node from every other. alike: all nodes in one group. each: each in
    its own. by_class: those with the same taints, cordon, declared features and labels but for the individual ones.
    """

    def __init__(self, state: ClusterState) -> None:
        self.nodes = state.nodes
        self.names = [node.name for node in state.nodes]
        self.individual = _individual_keys(state)
        self.alike = self._grouping([0] * len(state.nodes))
        self.each = self._grouping(range(len(state.nodes)))
        self.by_class = self._grouping(map(self._class_key, state.nodes))
        self._csi_nodes, self._attachments = state.csi_nodes, state.attachments
        self.volumes_by_class = not any(self._minds_node(state))
        self._rooms: dict[str, tuple[list[int], list[int]]] = {}

    @cached_property
    def by_ports(self) -> Grouping:
        """By the host ports that are taken."""
        return self._grouping(node.used_ports for node in self.nodes)

    @cached_property
    def by_limits(self) -> Grouping:
        """By how a pod's volumes are counted; each node with volumes that count is its own."""
        return self._grouping(map(self._limits_key, self.nodes))

    @cached_property
    def where(self) -> dict[tuple[str, str], list[int]]:
        """The nodes that have an individual label."""
        found: dict[tuple[str, str], list[int]] = {}
        for number, node in enumerate(self.nodes):
            for key in self.individual:
                if (value := node.labels.get(key)) is not None:
                    found.setdefault((key, value), []).append(number)
        return found

    def by_shortage(self, wanted: Sequence[tuple[str, int]]) -> Grouping:
        """By how much is taken of how much, of the resources of which there is too little; one more pod is wanted too."""
        lacking = []
        for name, amount in (("pods", 1), *wanted):
            free, numbers = self._room(name)
            short = [number if amount > left else -1 for number, left in enumerate(free)]
            if max(short) >= 0:
                lacking.append([short[number] for number in numbers])
        if not lacking:
            return self.alike
        return self._grouping(zip(*lacking, strict=True) if len(lacking) > 1 else lacking[0])

    def by_company(self, company: Iterable[tuple[str, str]]) -> Grouping:
        """By class, but each node on its own that has one of these labels as an individual one."""
        special = [number for pair in company if pair[0] in self.individual for number in self.where.get(pair, ())]
        if not special:
            return self.by_class
        keys = list(self.by_class.numbers)
        for number in special:
            keys[number] = ~number
        return self._grouping(keys)

    def tells_apart(self, keys: Iterable[str]) -> bool:
        """Whether nodes of one class may differ in one of these labels."""
        return not self.individual.isdisjoint(keys)

    def _grouping(self, keys: Iterable[Hashable]) -> Grouping:
        return Grouping(keys, self.nodes)

    def _class_key(self, node: NodeInfo) -> Hashable:
        spec, individual = node.node.spec, self.individual
        labels = tuple([(key, None if key in individual else value) for key, value in node.labels.items()])
        return labels, spec.taints, spec.unschedulable, node.node.status.declared_features

    def _limits_key(self, node: NodeInfo) -> Hashable:
        volumes = (volume for info in node.pods for volume in info.pod.spec.volumes or ())
        if node.name in self._attachments or any(map(is_counted, volumes)):
            return node.name
        csi_node = self._csi_nodes.get(node.name)
        return csi_node and tuple([(one.name, one.allocatable) for one in csi_node.spec.drivers or ()])

    def _room(self, name: str) -> tuple[list[int], list[int]]:
        """What nodes have left of a resource, once for each amount taken of each capacity; and which of them is whose."""
        if name not in self._rooms:
            known: dict[tuple[int, int], int] = {}
            if name == "pods":
                pairs = [(node.most_pods, len(node.pods)) for node in self.nodes]
            else:
                pairs = [(node.allocatable.get(name, 0), node.requested.get(name, 0)) for node in self.nodes]
            numbers = [known.setdefault(pair, len(known)) for pair in pairs]
            self._rooms[name] = [capacity - used for capacity, used in known], numbers
        return self._rooms[name]

    def _minds_node(self, state: ClusterState) -> Iterator[bool]:
        """Whether something about volumes may differ between nodes of one class."""
        for volume in state.volumes.values():
            affinity = volume.spec.node_affinity
            terms = (affinity.required.node_selector_terms if affinity and affinity.required else None) or ()
            yield built_in_of(volume) is not None
            yield any(one.key in self.individual for term in terms for one in term.match_expressions or ())
        for storage_class in state.classes.values():
            for topology in storage_class.allowed_topologies or ():
                yield any(one.key in self.individual for one in topology.match_label_expressions or ())
        yield bool(state.capacities)


def _individual_keys(state: ClusterState) -> frozenset[str]:
    values: dict[str, set[str]] = {}
    for node in state.nodes:
        for key, value in node.labels.items():
            values.setdefault(key, set()).add(value)
    many = len(state.nodes) / 2
    return frozenset(key for key, found in values.items() if len(found) > many and key not in _ZONES) | {HOSTNAME}


def by_classes(pod: Pod, state: ClusterState, classes: NodeClasses) -> SchedulingVerdict:
    """As `schedule`, where there are nodes."""
    if pod.spec.scheduling_gates:
        return schedule(pod, state)
    prepared = pre_filter(pod, state)
    if prepared.rejection is not None:
        return schedule(pod, state)
    blockers = _blockers(pod, prepared, classes)
    firsts = [each[0] if each else None for each in blockers]
    _overrule(firsts, pod, state, prepared, classes)
    nodes = tuple(map(NodeVerdict, classes.names, firsts, blockers))
    statuses = [one.status for one in firsts if one is not None]
    message = unavailable(len(nodes), histogram(statuses)) if len(statuses) == len(nodes) else ""
    return SchedulingVerdict(len(nodes), nodes, message=message, unreplayed=unreplayed_claims(pod))


def _blockers(pod: Pod, prepared: PreFiltered, classes: NodeClasses) -> list[tuple[Objection, ...]]:
    """What objects to each node: neighbouring filters that see the same groups of nodes are asked together."""
    runs: list[tuple[Grouping, list[tuple[str, NodeFilter]]]] = []
    for name, node_filter in prepared.filters:
        grouping = _told_apart_by(name, pod, classes, node_filter)
        if not runs or runs[-1][0] is not grouping:
            runs.append((grouping, []))
        runs[-1][1].append((name, node_filter))
    blockers: list[tuple[Objection, ...]] = []
    for grouping, run in runs:
        answers = [objections(tuple(run), example) for example in grouping.examples]
        if any(answers):
            more = [answers[number] for number in grouping.numbers]
            blockers = list(map(add, blockers, more)) if blockers else more
    return blockers or [()] * len(classes.nodes)


def _overrule(
    firsts: list[Objection | None], pod: Pod, state: ClusterState, prepared: PreFiltered, classes: NodeClasses
) -> None:
    """Put in what is reported for nodes that PreFilters leave out, and for those that other pods are nominated to."""
    for number, name in enumerate(classes.names) if state.nominated else ():
        if name in state.nominated:
            firsts[number] = objection_with_nominated(pod, state, prepared.filters, state.nodes[number])
    if prepared.only is not None:
        left_out = Objection("", unresolvable(reasons.excluded_by(list(prepared.restricting))))
        for number, name in enumerate(classes.names):
            if name not in prepared.only:
                firsts[number] = left_out


def _told_apart_by(name: str, pod: Pod, classes: NodeClasses, node_filter: NodeFilter) -> Grouping:
    """Nodes of one group get the same answer of the filter."""
    if name in _BY_CLASS:
        return classes.by_class
    match name:
        case "NodeAffinity" if not classes.tells_apart(_node_affinity_keys(pod)):
            return classes.by_class
        case "NodePorts":
            return classes.by_ports
        case "NodeVolumeLimits":
            return classes.by_limits
        case "NodeResourcesFit" if isinstance(node_filter, ResourcesFilter):
            return classes.by_shortage(node_filter.wanted)
        case "VolumeRestrictions" if not getattr(node_filter, "disks", True):
            return classes.alike
        case "VolumeBinding" if classes.volumes_by_class and not getattr(node_filter, "selected", True):
            return classes.by_class
        case "PodTopologySpread" if not classes.tells_apart(
            one.topology_key for one in pod.spec.topology_spread_constraints or ()
        ):
            return classes.by_class
        case "InterPodAffinity" if isinstance(node_filter, PodAffinityFilter):
            return classes.by_company((*node_filter.near, *node_filter.against, *node_filter.existing))
    return classes.each


def _node_affinity_keys(pod: Pod) -> set[str]:
    """With the host name where the node itself is meant."""
    keys = set(pod.spec.node_selector or ())
    required = required_terms(pod)
    for term in (required.node_selector_terms if required else None) or ():
        keys.update(one.key for one in term.match_expressions or ())
        if term.match_fields:
            keys.add(HOSTNAME)
    return keys
