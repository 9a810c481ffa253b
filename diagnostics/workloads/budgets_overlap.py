"""Several PodDisruptionBudgets select the same pod.

## What it means
The eviction API supports one budget for a pod. With two it refuses every eviction with an internal error (500), whatever
the budgets allow; `kubectl drain` and node upgrades fail on that pod.

## Why it happens
- A chart brings a budget, and another was created by hand or by an operator.
- A budget with an empty selector selects all pods of its namespace.
- The selectors share only the labels of the application, not those of the component.

## How to fix it
1. Keep one budget for each workload: delete the other, or narrow its selector.

## References
- https://kubernetes.io/docs/tasks/run-application/configure-pdb/
"""

from __future__ import annotations

from collections.abc import Iterator

from kubedoctor.answers.draining.budgets import guarded
from kubedoctor.cluster import Cluster, Pod, PodDisruptionBudget, has_path, quote, ref
from kubedoctor.findings import Command, Confidence, Finding, Fix, Severity, diagnostic, kubectl
from kubedoctor.replay.disruption.evictions import guards


def _may_share_pods(budget: PodDisruptionBudget, other: PodDisruptionBudget) -> bool:
    """No label that both selectors name has two values, as it has for most pairs of budgets."""
    selectors = (budget.spec.selector, other.spec.selector)
    first, second = ((selector.match_labels if selector else None) or {} for selector in selectors)
    return all(second.get(key, value) == value for key, value in first.items())


@diagnostic(
    code="KD1207",
    subject=PodDisruptionBudget,
    severity=Severity.WARNING,
    reads=(PodDisruptionBudget, Pod),
    also_known_as=("This pod has more than one PodDisruptionBudget",),
    symptoms=("which the eviction subresource does not support",),
)
def budgets_overlap(budget: PodDisruptionBudget, cluster: Cluster) -> Iterator[Finding]:
    siblings = [
        other
        for other in cluster.all(PodDisruptionBudget, budget.namespace)
        if other.name > budget.name and _may_share_pods(budget, other)
    ]
    if not siblings:
        return
    shared: dict[str, tuple[Pod, PodDisruptionBudget]] = {}
    for pod in guarded(budget, cluster):
        for other in siblings:
            if pod.status.phase == "Running" and guards(other, pod):
                shared.setdefault(other.name, (pod, other))
    for pod, other in shared.values():
        yield Finding(
            about=ref(budget),
            aspect=other.name,
            summary=f"PodDisruptionBudgets {budget.name} and {other.name} both select {ref(pod).title}: "
            "every eviction of it is refused",
            evidence=tuple(
                quote(item, "spec.selector", "") for item in (budget, other) if has_path(item, "spec.selector")
            ),
            confidence=Confidence.CERTAIN,
            affects=(ref(other),),
            fixes=(Fix(f"Keep one of them for these pods: delete {other.name} or narrow one selector"),),
            commands=(
                Command(
                    kubectl("get", "poddisruptionbudgets", namespace=budget.namespace), "all budgets of the namespace"
                ),
            ),
        )
