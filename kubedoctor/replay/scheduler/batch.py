"""Many pods at once: pods that cannot be told apart share a verdict, nodes that cannot be told apart share checks."""

from __future__ import annotations

import enum
from collections import Counter
from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Sequence

from kubedoctor.cluster.pods import Pod
from kubedoctor.replay.scheduler import reasons
from kubedoctor.replay.scheduler.csi_translation import BETA_REGION, BETA_ZONE, REGION, ZONE, built_in_of
from kubedoctor.replay.scheduler.cycle import (
    NodeVerdict,
    Objection,
    PreFiltered,
    Verdict,
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

Found = Sequence[tuple[int, Objection]]
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
        self.rooms = _rooms(state)
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


def _rooms(state: ClusterState) -> dict[str, int]:
    """For each node a number that it shares with those that have as much room and as much of it taken."""
    known: dict[Hashable, int] = {}
    return {
        node.name: known.setdefault(
            (frozenset(node.allocatable.items()), frozenset(node.requested.items()), len(node.pods), node.most_pods),
            len(known),
        )
        for node in state.nodes
    }


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
    message = "" if feasible else unavailable(len(nodes), _histogram(nodes))
    return Verdict(len(nodes), nodes, message=message, unreplayed=unreplayed_claims(pod))


def _histogram(nodes: tuple[NodeVerdict, ...]) -> str:
    """As upstream writes it; nodes with the same reasons are counted at once."""
    counts: Counter[str] = Counter()
    for texts, times in Counter([one.first.status.reasons for one in nodes if one.first is not None]).items():
        for text in texts:
            counts[text] += times
    return ", ".join(sorted(f"{count} {text}" for text, count in counts.items()))


def _verdicts(
    pod: Pod, state: ClusterState, prepared: PreFiltered, classes: NodeClasses, checks: list[_Check]
) -> Iterator[NodeVerdict]:
    left_out = Objection("", unresolvable(reasons.excluded_by(list(prepared.restricting))))
    coarse = [check for check in checks if check.key is Scope.CLASS]
    finer = [check for check in checks if check.key is Scope.FINER_CLASS]
    single = [check for check in checks if check.key not in (Scope.CLASS, Scope.FINER_CLASS)]
    of_class: dict[int, Found] = {}
    of_finer: dict[int, _Shared] = {}
    nominated, only = state.nominated, prepared.only
    for number, within, node in zip(classes.of_node, classes.finer, state.nodes, strict=True):
        shared = of_finer.get(within)
        if shared is None:
            if number not in of_class:
                of_class[number] = _answers(coarse, number, node)
            shared = of_finer[within] = _Shared((*of_class[number], *_answers(finer, number, node)))
        own = _answers(single, number, node)
        blockers = shared.with_own(own) if own else shared.blockers
        first = blockers[0] if blockers else None
        if only is not None and node.name not in only:
            first = left_out
        elif node.name in nominated:
            first = objection_with_nominated(pod, state, prepared.filters, node)
        yield NodeVerdict(node.name, first, blockers)


class _Shared:
    """What objects to all nodes of a finer class, to be put in order with what objects to one of them."""

    __slots__ = ("around", "blockers", "found")

    def __init__(self, found: Found) -> None:
        self.found = sorted(found)
        self.blockers = tuple(objection for _, objection in self.found)
        self.around: dict[int, tuple[tuple[Objection, ...], tuple[Objection, ...]]] = {}

    def with_own(self, own: Found) -> tuple[Objection, ...]:
        """No two have the same place, so that nothing else is compared."""
        if len(own) > 1:
            return tuple([objection for _, objection in sorted((*self.found, *own))])
        place, objection = own[0]
        if place not in self.around:
            count = sum(each < place for each, _ in self.found)
            self.around[place] = self.blockers[:count], self.blockers[count:]
        before, after = self.around[place]
        return (*before, objection, *after)


class _Check:
    """A filter that is asked once for nodes with the same key; with a scope, whenever it is called."""

    __slots__ = ("ask", "check", "key", "known", "name", "place")

    def __init__(self, place: int, name: str, node_filter: NodeFilter, key: Key | Scope) -> None:
        self.place, self.name, self.key = place, name, key
        self.check = node_filter.check
        self.ask = None if isinstance(key, Scope) else key
        self.known: dict[Hashable, Status] = {}

    def status(self, key: Hashable, node: NodeInfo) -> Status:
        """The filter's answer for a node with the key."""
        found = self.known.get(key)
        if found is None:
            found = self.known[key] = self.check(node)
        return found


def _answers(checks: list[_Check], number: int, node: NodeInfo) -> Found:
    found: list[tuple[int, Objection]] = []
    for check in checks:
        status = check.check(node) if check.ask is None else check.status(check.ask(number, node), node)
        if status is not SUCCESS and not status.is_success:
            found.append((check.place, Objection(check.name, status)))
    return found


def _by_company(keys: Sequence[str], company: Collection[tuple[str, str]]) -> Key:
    """Nodes of a class are alike if, by their own labels, none of the pods that matter is there; `company` are the
    labels of places where such pods are."""

    places = {value for key, value in company if key in keys}

    if len(keys) == 1:
        only = keys[0]

        def single(number: int, node: NodeInfo) -> Hashable:
            value = node.labels.get(only)
            return number if value is not None and value not in places else (number, value)

        return single

    def several(number: int, node: NodeInfo) -> Hashable:
        values = [node.labels.get(each) for each in keys]
        if None not in values and places.isdisjoint(values):
            return number
        return number, *values

    return several


def _key(name: str, pod: Pod, classes: NodeClasses, node_filter: NodeFilter) -> Key | Scope:
    """What the filter's answer depends on."""
    if name in _BY_CLASS:
        return Scope.CLASS
    match name:
        case "NodeAffinity" if not classes.tells_apart(_node_affinity_keys(pod)):
            return Scope.CLASS
        case "NodePorts" | "NodeVolumeLimits":
            return Scope.FINER_CLASS
        case "NodeResourcesFit":
            return lambda _, node: classes.rooms[node.name]
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
