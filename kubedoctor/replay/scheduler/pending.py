"""Why a pod is pending: the scheduler's cycle replayed, put in order, and compared with the scheduler's own message."""

from __future__ import annotations

from datetime import datetime
from typing import Final

import msgspec

from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.cluster.kinds.references import ref
from kubedoctor.cluster.seen.reading import Cluster
from kubedoctor.replay.scheduler.cycle import SchedulingVerdict
from kubedoctor.replay.scheduler.many.by_classes import schedule_by_classes
from kubedoctor.replay.scheduler.many.equivalence import equivalence_key
from kubedoctor.replay.scheduler.many.grouping import NodeVerdictGroup, grouped
from kubedoctor.replay.scheduler.memos import Memo
from kubedoctor.replay.scheduler.observed import observe
from kubedoctor.replay.scheduler.preemption import Preemption, preempt
from kubedoctor.replay.scheduler.said.self_check import Agreement, Comparison, Said, compare, said_of
from kubedoctor.replay.scheduler.snapshot import ClusterState


class PendingAnswer(msgspec.Struct, frozen=True):
    """groups: nodes by outcome, those that fit the pod first, then the closest matches. preemption: None where the
    scheduler does not try it. said: the scheduler's message, None where there is none. unseen, damaged: kinds that
    could not be read, or of which something was left out, and that might change the verdict."""

    pod: Pod
    taken_at: datetime
    state: ClusterState
    verdict: SchedulingVerdict
    groups: tuple[NodeVerdictGroup, ...]
    preemption: Preemption | None
    said: Said | None
    comparison: Comparison
    unseen: tuple[str, ...] = ()
    damaged: tuple[str, ...] = ()

    @property
    def incomplete(self) -> bool:
        """Something that decides was not seen."""
        return bool(self.unseen or self.damaged)

    @property
    def agreement(self) -> Agreement:
        """Whether the scheduler's message matches."""
        return self.comparison.agreement

    @property
    def proven(self) -> bool:
        """The scheduler's message matches, for the same nodes."""
        return self.agreement is Agreement.AGREES


def explain_pending(pod: Pod, cluster: Cluster) -> PendingAnswer:
    """Replay the scheduler for a pod without a node. A changed pod is replayed as given.

    Raises CannotSee where nodes or pods cannot be read, and NotCollected, once, for all that must be fetched.
    """
    cluster.together(lambda: observe(pod, cluster), lambda: cluster.events_about(ref(pod)))
    observed = observe(pod, cluster)
    state = observed.state
    replay = _replay(pod, state)
    verdict = replay.verdict
    stated = said_of(pod, cluster)
    return PendingAnswer(
        pod=pod,
        taken_at=cluster.taken_at,
        state=state,
        verdict=verdict,
        groups=replay.groups,
        preemption=replay.preemption,
        said=stated,
        comparison=compare(pod, stated, verdict, replay.preemption, state, cluster),
        unseen=observed.unseen,
        damaged=observed.damaged,
    )


class _Replay(msgspec.Struct, frozen=True):
    verdict: SchedulingVerdict
    groups: tuple[NodeVerdictGroup, ...]
    preemption: Preemption | None


_REPLAYS: Final = Memo[bytes, _Replay]()


def _replay(pod: Pod, state: ClusterState) -> _Replay:
    """The replay, once for all pods that are equivalent for the scheduler."""
    replays, key = _REPLAYS.of(state), equivalence_key(pod)
    if key not in replays:
        verdict = schedule_by_classes(pod, state)
        replays[key] = _Replay(verdict, grouped(verdict), preempt(pod, state, verdict))
    return replays[key]
