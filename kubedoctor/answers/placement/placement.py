"""Where a pod may run and why not elsewhere: the scheduler replayed on the snapshot, also for a changed pod."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from datetime import datetime

import msgspec

from kubedoctor.answers.placement.autoscaler import autoscaler_lines
from kubedoctor.answers.placement.fixing.fixes import placement_fixes
from kubedoctor.answers.placement.outcome import has_other_scheduler, other_scheduler_lines
from kubedoctor.answers.placement.pod_changes import changed_pod
from kubedoctor.cluster.kinds.meta import condition
from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.cluster.kinds.references import Ref, kind_name, ref
from kubedoctor.cluster.relations.missing_nodes import is_missing
from kubedoctor.cluster.relations.workloads import WORKLOAD_KINDS, owner_chain, pods_of
from kubedoctor.cluster.seen.reading import Cluster
from kubedoctor.cluster.triage import finished, terminating, unscheduled
from kubedoctor.findings import Fix
from kubedoctor.replay.autoscaling.view import autoscaler_view
from kubedoctor.replay.scheduler.cycle import SchedulingVerdict
from kubedoctor.replay.scheduler.observed import kinds_for, observe
from kubedoctor.replay.scheduler.pending import PendingAnswer, explain_pending
from kubedoctor.replay.scheduler.said.self_check import Agreement
from kubedoctor.replay.scheduler.said.unseen_refusals import rests_on_unseen

_MOST_LOSSES = 50
"""The most sentences about unreadable objects, as for a bundle."""


class PlacementOutcome(enum.Enum):
    """The outcome for the pod. LOST: its node does not exist. ENDING: it is being deleted, and the scheduler passes
    over it (`pkg/scheduler/schedule_one.go`, skipPodSchedule, v1.37). UNKNOWN: something that decides could not be seen
    or is not replayed, or the scheduler refuses a pod that fits by everything that was seen."""

    SCHEDULED = "scheduled"
    LOST = "lost"
    ENDED = "ended"
    ENDING = "ending"
    FITS = "fits"
    GATED = "gated"
    FITS_NOWHERE = "fits-nowhere"
    UNKNOWN = "unknown"


class Placement(msgspec.Struct, frozen=True):
    """The answer about one pod, or about a workload without a pending or visible pod.

    node: where it runs, or ran while that node existed.
    before: the replay; None where there was nothing to replay. after: the replay with `changes`.
    fixes: what is proven to help the unchanged pod; empty where changes were tried.
    autoscaler: what autoscalers say about the pod, in sentences; empty where there is none, and where a node takes it.
    gaps: what could not be read, and what is not replayed.
    """

    pod: Ref
    outcome: PlacementOutcome
    taken_at: datetime
    node: str = ""
    before: PendingAnswer | None = None
    changes: tuple[str, ...] = ()
    after: PendingAnswer | None = None
    fixes: tuple[Fix, ...] = ()
    autoscaler: tuple[str, ...] = ()
    gaps: tuple[str, ...] = ()

    @property
    def last(self) -> PendingAnswer | None:
        """The replay that the outcome is about."""
        return self.after or self.before


def place(subject: Ref, cluster: Cluster, changes: Sequence[str] = ()) -> Placement:
    """Replay the scheduler for a pod, and again for the pod with `changes` (forms: see `changed_pod`). For a workload
    its first pod without a node is used; where there is none, the answer is about the workload.

    Raises PodChangeError for an impossible change, and CannotSee.
    """
    pod = _pending_pod_of(subject, cluster)
    if pod is None:
        return Placement(subject, PlacementOutcome.SCHEDULED, cluster.taken_at)
    return _placed(pod, cluster, tuple(changes))


def _pending_pod_of(subject: Ref, cluster: Cluster) -> Ref | None:
    """The first pod of a workload that waits for a node; None if none does. For a pod, the pod itself."""
    if subject.kind not in WORKLOAD_KINDS:
        return subject
    owner = cluster.get_ref(subject)
    pods = pods_of(owner, cluster) if owner is not None else ()
    return next((ref(pod) for pod in pods if unscheduled(pod) and not terminating(pod)), None)


def _placed(name: Ref, cluster: Cluster, changes: tuple[str, ...]) -> Placement:
    blank = Placement(name, PlacementOutcome.UNKNOWN, cluster.taken_at)
    pod = cluster.get_ref(name)
    if not isinstance(pod, Pod):
        return msgspec.structs.replace(blank, gaps=(f"{name.title} is gone",))
    if finished(pod):
        return msgspec.structs.replace(blank, outcome=PlacementOutcome.ENDED, node=pod.spec.node_name)
    if pod.spec.node_name:
        outcome = PlacementOutcome.LOST if is_missing(pod.spec.node_name, cluster) else PlacementOutcome.SCHEDULED
        return msgspec.structs.replace(blank, outcome=outcome, node=pod.spec.node_name)
    if terminating(pod):
        return msgspec.structs.replace(blank, outcome=PlacementOutcome.ENDING)
    changed = changed_pod(pod, changes) if changes else None
    cluster.together(
        lambda: observe(pod, cluster),
        lambda: cluster.events_about(name),
        lambda: owner_chain(pod, cluster.maybe),
        lambda: _autoscaler(pod, cluster),
    )
    before = explain_pending(pod, cluster)
    after = explain_pending(changed, cluster) if changed is not None else None
    outcome = _outcome(after or before, before.agreement)
    return msgspec.structs.replace(
        blank,
        outcome=outcome,
        before=before,
        changes=changes,
        after=after,
        fixes=placement_fixes(before, cluster) if after is None else (),
        autoscaler=_autoscaler(pod, cluster)
        if outcome in (PlacementOutcome.FITS_NOWHERE, PlacementOutcome.UNKNOWN)
        else (),
        gaps=(*_not_replayed(before), *_left_out(before, cluster)),
    )


def _autoscaler(pod: Pod, cluster: Cluster) -> tuple[str, ...]:
    """Only for a pod that the scheduler calls unschedulable: autoscalers ignore all other pods."""
    stated = condition(pod.status.conditions, "PodScheduled")
    if stated is None or stated.reason != "Unschedulable":
        return ()
    return autoscaler_lines(autoscaler_view(pod, cluster), pod)


def _left_out(answer: PendingAnswer, cluster: Cluster) -> tuple[str, ...]:
    """Replayed objects that could not be read, including those that do not decide."""
    losses = sorted(loss for kind in kinds_for(answer.pod) for loss in cluster.snapshot.losses(kind_name(kind)))
    more = len(losses) - _MOST_LOSSES
    return (*losses[:_MOST_LOSSES], f"and {more} more problems of this kind") if more > 0 else tuple(losses)


def _outcome(answer: PendingAnswer, agreement: Agreement) -> PlacementOutcome:
    """Nodes that were not seen might accept the pod. Other unseen kinds might block or allow it, and another
    scheduler's rules might block it. said: whether the scheduler's message matches for the unchanged pod."""
    verdict: SchedulingVerdict = answer.verdict
    if verdict.pre_enqueue is not None:
        return PlacementOutcome.GATED
    if verdict.failed or "Node" in answer.unseen:
        return PlacementOutcome.UNKNOWN
    if verdict.feasible:
        refused = agreement in (Agreement.DIFFERS, Agreement.NOT_REPLAYED)
        unsure = refused or verdict.unreplayed or answer.incomplete or has_other_scheduler(answer.pod)
        return PlacementOutcome.UNKNOWN if unsure else PlacementOutcome.FITS
    blind = (*answer.unseen, *answer.damaged)
    if agreement is not Agreement.AGREES and ("Node" in blind or rests_on_unseen(verdict, blind)):
        return PlacementOutcome.UNKNOWN
    return PlacementOutcome.FITS_NOWHERE


def _not_replayed(answer: PendingAnswer) -> tuple[str, ...]:
    gaps = [f"resource claim {claim}: devices are not replayed" for claim in answer.verdict.unreplayed]
    return (*gaps, *other_scheduler_lines(answer.pod))
