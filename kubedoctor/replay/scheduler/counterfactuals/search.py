"""The search: remedies for each node's objections are combined and replayed, the smallest first."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Sequence
from itertools import islice, product

from kubedoctor.cluster.changes import Operation, Step
from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.cluster.kinds.references import Ref, ref
from kubedoctor.replay.scheduler import profile
from kubedoctor.replay.scheduler.counterfactuals.applying import Situation, apply_to_state
from kubedoctor.replay.scheduler.counterfactuals.new_nodes import one_more
from kubedoctor.replay.scheduler.counterfactuals.volume_places import volume_place
from kubedoctor.replay.scheduler.cycle import Objection, SchedulingVerdict
from kubedoctor.replay.scheduler.many.by_classes import schedule_by_classes
from kubedoctor.replay.scheduler.many.grouping import grouped, objections_of
from kubedoctor.replay.scheduler.plugins.pod_claims import mounted_claim_names
from kubedoctor.replay.scheduler.remedies.edited import edited
from kubedoctor.replay.scheduler.remedies.edits import Counterfactual, Edit, Kind, Remedy
from kubedoctor.replay.scheduler.snapshot import ClusterState, NodeInfo
from kubedoctor.replay.scheduler.well_known import HOSTNAME

MOST_PARTS = 2
MOST_NODES = 24
"""How many nodes are examined: the closest few of each group with one outcome."""
NODES_OF_A_GROUP = 3
MOST_TRIALS = 80
"""How many combinations are replayed."""
MOST_WAITING = 200

_CLAIMS = (Kind.CHANGE_CLAIM, Kind.REMAKE_CLAIM)
_MOVES_NODES = (Kind.UNCORDON, Kind.REMOVE_TAINT, Kind.ADD_NODE, Kind.DELETE_POD)


def counterfactuals(
    situation: Situation, verdict: SchedulingVerdict, *, waiting: Iterable[Pod] = ()
) -> tuple[Counterfactual, ...]:
    """The smallest changes with which a pod without a node in `verdict` fits one, the least disruptive first.

    All have as few parts as any that was found. Each was replayed: with it a node is feasible, and none is without any
    one of its edits. `waiting` are other pods without a node, to tell which of them a change to nodes lets in. Gates
    are removed as one edit that precedes the others. Empty where the pod fits, or where no change this small helps.
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
    changes: list[Counterfactual] = []
    combinations = _combinations(trial.opened, verdict)
    for parts in range(1, MOST_PARTS + 1):
        changes = trial.try_all(combination for combination in combinations if len(combination) == parts)
        if changes:
            break
    other_pods = [
        waiting_pod for waiting_pod in islice(waiting, MOST_WAITING) if ref(waiting_pod) != ref(situation.pod)
    ]
    return tuple(_with_affected(situation, change, other_pods) for change in changes)


class _Trial:
    """Replays combinations, each once."""

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
        """The combinations that work and need every part. Of two that differ by an amount, the first."""
        changes: list[Counterfactual] = []
        tried: set[frozenset[object]] = set()
        for edits in islice(sorted(combinations, key=_order), MOST_TRIALS):
            key = frozenset(edit.key for edit in edits)
            if key in tried or not (nodes := self.feasible(edits)):
                continue
            if len(edits) > 1 and any(self.feasible((*edits[:i], *edits[i + 1 :])) for i in range(len(edits))):
                continue
            tried.add(key)
            if any(_contains(edits, change.edits[len(self.before) :]) for change in changes):
                continue
            changes.append(Counterfactual((*self.before, *edits), nodes))
        return changes


def _identity(edits: Iterable[Edit]) -> frozenset[object]:
    return frozenset((edit.key, edit.arguments) for edit in edits)


def _contains(edits: Remedy, smaller: Remedy) -> bool:
    """Whether the smaller one does the same with less."""
    return edits != smaller and all(any(edit == part or edit.contains(part) for part in smaller) for edit in edits)


def _order(edits: Remedy) -> tuple[object, ...]:
    return (
        len(edits),
        any(edit.provisioner for edit in edits),
        sum(edit.weight for edit in edits),
        tuple(edit.order for edit in edits),
    )


def _remove_gates(pod: Pod) -> Edit:
    names = tuple(gate.name for gate in pod.spec.scheduling_gates or ())
    operation = Operation(ref(pod), (Step(("spec", "schedulingGates"), remove=True),))
    return Edit(Kind.REMOVE_GATES, ref(pod), (operation,), names=names)


