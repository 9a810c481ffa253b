"""The policy group: disruption budgets."""

from typing import Any

from kubedoctor.cluster.kinds.meta import Condition, KubernetesObject, LabelSelector, ManagedMeta, Part


class PodDisruptionBudgetSpec(Part):
    min_available: int | str | None = None
    max_unavailable: int | str | None = None
    selector: LabelSelector | None = None
    unhealthy_pod_eviction_policy: str | None = None


class PodDisruptionBudgetStatus(Part):
    disruptions_allowed: int = 0
    current_healthy: int = 0
    desired_healthy: int = 0
    expected_pods: int = 0
    observed_generation: int = 0
    disrupted_pods: dict[str, Any] | None = None
    conditions: tuple[Condition, ...] | None = None


class PodDisruptionBudget(KubernetesObject):
    metadata: ManagedMeta = ManagedMeta()
    spec: PodDisruptionBudgetSpec = PodDisruptionBudgetSpec()
    status: PodDisruptionBudgetStatus = PodDisruptionBudgetStatus()
