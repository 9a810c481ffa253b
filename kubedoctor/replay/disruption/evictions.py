"""What the eviction subresource decides (`pkg/registry/core/pod/storage/eviction.go`, v1.37)."""

from __future__ import annotations

import enum
from collections.abc import Iterable
from typing import Final

import msgspec

from kubedoctor.cluster.grammar.selectors import SelectorError, selector_of
from kubedoctor.cluster.kinds.meta import condition
from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.cluster.kinds.policy import PodDisruptionBudget

MOST_DISRUPTED: Final = 2000
"""Evictions that the disruption controller has not confirmed; with more of them none is allowed."""


class Eviction(enum.Enum):
    """What came of a request to evict a pod, and why."""

    UNGUARDED = "unguarded"
    """No budget selects the pod."""
    NOT_RUNNING = "not-running"
    """The pod is pending, finished or going: budgets do not count."""
    UNHEALTHY = "unhealthy"
    """The pod is not ready, and its budget lets such pods go."""
    WITHIN_BUDGET = "within-budget"
    SEVERAL_BUDGETS = "several-budgets"
    OUTDATED_STATUS = "outdated-status"
    NEGATIVE = "negative"
    UNCONFIRMED = "unconfirmed"
    FAILED_SYNC = "failed-sync"
    TOO_FEW_HEALTHY = "too-few-healthy"
    CONDITION = "condition"
    """The budget's own condition has the reason."""
    NONE_ALLOWED = "none-allowed"


_ALLOWED: Final = (Eviction.UNGUARDED, Eviction.NOT_RUNNING, Eviction.UNHEALTHY, Eviction.WITHIN_BUDGET)
_FORBIDDEN: Final = {
    Eviction.NEGATIVE: "pdb disruptions allowed is negative",
    Eviction.UNCONFIRMED: "DisruptedPods map too big - too many evictions not confirmed by PDB controller",
}
_CAUSES: Final = {
    Eviction.OUTDATED_STATUS: "{name} is still being processed by the server.",
    Eviction.NEGATIVE: "{name} does not allow evicting pods currently: pdb disruptions allowed is negative",
    Eviction.UNCONFIRMED: "{name} does not allow evicting pods currently: too many pending evictions not confirmed by"
    " PDB controller",
    Eviction.FAILED_SYNC: "{name} does not allow evicting pods currently because it failed sync: {message}",
    Eviction.TOO_FEW_HEALTHY: "{name} needs {desired} healthy pods and has {current} currently",
    Eviction.CONDITION: "{name} does not allow evicting pods currently ({reason}): {message}",
    Eviction.NONE_ALLOWED: "{name} does not allow evicting pods currently",
}


class EvictionVerdict(msgspec.Struct, frozen=True):
    """budgets: those that select the pod, where they were asked."""

    outcome: Eviction
    budgets: tuple[PodDisruptionBudget, ...] = ()

    @property
    def allowed(self) -> bool:
        return self.outcome in _ALLOWED

    @property
    def code(self) -> int:
        """The HTTP status of a refusal; 0 for a success."""
        if self.allowed:
            return 0
        return 500 if self.outcome is Eviction.SEVERAL_BUDGETS else 403 if self.outcome in _FORBIDDEN else 429

    @property
    def message(self) -> str:
        """The API server's refusal."""
        if self.allowed:
            return ""
        if self.outcome is Eviction.SEVERAL_BUDGETS:
            return "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support."
        if self.outcome in _FORBIDDEN:
            name = self.budgets[0].name
            return f'poddisruptionbudget.policy "{name}" is forbidden: {_FORBIDDEN[self.outcome]}'
        return "Cannot evict pod as it would violate the pod's disruption budget."

    @property
    def causes(self) -> tuple[str, ...]:
        """The causes in the details of the refusal."""
        text = _CAUSES.get(self.outcome)
        if text is None:
            return ()
        budget = self.budgets[0]
        state = condition(budget.status.conditions, "DisruptionAllowed")
        cause = text.format(
            name=budget.name,
            desired=budget.status.desired_healthy,
            current=budget.status.current_healthy,
            reason=state.reason if state else "",
            message=state.message if state else "",
        )
        return (f"The disruption budget {cause}",)


def guards(budget: PodDisruptionBudget, pod: Pod) -> bool:
    """The budget selects the pod; without a selector, or with an invalid one, it selects none."""
    if budget.namespace != pod.namespace or budget.spec.selector is None:
        return False
    try:
        return selector_of(budget.spec.selector).matches(pod.labels)
    except SelectorError:
        return False


def evict(pod: Pod, budgets: Iterable[PodDisruptionBudget]) -> EvictionVerdict:
    """Whether the API server would evict the pod now. Budgets of other namespaces do no harm."""
    if pod.status.phase in ("Succeeded", "Failed", "Pending") or pod.metadata.deletion_timestamp is not None:
        return EvictionVerdict(Eviction.NOT_RUNNING)
    guarding = tuple(budget for budget in budgets if guards(budget, pod))
    if len(guarding) != 1:
        return EvictionVerdict(Eviction.SEVERAL_BUDGETS if guarding else Eviction.UNGUARDED, guarding)
    return EvictionVerdict(_unhealthy(pod, guarding[0]) or _counted(guarding[0]), guarding)


def _unhealthy(pod: Pod, budget: PodDisruptionBudget) -> Eviction | None:
    ready = condition(pod.status.conditions, "Ready")
    if ready is not None and ready.status == "True":
        return None
    status = budget.status
    spare = status.current_healthy >= status.desired_healthy > 0
    if spare or budget.spec.unhealthy_pod_eviction_policy == "AlwaysAllow":
        return Eviction.UNHEALTHY
    return None


def _counted(budget: PodDisruptionBudget) -> Eviction:
    status = budget.status
    if status.observed_generation < budget.metadata.generation:
        return Eviction.OUTDATED_STATUS
    if status.disruptions_allowed < 0:
        return Eviction.NEGATIVE
    if len(status.disrupted_pods or ()) > MOST_DISRUPTED:
        return Eviction.UNCONFIRMED
    if status.disruptions_allowed > 0:
        return Eviction.WITHIN_BUDGET
    state = condition(status.conditions, "DisruptionAllowed")
    explained = state is not None and state.status == "False" and bool(state.message)
    if explained and state is not None and state.reason == "SyncFailed":
        return Eviction.FAILED_SYNC
    if status.current_healthy <= status.desired_healthy:
        return Eviction.TOO_FEW_HEALTHY
    return Eviction.CONDITION if explained else Eviction.NONE_ALLOWED