def _combinations(situation: Situation, verdict: SchedulingVerdict) -> list[Remedy]:
    """Every choice of one remedy for each objection of a node, and other ways; no two alike."""
    combinations: dict[frozenset[object], Remedy] = {}
    for edits in _proposed(situation, verdict):
        different = {_identity((edit,)): edit for edit in edits}
        combination = tuple(sorted(different.values(), key=lambda edit: (edit.weight, edit.order)))
        if 0 < len(combination) <= MOST_PARTS:
            combinations.setdefault(_identity(combination), combination)
    return list(combinations.values())


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
    """For a pod that is rejected before nodes are examined."""
    pod, state, status = situation.pod, situation.state, objection.status
    objector = profile.plugin_named(objection.plugin)
    for plugin in profile.PLUGINS if objector is None else (objector,):
        yield from plugin.early_remedies(pod, state, status)


def _per_node(situation: Situation, verdict: SchedulingVerdict) -> Iterator[Remedy]:
    state = situation.state
    shapes: dict[Hashable, str] = {}
    near = [near_node for group in grouped(verdict) for near_node in group.nodes[:NODES_OF_A_GROUP]][:MOST_NODES]
    for verdict_of_node in near:
        node = state.node_by_name[verdict_of_node.node]
        objections = [objection for objection in objections_of(verdict_of_node) if objection.plugin]
        choices = [_remedies(situation, node, refusal) for refusal in objections]
        if choices and all(choices):
            for chosen in product(*choices):
                yield tuple(edit for remedy in chosen for edit in remedy)
        if shapes.setdefault(_shape(node, state), node.name) != node.name:
            continue
        place = volume_place(situation.pod, state)
        models = [one_more(node, state)]
        if place and not any(place.items() <= existing.labels.items() for existing in state.nodes):
            models.append(one_more(node, state, place))
        for model in models:
            yield (model,)
            new = _new_node(situation.pod, node, model) if objections else None
            for objection, alternatives in zip(objections, choices, strict=True):
                plugin = profile.plugin_named(objection.plugin)
                own = plugin.remedies_for_new(situation.pod, new) if plugin is not None and new is not None else None
                beside = own if own is not None else alternatives if len(choices) == 2 else ()
                yield from ((*remedy, model) for remedy in beside)


def _new_node(pod: Pod, node: NodeInfo, model: Edit) -> NodeInfo:
    """The node that is added like the model."""
    alone = ClusterState()
    alone.nodes = (node,)
    return next(added for added in edited(pod, alone, (model,))[1].nodes if added.name != node.name)


def _shape(node: NodeInfo, state: ClusterState) -> Hashable:
    """Equal for nodes of which a new one would be the same."""
    labels = frozenset(pair for pair in node.labels.items() if pair[0] != HOSTNAME)
    features = node.node.status.declared_features
    csi_node = state.csi_nodes.get(node.name)
    drivers = (
        frozenset((driver.name, driver.allocatable) for driver in csi_node.spec.drivers or ()) if csi_node else None
    )
    return labels, node.node.spec.taints, frozenset(node.allocatable.items()), node.most_pods, features, drivers


def _remedies(situation: Situation, node: NodeInfo, objection: Objection) -> list[Remedy]:
    """Changes that make one plugin pass on one node."""
    plugin = profile.plugin_named(objection.plugin)
    if plugin is None:
        return []
    remedies = plugin.remedies(situation.pod, situation.state, node, objection.status)
    return [remedy for remedy in remedies if remedy]


def _with_affected(situation: Situation, change: Counterfactual, waiting: Sequence[Pod]) -> Counterfactual:
    affected: list[Ref] = [
        operation.about for edit in change.edits if edit.kind is Kind.DELETE_POD for operation in edit.operations
    ]
    claims = {edit.arguments[0] for edit in change.edits if edit.kind in _CLAIMS}
    users = (*(info.pod for node in situation.state.nodes for info in node.pods), *waiting) if claims else ()
    own = situation.pod
    affected += [
        ref(user)
        for user in users
        if user.namespace == own.namespace
        and ref(user) != ref(own)
        and not claims.isdisjoint(mounted_claim_names(user))
    ]
    moved = tuple(edit for edit in change.edits if edit.kind in _MOVES_NODES)
    if moved and waiting:
        state = apply_to_state(situation.pod, situation.state, moved).state
        affected += [
            ref(waiting_pod)
            for waiting_pod in waiting
            if not Situation(waiting_pod, situation.state).feasible() and Situation(waiting_pod, state).feasible()
        ]
    return Counterfactual(change.edits, change.nodes, tuple(sorted(set(affected))))
