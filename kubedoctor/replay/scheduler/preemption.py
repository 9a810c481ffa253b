"""DefaultPreemption tried out: whom the scheduler would evict to make room, or why it would not.

`pkg/scheduler/framework/preemption`, `plugins/defaultpreemption`, v1.37. Every node is tried; the scheduler stops once it
has enough candidates.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from kubedoctor.cluster.grammar.selectors import SelectorError, selector_of
from kubedoctor.cluster.kinds.meta import condition
from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.cluster.kinds.policy import PodDisruptionBudget
from kubedoctor.replay.scheduler.cycle import (
    Filters,
    Objection,
    SchedulingVerdict,
    copied,
    histogram,
    objection_with_nominated,
    pre_filter,
    unavailable,
)
from kubedoctor.replay.scheduler.framework import Code, NodeFilter, Plugin, failure, unresolvable
from kubedoctor.replay.scheduler.go_sort import go_sorted
from kubedoctor.replay.scheduler.said import reasons
from kubedoctor.replay.scheduler.snapshot import ClusterState, NodeInfo, PodInfo

_NO_VICTIMS = Objection("", unresolvable(reasons.NO_VICTIMS))
_USELESS = unresolvable(reasons.PREEMPTION_USELESS)
_LOWEST = 1 << 31
"""Added to a priority, so that sums grow with every victim."""


class Candidate(msgspec.Struct, frozen=True):
    """A node where evicting `victims` makes the pod fit; the most important victim comes first.

    violations: victims that a PodDisruptionBudget would keep; the scheduler evicts them all the same if it must.
    """

    node: str
    victims: tuple[Pod, ...]
    violations: int


class Preemption(msgspec.Struct, frozen=True):
    """What comes of trying. code: Success where a candidate exists; Error where the scheduler's own bookkeeping fails.

    not_eligible: why the pod may not preempt. rejected: nodes where it does not help, each with what still objects.
    best: the candidates that score equally best; the scheduler takes any. event: the whole text of the FailedScheduling
    event and of the condition, with the first of `best`.
    """

    code: Code
    event: str
    not_eligible: str = ""
    candidates: tuple[Candidate, ...] = ()
    rejected: tuple[tuple[str, Objection], ...] = ()
    best: tuple[str, ...] = ()


def preempt(
    pod: Pod, state: ClusterState, verdict: SchedulingVerdict, plugins: Sequence[Plugin] | None = None
) -> Preemption | None:
    """Try to make room for a pod that `schedule` found no node for; None where the scheduler does not even try."""
    if verdict.pre_enqueue or verdict.feasible or not verdict.total or verdict.failed:
        return None
    if verdict.pre_filter is not None and state.release.claims_hidden:
        return Preemption(Code.ERROR, f"{verdict.message} not found")
    before = f"{verdict.message} {state.release.claims_text}preemption: "
    if why := _not_eligible(pod, state, verdict):
        return Preemption(Code.UNSCHEDULABLE, before + why, why)
    candidates: list[Candidate] = []
    rejected: list[tuple[str, Objection]] = []
    filters = pre_filter(pod, state, plugins).filters if verdict.nodes else ()
    for one in verdict.nodes:
        if one.status.code is not Code.UNSCHEDULABLE:
            continue
        found = _try(pod, state, filters, state.node_by_name[one.node])
        if isinstance(found, Candidate):
            candidates.append(found)
        else:
            rejected.append((one.node, found))
    errors = list(dict.fromkeys(one.status.message for _, one in rejected if one.status.code is Code.ERROR))
    if errors and not candidates:
        return Preemption(Code.ERROR, before + (errors[0] if len(errors) == 1 else f"[{', '.join(errors)}]"))
    if not candidates:
        statuses = [objection.status for _, objection in rejected]
        statuses += [_USELESS] * (verdict.total - len(rejected))
        event = before + unavailable(verdict.total, histogram(statuses))
        return Preemption(Code.UNSCHEDULABLE, event, rejected=tuple(rejected))
    best = _best(candidates)
    event = verdict.message
    if state.release.tells_placement:
        count = next(len(one.victims) for one in candidates if one.node == best[0])
        event += f" preemption: found a potential placement for pod on node {best[0]}, preempting {count} victims"
    return Preemption(Code.SUCCESS, event, "", tuple(candidates), tuple(rejected), best)


def _not_eligible(pod: Pod, state: ClusterState, verdict: SchedulingVerdict) -> str:
    if pod.spec.preemption_policy == "Never":
        return reasons.PREEMPTION_NEVER
    name = pod.status.nominated_node_name
    node = state.node_by_name.get(name)
    status = next((one.status for one in verdict.nodes if one.node == name), _USELESS)
    if node is None or status.code is Code.UNRESOLVABLE:
        return ""
    priority = pod.spec.priority or 0
    if any(one.priority < priority and _is_victim(one.pod) for one in node.pods):
        return reasons.PREEMPTION_RUNNING
    return ""


def _is_victim(pod: Pod) -> bool:
    """The pod is going because the scheduler made room."""
    target = condition(pod.status.conditions, "DisruptionTarget")
    return (
        pod.metadata.deletion_timestamp is not None
        and target is not None
        and target.status == "True"
        and target.reason == "PreemptionByScheduler"
    )


def _try(pod: Pod, state: ClusterState, filters: Filters, node: NodeInfo) -> Candidate | Objection:
    """Remove every pod of lower priority from the node, then bring back whom there is room for."""
    priority = pod.spec.priority or 0
    possible = [one for one in node.pods if one.priority < priority]
    if not possible:
        return _NO_VICTIMS
    filters = copied(filters)
    counting = [one for _, one in filters if type(one).count is not NodeFilter.count]
    node = node.without(possible)
    for one in possible:
        _count(counting, one, node, -1)
    if (objection := objection_with_nominated(pod, state, filters, node)) is not None:
        return objection
    protected, others = _by_budget(go_sorted(possible, _importance), state)
    victims: list[PodInfo] = []
    violations = 0
    for one in (*protected, *others):
        fuller = node.with_pod(one)
        _count(counting, one, fuller, 1)
        if objection_with_nominated(pod, state, filters, fuller) is None:
            node = fuller
            continue
        _count(counting, one, node, -1)
        node = fuller.without((one,))
        victims.append(one)
        violations += any(one is each for each in protected)
    if not victims:
        return Objection("", failure(f'expected at least one victim pod on node "{node.name}"'))
    if protected and others:
        victims = go_sorted(victims, _importance)
    return Candidate(node.name, tuple(one.pod for one in victims), violations)


def _count(counting: Sequence[NodeFilter], other: PodInfo, node: NodeInfo, change: int) -> None:
    for node_filter in counting:
        node_filter.count(other, node, change)


def _importance(one: PodInfo) -> tuple[int, float]:
    """Sorts the most important first: high priority, then an early start. A pod that has not started starts last."""
    return -one.priority, _started(one.pod)


def _started(pod: Pod) -> float:
    return pod.status.start_time.timestamp() if pod.status.start_time else float("inf")


def _by_budget(victims: Sequence[PodInfo], state: ClusterState) -> tuple[list[PodInfo], list[PodInfo]]:
    """Those whose eviction would violate a budget, if the more important ones were evicted first; and the others."""
    left = [one.status.disruptions_allowed for one in state.budgets]
    protected: list[PodInfo] = []
    others: list[PodInfo] = []
    for one in victims:
        violated = False
        for index, budget in enumerate(state.budgets):
            if not _covers(budget, one.pod):
                continue
            left[index] -= 1
            if left[index] < 0:
                violated = True
                if not state.release.charges_all_budgets:
                    break
        (protected if violated else others).append(one)
    return protected, others


def _covers(budget: PodDisruptionBudget, pod: Pod) -> bool:
    """Whether the eviction of the pod counts against the budget; a selector that is empty covers nothing here."""
    if budget.namespace != pod.namespace or not pod.labels or pod.name in (budget.status.disrupted_pods or {}):
        return False
    try:
        selector = selector_of(budget.spec.selector)
    except SelectorError:
        return False
    return not selector.is_empty and selector.matches(pod.labels)


def _best(candidates: Sequence[Candidate]) -> tuple[str, ...]:
    """Few violations, unimportant victims, few of them, and lately started ones: each rule decides among what the ones
    before it left."""
    scores: tuple[Callable[[Candidate], float], ...] = (
        lambda one: one.violations,
        lambda one: one.victims[0].spec.priority or 0,
        lambda one: sum((victim.spec.priority or 0) + _LOWEST for victim in one.victims),
        lambda one: len(one.victims),
        lambda one: -_earliest_start(one),
    )
    left = list(candidates)
    for score in scores:
        least = min(score(one) for one in left)
        left = [one for one in left if score(one) == least]
    return tuple(sorted(one.node for one in left))


def _earliest_start(candidate: Candidate) -> float:
    """Of its most important victims."""
    highest = max(victim.spec.priority or 0 for victim in candidate.victims)
    return min(_started(victim) for victim in candidate.victims if (victim.spec.priority or 0) == highest)
