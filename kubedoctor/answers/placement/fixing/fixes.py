"""Changes that are proven to place a pending pod, as fixes with the command that makes them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Final, NamedTuple

from kubedoctor.answers.placement.fixing.claims import CLAIM_KINDS, about_data, recreated_claim, too_early
from kubedoctor.answers.placement.fixing.words import conditions, remedy_words
from kubedoctor.answers.placement.outcome import has_other_scheduler, unproven
from kubedoctor.answers.proof import Trial, prove, proven
from kubedoctor.cluster.changes import Change, Operation, deleted
from kubedoctor.cluster.grammar.text import capitalised, listed
from kubedoctor.cluster.kinds.meta import OwnerReference
from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.cluster.kinds.references import Ref, ref
from kubedoctor.cluster.relations.templates import steps_in_template
from kubedoctor.cluster.relations.workloads import source_of, workload_of
from kubedoctor.cluster.seen.reading import Cluster
from kubedoctor.cluster.triage import terminating, unscheduled
from kubedoctor.findings.commands import command_line, is_recreated
from kubedoctor.findings.model import Effect, Fix
from kubedoctor.replay.scheduler.counterfactuals import (
    Counterfactual,
    Edit,
    Kind,
    Situation,
    apply_to_state,
    counterfactuals,
)
from kubedoctor.replay.scheduler.counterfactuals.displaced import displaced
from kubedoctor.replay.scheduler.many.equivalence import equivalence_key
from kubedoctor.replay.scheduler.memos import Memo
from kubedoctor.replay.scheduler.pending import PendingAnswer
from kubedoctor.replay.scheduler.said.self_check import Agreement
from kubedoctor.replay.scheduler.snapshot import ClusterState
from kubedoctor.replay.scheduler.well_known import CONTROL_PLANE

MOST_FIXES: Final = 5
MOST_WAITING: Final = 20
"""The number of other pending pods that are tested for whether a change to a node makes them fit."""
MOST_NODES: Final = 20_000
"""The search stops after examining this many nodes for different pods; the remaining pods get no proven fixes."""
_ANY_OF: Final = (Kind.ADD_NODE, Kind.DELETE_POD)
_NAMES_NODE: Final = (Kind.DROP_AFFINITY, Kind.CORRECT_AFFINITY, Kind.DROP_NODE_NAME)
_OPENS: Final = (Kind.UNCORDON, Kind.REMOVE_TAINT, Kind.ADD_NODE)
_HARMLESS: Final = (*_OPENS, Kind.CHANGE_CLAIM, Kind.RELEASE_VOLUME)
"""Edits that do not interrupt running pods."""


class _Offer(NamedTuple):
    """A change, the names of other objects that can be changed in the same way instead, and the result of the trial."""

    change: Counterfactual
    alike: tuple[str, ...]
    trial: Trial


_FOUND: Final = Memo[tuple[Ref, bytes], tuple[Ref, tuple[_Offer, ...]]]()
_SEARCHED: Final = Memo[None, int]()
"""The number of nodes that were examined so far."""
_Owners = tuple[OwnerReference, ...] | None
_WAITING: Final = Memo[None, dict[_Owners, list[Pod]]]()
"""The pending pods by their owners."""


def placement_fixes(answer: PendingAnswer, cluster: Cluster) -> tuple[Fix, ...]:
    """The smallest changes, the least disturbing first, each verified by replay, except where a provisioner must make a
    volume first, parts of the objects are unreadable, or another scheduler's rules apply; empty where the replay is not
    reliable: the scheduler's message differs, something was not seen or is not replayed."""
    trusted = answer.agreement in (Agreement.AGREES, Agreement.STALE, Agreement.NO_MESSAGE)
    if not trusted or answer.unseen or answer.verdict.unreplayed or answer.verdict.feasible:
        return ()
    workload = workload_of(answer.pod, cluster)
    own, offers = _searched(answer, workload, cluster)
    fixes = tuple(_fix(offer, own, answer.pod, workload, cluster) for offer in offers)
    return unproven(fixes) if answer.damaged or has_other_scheduler(answer.pod) else fixes


