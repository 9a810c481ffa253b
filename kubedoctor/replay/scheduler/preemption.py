"""DefaultPreemption replayed: the pods that the scheduler would evict to make room, or why it would not.

`pkg/scheduler/framework/preemption`, `plugins/defaultpreemption`, v1.37. Every node is tried; the scheduler stops once it
has enough candidates.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Sequence
from typing import Final

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
    counted,
    histogram,
    objection_with_nominated,
    pre_filter,
    unavailable,
)
from kubedoctor.replay.scheduler.framework import (
    Code,
    NodeFilter,
    Obstacle,
    Plugin,
    Reason,
    Status,
    Wording,
    failure,
    reason,
    unresolvable,
)
from kubedoctor.replay.scheduler.go_sort import go_sorted
from kubedoctor.replay.scheduler.plugins.dynamic_resources import (
    DynamicResources,
    post_filter_fails,
    post_filter_text,
)
from kubedoctor.replay.scheduler.profile import default_plugins
from kubedoctor.replay.scheduler.releases import SchedulerRelease
from kubedoctor.replay.scheduler.snapshot import ClusterState, NodeInfo, PodInfo

PREEMPTION_USELESS: Final = Obstacle("preemption is not helpful")
NO_VICTIMS: Final = Obstacle("no preemption victims")
WORDINGS: Final = (
    Wording(r"Preemption is not helpful for scheduling", PREEMPTION_USELESS),
    Wording(r"No preemption victims found for incoming pods?", NO_VICTIMS),
)
_NO_VICTIMS: Final = Objection("", unresolvable(reason(NO_VICTIMS, "No preemption victims found for incoming pod")))
_USELESS: Final = unresolvable(reason(PREEMPTION_USELESS, "Preemption is not helpful for scheduling"))
_TELLS_PLACE_SINCE: Final = SchedulerRelease(37)
"""From this release on the message says where preemption would help."""
_CHARGES_ONE_BUDGET_SINCE: Final = SchedulerRelease(37)
"""From this release on a victim counts only against the budgets up to the first that it violates."""
_LOWEST: Final = 1 << 31
"""Added to a priority, so that sums increase with every victim."""


class NotEligible(enum.Enum):
    """Why the pod may not preempt, in upstream's words."""

    NEVER = "not eligible due to preemptionPolicy=Never."
    RUNNING = "not eligible due to a terminating pod on the nominated node."


class Candidate(msgspec.Struct, frozen=True):
    """A node where evicting `victims` makes the pod fit; the most important victim comes first.

    violations: victims that a PodDisruptionBudget protects; the scheduler evicts them if there is no other way.
    """

    node: str
    victims: tuple[Pod, ...]
    violations: int


class Preemption(msgspec.Struct, frozen=True):
    """The result of preemption. code: Success where a candidate exists; Error where the scheduler's own bookkeeping
    fails.

    not_eligible: why the pod may not preempt, None if it may. rejected: nodes where it does not help, each with what
    still blocks the pod.
    best: the candidates that score equally best; the scheduler takes any. event: the whole text of the FailedScheduling
    event and of the condition, with the first of `best`.
    """

    code: Code
    event: str
    not_eligible: NotEligible | None = None
    candidates: tuple[Candidate, ...] = ()
    rejected: tuple[tuple[str, Objection], ...] = ()
    best: tuple[str, ...] = ()

    @property
    def expected(self) -> Candidate | None:
        """The first of the best candidates; None where there is no candidate."""
        return next((candidate for candidate in self.candidates if candidate.node in self.best[:1]), None)


def rejection_counts(verdict: SchedulingVerdict, tried: Preemption) -> tuple[Reason, ...]:
    """Why evicting pods does not help, each reason with its number of nodes. Upstream reports it only where it helps on
    no node."""
    hopeless = verdict.total - len(tried.rejected) - len(tried.candidates)
    return counted([*((objection.status, 1) for _, objection in tried.rejected), *_useless(hopeless)])


def _useless(nodes: int) -> list[tuple[Status, int]]:
    return [(_USELESS, nodes)] if nodes else []


def preempt(
    pod: Pod, state: ClusterState, verdict: SchedulingVerdict, plugins: Sequence[Plugin] | None = None
) -> Preemption | None:
    """Try to make room for a pod that `schedule` found no node for; None where the scheduler does not try."""
    if verdict.pre_enqueue or verdict.feasible or not verdict.total or verdict.failed:
        return None
    used = default_plugins(state.release) if plugins is None else plugins
    has_claims = any(isinstance(plugin, DynamicResources) for plugin in used)
    if verdict.pre_filter is not None and has_claims and post_filter_fails(state.release):
        return Preemption(Code.ERROR, f"{verdict.message} not found")
    before = f"{verdict.message} {post_filter_text(state.release) if has_claims else ''}preemption: "
    if (why := _not_eligible(pod, state, verdict)) is not None:
        return Preemption(Code.UNSCHEDULABLE, before + why.value, why)
    candidates: list[Candidate] = []
    rejected: list[tuple[str, Objection]] = []
    filters = pre_filter(pod, state, plugins).filters if verdict.nodes else ()
    firsts = (nodes[0].first for nodes in verdict.alike)
    hopeful = {id(first) for first in firsts if first is not None and first.status.code is Code.UNSCHEDULABLE}
    for node in verdict.nodes if hopeful else ():
        if id(node.first) not in hopeful:
            continue
        outcome = _try(pod, state, filters, state.node_by_name[node.node])
        if isinstance(outcome, Candidate):
            candidates.append(outcome)
        else:
            rejected.append((node.node, outcome))
    errors = list(
        dict.fromkeys(objection.status.message for _, objection in rejected if objection.status.code is Code.ERROR)
    )
    if errors and not candidates:
        return Preemption(Code.ERROR, before + (errors[0] if len(errors) == 1 else f"[{', '.join(errors)}]"))
    if not candidates:
        statuses = [*((objection.status, 1) for _, objection in rejected), *_useless(verdict.total - len(rejected))]
        event = before + unavailable(verdict.total, histogram(statuses))
        return Preemption(Code.UNSCHEDULABLE, event, rejected=tuple(rejected))
    best = _best(candidates)
    event = verdict.message
    if state.release >= _TELLS_PLACE_SINCE:
        count = next(len(candidate.victims) for candidate in candidates if candidate.node == best[0])
        event += f" preemption: found a potential placement for pod on node {best[0]}, preempting {count} victims"
    return Preemption(Code.SUCCESS, event, None, tuple(candidates), tuple(rejected), best)


