"""Many pods at once: pods that cannot be told apart share a verdict, nodes that cannot be told apart share checks."""

from __future__ import annotations

import enum
from collections.abc import Callable, Collection, Hashable, Iterable, Iterator
from operator import itemgetter

from kubedoctor.cluster.pods import Pod
from kubedoctor.replay.scheduler import reasons
from kubedoctor.replay.scheduler.csi_translation import BETA_REGION, BETA_ZONE, REGION, ZONE, built_in_of
from kubedoctor.replay.scheduler.cycle import (
    NodeVerdict,
    Objection,
    PreFiltered,
    Verdict,
    histogram,
    objection_with_nominated,
    pre_filter,
    schedule,
    unavailable,
)
from kubedoctor.replay.scheduler.dynamic_resources import unreplayed_claims
from kubedoctor.replay.scheduler.equivalence import equivalence_key
from kubedoctor.replay.scheduler.framework import SUCCESS, NodeFilter, Status, unresolvable
from kubedoctor.replay.scheduler.inter_pod_affinity import PodAffinityFilter
from kubedoctor.replay.scheduler.required_node_affinity import required_terms
from kubedoctor.replay.scheduler.snapshot import ClusterState, NodeInfo
from kubedoctor.replay.scheduler.well_known import HOSTNAME

_FEW = 32
"""Up to so many nodes nothing is gained."""
_BY_CLASS = ("NodeUnschedulable", "TaintToleration", "VolumeZone", "NodeDeclaredFeatures")
_ZONES = (ZONE, REGION, BETA_ZONE, BETA_REGION)

Found = tuple[tuple[int, Objection], ...]
"""Objections, each with its plugin's place in the order."""
Key = Callable[[int, NodeInfo], Hashable]
"""Nodes with the same key get the same answer of a filter; the number is the node's class."""


class Scope(enum.Enum):
    """Nodes for which a filter is asked once."""

    CLASS = "nodes of a class"
    FINER_CLASS = "nodes of a finer class"
    NODE = "each node"


def schedule_many(pods: Iterable[Pod], state: ClusterState) -> list[Verdict]:
    """As `schedule` for each of them, in their order; those that are alike get the very same verdict."""
    known: dict[bytes, Verdict] = {}
    classes = NodeClasses(state) if len(state.nodes) > _FEW else None
    found = []
    for pod in pods:
        key = equivalence_key(pod)
        if key not in known:
            known[key] = by_classes(pod, state, classes) if classes else schedule(pod, state)
        found.append(known[key])
    return found


class NodeClasses:
    """Nodes with the same labels, taints, cordon and declared features, whatever pods they run.

    individual: label keys that are left out, since they tell almost every node from every other. finer: the class
    within the class, of nodes that have the same host ports taken and count volumes alike.
    """

    def __init__(self, state: ClusterState) -> None:
        self.individual = _individual_keys(state)
        known: dict[Hashable, int] = {}
        self.of_node: list[int] = []
        self.finer: list[int] = []
        for node in state.nodes:
            labels = tuple(sorted(pair for pair in node.labels.items() if pair[0] not in self.individual))
            spec, status = node.node.spec, node.node.status
            key = (labels, spec.taints, spec.unschedulable, status.declared_features)
            number = known.setdefault(key, len(known))
            self.of_node.append(number)
            within = (number, node.used_ports, _limits_key(node, state))
            self.finer.append(known.setdefault(within, len(known)))
        self.volumes_by_class = not any(self._minds_node(state))

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

    def tells_apart(self, keys: Iterable[str]) -> bool:
        """Whether nodes of one class may differ in one of these labels."""
        return not self.individual.isdisjoint(keys)


def _individual_keys(state: ClusterState) -> frozenset[str]:
    values: dict[str, set[str]] = {}
    for node in state.nodes:
        for key, value in node.labels.items():
            values.setdefault(key, set()).add(value)
    many = len(state.nodes) / 2
    return frozenset(key for key, found in values.items() if len(found) > many and key not in _ZONES) | {HOSTNAME}


def _limits_key(node: NodeInfo, state: ClusterState) -> Hashable:
    """Equal for nodes on which a pod's volumes are counted alike; each node with volumes is its own."""
    if node.name in state.attachments or any(info.pod.spec.volumes for info in node.pods):
        return node.name
    csi_node = state.csi_nodes.get(node.name)
    if csi_node is None:
        return None
    return tuple((one.name, one.allocatable) for one in csi_node.spec.drivers or ())


def by_classes(pod: Pod, state: ClusterState, classes: NodeClasses) -> Verdict:
    """As `schedule`, where there are nodes."""
    if pod.spec.scheduling_gates:
        return schedule(pod, state)
    prepared = pre_filter(pod, state)
    if prepared.rejection is not None:
        return schedule(pod, state)
    checks = [
        _Check(place, name, node_filter, _key(name, pod, classes, node_filter))
        for place, (name, node_filter) in enumerate(prepared.filters)
        if name != "NodeName" or pod.spec.node_name
    ]
    nodes = tuple(_verdicts(pod, state, prepared, classes, checks))
    feasible = any(one.first is None for one in nodes)
    message = "" if feasible else unavailable(len(nodes), histogram(one.status for one in nodes))
    return Verdict(len(nodes), nodes, message=message, unreplayed=unreplayed_claims(pod))