def _searched(answer: PendingAnswer, workload: Ref, cluster: Cluster) -> tuple[Ref, tuple[_Offer, ...]]:
    """The search, once for all equivalent pods of a workload, with the pod that was examined."""
    state, pod = answer.state, answer.pod
    cached, key = _FOUND.of(state), (workload, equivalence_key(pod))
    if key in cached:
        return cached[key]
    searched = _SEARCHED.of(state)
    if searched.get(None, 0) > MOST_NODES:
        return ref(pod), ()
    searched[None] = searched.get(None, 0) + len(state.nodes)
    situation = Situation(pod, state)
    changes = [
        change
        for change in counterfactuals(situation, answer.verdict, waiting=_waiting(pod, state, cluster))
        if not (_undoes_a_daemon(change, workload) or too_early(change, cluster, pod.namespace))
    ]
    cached[key] = ref(pod), tuple(_offers(changes, situation, cluster))
    return cached[key]


def _waiting(pod: Pod, state: ClusterState, cluster: Cluster) -> Sequence[Pod]:
    """The pending pods of other owners; none where they are too many."""
    pods = cluster.maybe.all(Pod)
    by_owner = _WAITING.kept(state, None, lambda: _by_owner(pods))
    own = pod.metadata.owner_references
    others = [(owner, members) for owner, members in islice(by_owner.items(), MOST_WAITING + 2) if owner != own]
    waiting = [other for _, members in others for other in members[: MOST_WAITING + 1]]
    return sorted(waiting, key=ref) if len(waiting) <= MOST_WAITING else ()


def _by_owner(pods: Iterable[Pod]) -> dict[_Owners, list[Pod]]:
    by_owner: dict[_Owners, list[Pod]] = {}
    for pod in pods:
        if unscheduled(pod) and not terminating(pod):
            by_owner.setdefault(pod.metadata.owner_references, []).append(pod)
    return by_owner


def _offers(changes: Sequence[Counterfactual], situation: Situation, cluster: Cluster) -> Iterator[_Offer]:
    """Only changes that a trial proves; a change that takes something from a running pod is tried before it is
    chosen."""
    candidates = [change for change in changes if not _deletes(change) or _trial(change, situation, cluster).verified]
    for change, alike in _chosen(candidates):
        trial = _trial(change, situation, cluster)
        if trial.verified:
            yield _Offer(change, alike, trial)


def _deletes(change: Counterfactual) -> bool:
    return any(edit.kind is Kind.DELETE_POD for edit in change.edits)


def _trial(change: Counterfactual, situation: Situation, cluster: Cluster) -> Trial:
    """Whether the pod finds a node, and every pod that is deleted for it finds one again."""
    name = ref(situation.pod)
    removed = [cluster.maybe.get_ref(about) for about in sorted(deleted(change.change.operations))]

    def holds(after: Cluster) -> bool:
        pod = after.get_ref(name)
        if not isinstance(pod, Pod):
            return False
        changed = Situation(pod, apply_to_state(situation.pod, situation.state, change.edits).state)
        nodes = changed.feasible()
        return bool(nodes) and not displaced((obj for obj in removed if isinstance(obj, Pod)), changed, nodes[0])

    return prove(change.outcome, cluster.maybe, holds)


def _undoes_a_daemon(change: Counterfactual, workload: Ref) -> bool:
    """Whether the change removes the affinity that ties a DaemonSet's pod to its node."""
    return workload.kind == "DaemonSet" and any(edit.kind in _NAMES_NODE for edit in change.edits)


