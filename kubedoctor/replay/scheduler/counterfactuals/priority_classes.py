"""The priority classes of the cluster with which a pod could preempt others."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import msgspec

from kubedoctor.cluster.kinds.control import PriorityClass
from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.replay.scheduler.cycle import SchedulingVerdict
from kubedoctor.replay.scheduler.many.by_classes import schedule_by_classes
from kubedoctor.replay.scheduler.many.equivalence import equivalence_key
from kubedoctor.replay.scheduler.memos import Memo
from kubedoctor.replay.scheduler.preemption import Candidate, NotEligible, Preemption, preempt
from kubedoctor.replay.scheduler.snapshot import ClusterState

MOST_NODES: Final = 20_000
"""The search stops after examining this many nodes for different pods."""
SYSTEM: Final = "system-"
"""The prefix of names that Kubernetes reserves (`pkg/apis/scheduling`)."""


class HelpfulClass(msgspec.Struct, frozen=True):
    """The class, and the pods that the scheduler would evict for a pod of this class; where several nodes are equally
    good, one of them."""

    priority_class: PriorityClass
    candidate: Candidate


_HELPFUL: Final = Memo[tuple[bytes, tuple[str, ...]], HelpfulClass | None]()
_LOOKED_AT: Final = Memo[None, int]()
"""The number of nodes that were examined so far."""


def helpful_class(
    pod: Pod,
    state: ClusterState,
    verdict: SchedulingVerdict,
    tried: Preemption | None,
    classes: Iterable[PriorityClass],
) -> HelpfulClass | None:
    """The lowest class above the pod's priority with which preemption makes room; None where preemption already helps,
    where no class helps, and where the priority is not the obstacle."""
    if tried is None or verdict.unreplayed or not _is_too_low(tried):
        return None
    mine = pod.spec.priority or 0
    higher = sorted(
        (priority_class for priority_class in classes if priority_class.value > mine and _may_preempt(priority_class)),
        key=lambda priority_class: (priority_class.value, priority_class.name),
    )
    key = equivalence_key(pod), tuple(priority_class.name for priority_class in higher)
    return _HELPFUL.kept(state, key, lambda: _lowest(pod, state, verdict, higher))


def _is_too_low(tried: Preemption) -> bool:
    """Whether the priority is the obstacle: a node has no less important pod, or the pod may not preempt at all."""
    if tried.not_eligible is not None:
        return tried.not_eligible is NotEligible.NEVER
    return not tried.candidates and bool(tried.rejected)


def _may_preempt(priority_class: PriorityClass) -> bool:
    return not priority_class.name.startswith(SYSTEM) and priority_class.preemption_policy != "Never"


def _lowest(
    pod: Pod, state: ClusterState, verdict: SchedulingVerdict, higher: list[PriorityClass]
) -> HelpfulClass | None:
    """The lowest class that helps. Where the highest does not help, the others are not tried."""
    if not higher or (best := _with_class(pod, state, verdict, higher[-1])) is None:
        return None
    for priority_class in higher[:-1]:
        if (candidate := _with_class(pod, state, verdict, priority_class)) is not None:
            return HelpfulClass(priority_class, candidate)
    return HelpfulClass(higher[-1], best)


def _with_class(
    pod: Pod, state: ClusterState, verdict: SchedulingVerdict, priority_class: PriorityClass
) -> Candidate | None:
    looked_at = _LOOKED_AT.of(state)
    if looked_at.get(None, 0) > MOST_NODES:
        return None
    looked_at[None] = looked_at.get(None, 0) + len(state.nodes)
    spec = msgspec.structs.replace(
        pod.spec,
        priority=priority_class.value,
        priority_class_name=priority_class.name,
        preemption_policy="PreemptLowerPriority",
    )
    changed = msgspec.structs.replace(pod, spec=spec)
    # Only pods nominated to a node count differently for a more important pod.
    tried = preempt(changed, state, schedule_by_classes(changed, state) if state.nominated else verdict)
    return tried.expected if tried is not None else None