def _verdicts(
    pod: Pod, state: ClusterState, prepared: PreFiltered, classes: NodeClasses, checks: list[_Check]
) -> Iterator[NodeVerdict]:
    left_out = Objection("", unresolvable(reasons.excluded_by(list(prepared.restricting))))
    coarse = [check for check in checks if check.key is Scope.CLASS]
    finer = [check for check in checks if check.key is Scope.FINER_CLASS]
    single = [check for check in checks if check.key not in (Scope.CLASS, Scope.FINER_CLASS)]
    of_class: dict[int, Found] = {}
    of_finer: dict[int, tuple[Found, tuple[Objection, ...]]] = {}
    for number, within, node in zip(classes.of_node, classes.finer, state.nodes, strict=True):
        known = of_finer.get(within)
        if known is None:
            if number not in of_class:
                of_class[number] = _answers(coarse, number, node)
            together = _in_order((*of_class[number], *_answers(finer, number, node)))
            known = of_finer[within] = together, tuple(objection for _, objection in together)
        found, blockers = known
        own = _answers(single, number, node)
        if own:
            blockers = tuple([objection for _, objection in (_in_order((*found, *own)) if found else own)])
        first = blockers[0] if blockers else None
        if prepared.only is not None and node.name not in prepared.only:
            first = left_out
        elif node.name in state.nominated:
            first = objection_with_nominated(pod, state, prepared.filters, node)
        yield NodeVerdict(node.name, first, blockers)


def _in_order(found: Found) -> Found:
    return tuple(sorted(found, key=itemgetter(0)))


class _Check:
    """A filter that is asked once for nodes with the same key; with a scope, whenever it is called."""

    __slots__ = ("filter", "key", "known", "name", "place")

    def __init__(self, place: int, name: str, node_filter: NodeFilter, key: Key | Scope) -> None:
        self.place, self.name, self.filter, self.key = place, name, node_filter, key
        self.known: dict[Hashable, Status] = {}

    def status(self, number: int, node: NodeInfo) -> Status:
        """The filter's answer for a node of a class."""
        if isinstance(self.key, Scope):
            return self.filter.check(node)
        key = self.key(number, node)
        found = self.known.get(key)
        if found is None:
            found = self.known[key] = self.filter.check(node)
        return found


def _answers(checks: list[_Check], number: int, node: NodeInfo) -> Found:
    found = []
    for check in checks:
        status = check.status(number, node)
        if status is not SUCCESS and not status.is_success:
            found.append((check.place, Objection(check.name, status)))
    return tuple(found)


def _by_company(keys: Collection[str], company: Collection[tuple[str, str]]) -> Key:
    """Nodes of a class are alike if, by their own labels, none of the pods that matter is there; `company` are the
    labels of places where such pods are."""

    def key(number: int, node: NodeInfo) -> Hashable:
        labels = node.labels
        found: list[object] = [number]
        for each in keys:
            value = labels.get(each)
            found.append(value if (each, value) in company else value is None)
        return tuple(found)

    return key


def _by_finer_class(number: int, node: NodeInfo) -> Hashable:
    """Never asked: checks with this key are asked for each finer class once."""
    raise NotImplementedError


def _key(name: str, pod: Pod, classes: NodeClasses, node_filter: NodeFilter) -> Key | Scope:
    """What the filter's answer depends on."""
    if name in _BY_CLASS:
        return Scope.CLASS
    match name:
        case "NodeAffinity" if not classes.tells_apart(_node_affinity_keys(pod)):
            return Scope.CLASS
        case "NodePorts" | "NodeVolumeLimits":
            return Scope.FINER_CLASS
        case "VolumeRestrictions" if not getattr(node_filter, "disks", True):
            return Scope.CLASS
        case "VolumeBinding" if classes.volumes_by_class and not getattr(node_filter, "selected", True):
            return Scope.CLASS
        case "PodTopologySpread":
            own = tuple(one.topology_key for one in pod.spec.topology_spread_constraints or ())
            return Scope.NODE if classes.tells_apart(own) else Scope.CLASS
        case "InterPodAffinity" if isinstance(node_filter, PodAffinityFilter):
            company = {*node_filter.near, *node_filter.against, *node_filter.existing}
            keys = {key for key, _ in company} | {
                one.topology_key for one in (*node_filter.wanted, *node_filter.unwanted)
            }
            return _by_company(sorted(keys & classes.individual), company)
    return Scope.NODE


def _node_affinity_keys(pod: Pod) -> set[str]:
    """With the host name where the node itself is meant."""
    keys = set(pod.spec.node_selector or ())
    required = required_terms(pod)
    for term in (required.node_selector_terms if required else None) or ():
        keys.update(one.key for one in term.match_expressions or ())
        if term.match_fields:
            keys.add(HOSTNAME)
    return keys
