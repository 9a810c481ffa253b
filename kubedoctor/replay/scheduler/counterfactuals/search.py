"""The search: remedies for what objects at each node, put together, tried by replay, the smallest first."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Sequence
from itertools import islice, product

from kubedoctor.cluster.changes import Operation, Step
from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.cluster.kinds.references import Ref, ref
from kubedoctor.replay.scheduler.counterfactuals.applying import Situation, apply_to_state
from kubedoctor.replay.scheduler.counterfactuals.edits import Counterfactual, Edit, Kind
from kubedoctor.replay.scheduler.counterfactuals.mount_remedies import (
    about_attached,
    about_claims,
    about_selected_nodes,
    about_volumes_in_use,
)
from kubedoctor.replay.scheduler.counterfactuals.node_remedies import (
    Remedy,
    about_labels,
    about_taints,
    drop_node_name,
    one_more,
    uncordon,
)
from kubedoctor.replay.scheduler.counterfactuals.pod_remedies import (
    about_pod_affinity,
    about_ports,
    about_spread,
)
from kubedoctor.replay.scheduler.counterfactuals.request_remedies import lower_requests
from kubedoctor.replay.scheduler.counterfactuals.volume_places import volume_place
from kubedoctor.replay.scheduler.counterfactuals.volume_remedies import about_unbound, about_waiting
from kubedoctor.replay.scheduler.cycle import Objection, SchedulingVerdict
from kubedoctor.replay.scheduler.many.by_classes import schedule_by_classes
from kubedoctor.replay.scheduler.many.grouping import grouped, objections_of
from kubedoctor.replay.scheduler.plugins.node_resources_fit import NodeResourcesFit
from kubedoctor.replay.scheduler.plugins.pod_claims import CLAIM_UNBOUND, mounted_claim_names
from kubedoctor.replay.scheduler.plugins.volume_binding import FREE_STORAGE, NO_VOLUME
from kubedoctor.replay.scheduler.snapshot import ClusterState, NodeInfo
from kubedoctor.replay.scheduler.well_known import HOSTNAME

MOST_PARTS = 2
MOST_NODES = 24
"""How many nodes are looked at: of each group with one outcome the nearest few."""
NODES_OF_A_GROUP = 3
MOST_TRIALS = 80
"""How many combinations are replayed."""
MOST_WAITING = 200

_CLAIMS = (Kind.CHANGE_CLAIM, Kind.REMAKE_CLAIM)
_MOVES_NODES = (Kind.UNCORDON, Kind.REMOVE_TAINT, Kind.ADD_NODE, Kind.DELETE_POD)


def counterfactuals(
    situation: Situation, verdict: SchedulingVerdict, *, waiting: Iterable[Pod] = ()
) -> tuple[Counterfactual, ...]:
    """The smallest changes that make some node take a pod that `verdict` finds none for, the least disturbing first.

    All have as few parts as any that was found. Each was replayed: with it a node is feasible, and none is without any
    one of its edits. `waiting` are other pods without a node, to say whom a change to nodes lets in. Gates are taken
    away as one edit that precedes the others. Empty where the pod fits, or where nothing this small helps.
    """
    if verdict.feasible or verdict.failed:
        return ()
    before: Remedy = ()
    if verdict.pre_enqueue is not None:
        before = (_remove_gates(situation.pod),)
        opened = apply_to_state(situation.pod, situation.state, before)
        if nodes := opened.feasible():
            return (Counterfactual(before, nodes),)
        verdict = schedule_by_classes(opened.pod, opened.state)
        if verdict.failed:
            return ()
    trial = _Trial(situation, before)
    found: list[Counterfactual] = []
    combinations = _combinations(trial.opened, verdict)
    for parts in range(1, MOST_PARTS + 1):
        found = trial.try_all(each for each in combinations if len(each) == parts)
        if found:
            break
    others = [one for one in islice(waiting, MOST_WAITING) if ref(one) != ref(situation.pod)]
    return tuple(_with_affected(situation, each, others) for each in found)


class _Trial:
    """Replays combinations, none twice."""

    def __init__(self, situation: Situation, before: Remedy) -> None:
        self.situation = situation
        self.before = before
        self.opened = apply_to_state(situation.pod, situation.state, before) if before else situation
        self.known: dict[frozenset[object], tuple[str, ...]] = {}

    def feasible(self, edits: Remedy) -> tuple[str, ...]:
        key = _identity(edits)
        if key not in self.known:
            self.known[key] = apply_to_state(self.opened.pod, self.opened.state, edits).feasible()
        return self.known[key]

    def try_all(self, combinations: Iterable[Remedy]) -> list[Counterfactual]:
        """Those that work and need every part. Of two that differ by an amount, the first."""
        found: list[Counterfactual] = []
        seen: set[frozenset[object]] = set()
        for edits in islice(sorted(combinations, key=_order), MOST_TRIALS):
            key = frozenset(one.key for one in edits)
            if key in seen or not (nodes := self.feasible(edits)):
                continue
            if len(edits) > 1 and any(self.feasible((*edits[:i], *edits[i + 1 :])) for i in range(len(edits))):
                continue
            seen.add(key)
            if any(_contains(edits, each.edits[len(self.before) :]) for each in found):
                continue
            found.append(Counterfactual((*self.before, *edits), nodes))
        return found


def _identity(edits: Iterable[Edit]) -> frozenset[object]:
    return frozenset((one.key, one.arguments) for one in edits)


def _contains(edits: Remedy, smaller: Remedy) -> bool:
    """Whether the smaller one does the same with less."""
    return edits != smaller and all(any(one == each or one.contains(each) for each in smaller) for one in edits)


def _order(edits: Remedy) -> tuple[int, bool, float, str]:
    return (
        len(edits),
        any(one.assumes for one in edits),
        sum(one.weight for one in edits),
        " ".join(one.summary for one in edits),
    )


def _remove_gates(pod: Pod) -> Edit:
    names = ", ".join(one.name for one in pod.spec.scheduling_gates or ())
    operation = Operation(ref(pod), (Step(("spec", "schedulingGates"), remove=True),))
    return Edit(Kind.REMOVE_GATES, ref(pod), f"remove the scheduling gates {names}", (operation,))


def _combinations(situation: Situation, verdict: SchedulingVerdict) -> list[Remedy]:
    """Every choice of one remedy for each objection of a node, and other ways; no two alike."""
    found: dict[frozenset[object], Remedy] = {}
    for edits in _proposed(situation, verdict):
        different = {_identity((one,)): one for one in edits}
        combination = tuple(sorted(different.values(), key=lambda one: (one.weight, one.summary)))
        if 0 < len(combination) <= MOST_PARTS:
            found.setdefault(_identity(combination), combination)
    return list(found.values())


def _proposed(situation: Situation, verdict: SchedulingVerdict) -> Iterator[Remedy]:
    if verdict.pre_filter is not None:
        for first in _before_nodes(situation, verdict.pre_filter):
            yield first
            changed = apply_to_state(situation.pod, situation.state, first)
            then = schedule_by_classes(changed.pod, changed.state)
            if len(first) < MOST_PARTS and then.nodes and not then.feasible:
                for second in _per_node(changed, then):
                    yield (*first, *second)
        return
    yield from _per_node(situation, verdict)


def _before_nodes(situation: Situation, objection: Objection) -> Iterator[Remedy]:
    """For a pod that is turned away before nodes are looked at."""
    pod, state = situation.pod, situation.state
    yield from about_claims(pod, state, objection.status.named)
    if objection.plugin == "VolumeBinding" and objection.status.has(CLAIM_UNBOUND):
        yield from about_unbound(pod, state, objection.status.named)
    if objection.plugin in ("", "NodeAffinity"):
        if pod.spec.node_name:
            yield (drop_node_name(pod),)
        if state.nodes:
            yield from (each for each in about_labels(pod, state.nodes[0].node) if len(each) == 1)


def _per_node(situation: Situation, verdict: SchedulingVerdict) -> Iterator[Remedy]:
    state = situation.state
    shapes: dict[Hashable, str] = {}
    near = [one for group in grouped(verdict) for one in group.nodes[:NODES_OF_A_GROUP]][:MOST_NODES]
    for one in near:
        node = state.node_by_name[one.node]
        objections = [each for each in objections_of(one) if each.plugin]
        choices = [_remedies(situation, node, each) for each in objections]
        if choices and all(choices):
            for chosen in product(*choices):
                yield tuple(edit for remedy in chosen for edit in remedy)
        if shapes.setdefault(_shape(node, state), node.name) != node.name:
            continue
        place = volume_place(situation.pod, state)
        models = [one_more(node, state)]
        if place and not any(place.items() <= other.labels.items() for other in state.nodes):
            models.append(one_more(node, state, place))
        for model in models:
            yield (model,)
            for objection, each in zip(objections, choices, strict=True):
                if objection.plugin == NodeResourcesFit.name:
                    yield from _lowered_for(situation.pod, node, model)
                elif len(choices) == 2:
                    yield from ((*remedy, model) for remedy in each)


def _lowered_for(pod: Pod, node: NodeInfo, model: Edit) -> Iterator[Remedy]:
    """A new node with requests that fit it: it is emptier than the one that it is like."""
    alone = ClusterState()
    alone.nodes = (node,)
    (new,) = (one for one in apply_to_state(pod, alone, (model,)).state.nodes if one.name != node.name)
    node_filter = NodeResourcesFit().pre_filter(pod, alone).node_filter
    shortages = node_filter.check(new).shortages if node_filter is not None else ()
    lowered = lower_requests(pod, "the new node", shortages)
    if lowered:
        yield (*lowered, model)


def _shape(node: NodeInfo, state: ClusterState) -> Hashable:
    """Equal for nodes of which a new one would be the same."""
    labels = frozenset(pair for pair in node.labels.items() if pair[0] != HOSTNAME)
    features = node.node.status.declared_features
    csi_node = state.csi_nodes.get(node.name)
    drivers = frozenset((one.name, one.allocatable) for one in csi_node.spec.drivers or ()) if csi_node else None
    return labels, node.node.spec.taints, frozenset(node.allocatable.items()), node.most_pods, features, drivers


def _remedies(situation: Situation, node: NodeInfo, objection: Objection) -> list[Remedy]:
    """Ways to content one plugin on one node."""
    pod, state = situation.pod, situation.state
    found: list[Remedy] = []
    match objection.plugin:
        case "NodeUnschedulable":
            found = [(uncordon(node.node),)]
        case "NodeName":
            found = [(drop_node_name(pod),)]
        case "TaintToleration":
            found = about_taints(pod, node.node)
        case "NodeAffinity":
            found = about_labels(pod, node.node)
        case "NodePorts":
            found = about_ports(pod, node)
        case "NodeResourcesFit":
            lowered = lower_requests(pod, node.name, objection.status.shortages)
            found = [lowered] if lowered else []
        case "VolumeRestrictions":
            found = about_volumes_in_use(pod, state, node)
        case "NodeVolumeLimits":
            found = about_attached(pod, state, node, objection.status.named)
        case "VolumeBinding" if objection.status.has(NO_VOLUME, FREE_STORAGE):
            found = about_selected_nodes(pod, state, node) or about_waiting(pod, state, node, objection.status)
        case "PodTopologySpread":
            found = about_spread(pod, state, node)
        case "InterPodAffinity":
            found = about_pod_affinity(pod, state, node)
    return [one for one in found if one]


def _with_affected(situation: Situation, change: Counterfactual, waiting: Sequence[Pod]) -> Counterfactual:
    affected: list[Ref] = [
        one.about for edit in change.edits if edit.kind is Kind.DELETE_POD for one in edit.operations
    ]
    claims = {edit.arguments[0] for edit in change.edits if edit.kind in _CLAIMS}
    users = (*(info.pod for node in situation.state.nodes for info in node.pods), *waiting) if claims else ()
    own = situation.pod
    affected += [
        ref(one)
        for one in users
        if one.namespace == own.namespace and ref(one) != ref(own) and not claims.isdisjoint(mounted_claim_names(one))
    ]
    moved = tuple(edit for edit in change.edits if edit.kind in _MOVES_NODES)
    if moved and waiting:
        state = apply_to_state(situation.pod, situation.state, moved).state
        affected += [
            ref(one)
            for one in waiting
            if not Situation(one, situation.state).feasible() and Situation(one, state).feasible()
        ]
    return Counterfactual(change.edits, change.nodes, tuple(sorted(set(affected))))