def _chosen(changes: Sequence[Counterfactual]) -> list[tuple[Counterfactual, tuple[str, ...]]]:
    """The first of the changes that differ only in the node, with the names of the other nodes. Changes that open the
    control plane to workloads are used only if there is nothing else."""
    plain = [
        change
        for change in changes
        if not any(edit.arguments[:1] and edit.arguments[0] in CONTROL_PLANE for edit in change.edits)
    ]
    families: dict[object, list[Counterfactual]] = {}
    for change in plain or changes:
        families.setdefault(tuple(_family(edit) for edit in change.edits), []).append(change)
    return [
        (family[0], tuple(dict.fromkeys(similar.about.name for similar in family[1:])))
        for family in list(families.values())[:MOST_FIXES]
    ]


def _family(edit: Edit) -> object:
    if edit.kind in _ANY_OF:
        return edit.kind
    return (edit.kind, edit.arguments) if edit.kind in _OPENS else (edit.key, edit.arguments)


def _fix(offer: _Offer, own: Ref, pod: Pod, workload: Ref, cluster: Cluster) -> Fix:
    change, alike = offer.change, offer.alike
    by_hand = _by_hand(change, own, pod, workload, cluster)
    source = _source(by_hand, workload, cluster)
    text = capitalised(remedy_words(change))
    if change.kind not in _OPENS and not text.endswith(f" on {_names(change.nodes)})"):
        text += f" → fits {_names(change.nodes)}"
    if first := conditions(change):
        text += f", if {' and '.join(first)}"
    if alike:
        text += f" (or {_names(alike)})"
    if change.affects and change.kind in _OPENS:
        text += f"; also makes room for {_names(str(affected) for affected in change.affects)}"
    elif change.affects and change.kind in CLAIM_KINDS:
        text += f"; also used by {_names(str(affected) for affected in change.affects)}"
    text += about_data(change, pod, workload, cluster)
    if by_hand is not None and _recreates(by_hand, pod):
        text += "; this deletes and recreates the pod, in which nothing runs yet"
    if source is not None:
        by_hand = None
        text += f"; change it in {source.title}, from which {workload.title} is written"
    disrupts = any(edit.kind not in _HARMLESS for edit in change.edits)
    fix = Fix(
        text,
        _command(by_hand, pod, cluster) if by_hand is not None else "",
        Effect.DISRUPTS if disrupts else Effect.CHANGES,
        changes=change.about if len(change.edits) == 1 else None,
    )
    return fix if change.provisioners else proven(fix, offer.trial)


def _source(change: Change | None, workload: Ref, cluster: Cluster) -> Ref | None:
    """Of a change of the workload, the object from which a controller would write it again."""
    if change is None or workload not in change.objects:
        return None
    obj = cluster.maybe.get_ref(workload)
    return source_of(obj) if obj is not None else None


def _names(words: Iterable[str]) -> str:
    return listed(words, 3)


def _command(change: Change, pod: Pod, cluster: Cluster) -> str:
    objects = (cluster.snapshot.get(about) for about in change.objects)
    return command_line(change, *(item for item in objects if item is not None), pod)


def _recreates(change: Change, pod: Pod) -> bool:
    return any(
        operation.about == ref(pod) and is_recreated(operation.about, operation.steps, pod)
        for operation in change.operations
    )


def _by_hand(change: Counterfactual, own: Ref, pod: Pod, workload: Ref, cluster: Cluster) -> Change | None:
    """What people have to change: the template that the pod was created from, not the pod; None where nothing that they
    change does it. own: the pod that the change was found for; it is equivalent to this pod."""
    operations: list[Operation] = []
    owner = cluster.maybe.get_ref(workload)
    for edit in change.edits:
        for operation in edit.operations:
            if operation.about == own and not (operation.delete or operation.copy_as):
                steps = operation.steps
                if workload != ref(pod):
                    steps = steps_in_template(steps, pod, owner) if owner is not None else ()
                elif edit.kind in CLAIM_KINDS:
                    return None  # The claim of the pod would have to be deleted first.
                if not steps:
                    return None
                operations.append(Operation(workload, steps))
            elif edit.kind is Kind.REMAKE_CLAIM:
                claim = recreated_claim(operation, pod, owner)
                if not claim:
                    return None
                operations += claim
            else:
                operations.append(operation)
    return Change(tuple(operations))