def _not_eligible(pod: Pod, state: ClusterState, verdict: SchedulingVerdict) -> NotEligible | None:
    if pod.spec.preemption_policy == "Never":
        return NotEligible.NEVER
    name = pod.status.nominated_node_name
    node = state.node_by_name.get(name)
    if node is None:
        return None
    status = next(
        (verdict_of_node.status for verdict_of_node in verdict.nodes if verdict_of_node.node == name), _USELESS
    )
    if status.code is Code.UNRESOLVABLE:
        return None
    priority = pod.spec.priority or 0
    if any(pod_info.priority < priority and _is_victim(pod_info.pod) for pod_info in node.pods):
        return NotEligible.RUNNING
    return None


def _is_victim(pod: Pod) -> bool:
    """The pod is ending because the scheduler preempted it."""
    target = condition(pod.status.conditions, "DisruptionTarget")
    return (
        pod.metadata.deletion_timestamp is not None
        and target is not None
        and target.status == "True"
        and target.reason == "PreemptionByScheduler"
    )


def _try(pod: Pod, state: ClusterState, filters: Filters, node: NodeInfo) -> Candidate | Objection:
    """Remove every pod of lower priority from the node, then put back those that still fit."""
    priority = pod.spec.priority or 0
    possible = [pod_info for pod_info in node.pods if pod_info.priority < priority]
    if not possible:
        return _NO_VICTIMS
    filters = copied(filters)
    counting = [node_filter for _, node_filter in filters if type(node_filter).count is not NodeFilter.count]
    node = node.without(possible)
    for pod_info in possible:
        _count(counting, pod_info, node, -1)
    if (objection := objection_with_nominated(pod, state, filters, node)) is not None:
        return objection
    protected, unprotected = _by_budget(go_sorted(possible, _importance), state)
    victims: list[PodInfo] = []
    violations = 0
    for pod_info in (*protected, *unprotected):
        fuller = node.with_pod(pod_info)
        _count(counting, pod_info, fuller, 1)
        if objection_with_nominated(pod, state, filters, fuller) is None:
            node = fuller
            continue
        _count(counting, pod_info, node, -1)
        node = fuller.without((pod_info,))
        victims.append(pod_info)
        violations += any(pod_info is protected_pod for protected_pod in protected)
    if not victims:
        return Objection("", failure(f'expected at least one victim pod on node "{node.name}"'))
    if protected and unprotected:
        victims = go_sorted(victims, _importance)
    return Candidate(node.name, tuple(victim.pod for victim in victims), violations)


def _count(counting: Sequence[NodeFilter], pod_info: PodInfo, node: NodeInfo, change: int) -> None:
    for node_filter in counting:
        node_filter.count(pod_info, node, change)


def _importance(pod_info: PodInfo) -> tuple[int, float]:
    """Sorts the most important first: high priority, then an early start. A pod that has not started starts last."""
    return -pod_info.priority, _started(pod_info.pod)


def _started(pod: Pod) -> float:
    return pod.status.start_time.timestamp() if pod.status.start_time else float("inf")


def _by_budget(victims: Sequence[PodInfo], state: ClusterState) -> tuple[list[PodInfo], list[PodInfo]]:
    """Those whose eviction would violate a budget, if the more important ones were evicted first; and the others."""
    allowed = [disruption_budget.status.disruptions_allowed for disruption_budget in state.budgets]
    protected: list[PodInfo] = []
    unprotected: list[PodInfo] = []
    for victim in victims:
        violated = False
        for index, budget in enumerate(state.budgets):
            if not _covers(budget, victim.pod):
                continue
            allowed[index] -= 1
            if allowed[index] < 0:
                violated = True
                if state.release >= _CHARGES_ONE_BUDGET_SINCE:
                    break
        (protected if violated else unprotected).append(victim)
    return protected, unprotected


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
    """Few violations, unimportant victims, few of them, and recently started ones: each rule decides among the
    candidates that the earlier rules left."""
    scores: tuple[Callable[[Candidate], float], ...] = (
        lambda candidate: candidate.violations,
        lambda candidate: candidate.victims[0].spec.priority or 0,
        lambda candidate: sum((victim.spec.priority or 0) + _LOWEST for victim in candidate.victims),
        lambda candidate: len(candidate.victims),
        lambda candidate: -_earliest_start(candidate),
    )
    remaining = list(candidates)
    for score in scores:
        least = min(score(candidate) for candidate in remaining)
        remaining = [candidate for candidate in remaining if score(candidate) == least]
    return tuple(sorted(candidate.node for candidate in remaining))


def _earliest_start(candidate: Candidate) -> float:
    """The earliest start among its most important victims."""
    highest = max(victim.spec.priority or 0 for victim in candidate.victims)
    return min(_started(victim) for victim in candidate.victims if (victim.spec.priority or 0) == highest)
