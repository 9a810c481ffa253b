"""PodDisruptionBudget lets no pod be evicted.

## What it means
The budget needs as many healthy pods as there are, so the eviction API refuses every eviction. `kubectl drain` repeats its
request every 5 seconds and never ends; node upgrades and scale-downs of the cluster wait, too.

## Why it happens
- `minAvailable` is the number of replicas (often both are 1), or 100%; `maxUnavailable` is 0.
- The controller of a selected pod has no number of replicas, so the budget cannot be computed.

## How to fix it
1. Let one pod go at a time: `maxUnavailable: 1`. With a single replica this means a short interruption.
2. Run more replicas than the budget needs.
3. `kubedoctor can-drain NODE` shows what a drain would do.

## References
- https://kubernetes.io/docs/tasks/run-application/configure-pdb/
- https://kubernetes.io/docs/concepts/workloads/pods/disruptions/
"""

from __future__ import annotations

from collections.abc import Iterator

from kubedoctor.answers.draining.budgets import budget_fixes, current, guarded, refusal_of, rule_path
from kubedoctor.cluster import (
    Cluster,
    Deployment,
    HorizontalPodAutoscaler,
    Node,
    Pod,
    PodDisruptionBudget,
    ReplicaSet,
    StatefulSet,
    has_path,
    listed,
    quote,
    ref,
)
from kubedoctor.findings import Command, Confidence, Finding, Severity, diagnostic, kubectl, own_command

_STATUS = ("status.expectedPods", "status.desiredHealthy", "status.currentHealthy")


def allows_nothing(budget: PodDisruptionBudget) -> bool:
    """No eviction is allowed now, and there are pods."""
    return budget.status.disruptions_allowed <= 0 and budget.metadata.deletion_timestamp is None


@diagnostic(
    code="KD1206",
    subject=PodDisruptionBudget,
    severity=Severity.WARNING,
    reads=(PodDisruptionBudget, Pod, Node, Deployment, ReplicaSet, StatefulSet, HorizontalPodAutoscaler),
    when=allows_nothing,
    also_known_as=("Cannot evict pod as it would violate the pod's disruption budget",),
    symptoms=("DisruptionAllowed", "InsufficientPods", "drain"),
)
def budget_blocks_drain(budget: PodDisruptionBudget, cluster: Cluster) -> Iterator[Finding]:
    """Only a notice while no node of its pods is cordoned: many budgets are meant so."""
    numbers = current(budget, cluster)
    if numbers.ever or (numbers.expected <= 0 and not numbers.problem):
        return
    pods = [pod for pod in guarded(budget, cluster.maybe) if pod.status.phase == "Running"]
    unseen = any(gap.kind == "Pod" for gap in cluster.gaps)
    if not pods and not unseen:
        return
    nodes = sorted({pod.spec.node_name for pod in pods if pod.spec.node_name})
    cordoned = [
        name for name in nodes if (node := cluster.maybe.get(Node, "", name)) is not None and node.spec.unschedulable
    ]
    waits = f", so a drain of {listed(cordoned, 2)} does not end" if cordoned else ""
    paths = (rule_path(budget), *(() if numbers.problem else _STATUS))
    yield Finding(
        about=ref(budget),
        severity=None if cordoned else Severity.NOTICE,
        summary=f"PodDisruptionBudget {refusal_of(budget, numbers)}{waits}",
        evidence=tuple(quote(budget, path, "") for path in paths if has_path(budget, path)),
        confidence=Confidence.LIKELY if unseen else Confidence.CERTAIN,
        fixes=tuple(budget_fixes(budget, cluster.maybe)),
        commands=(
            *(
                Command(own_command("can-drain", node), "what a drain of its node would do")
                for node in (cordoned or nodes)[:1]
            ),
            Command(kubectl("get", "poddisruptionbudgets", namespace=budget.namespace), "all budgets of the namespace"),
        ),
    )
