"""Several HorizontalPodAutoscalers scale the same workload.

## What it means
Two autoscalers control the same pods. Since Kubernetes 1.26 neither of them scales (AmbiguousSelector); before, each undid
what the other did.

## Why it happens
- One was created by hand (`kubectl autoscale`), another by a chart or by KEDA.
- An autoscaler was renamed, and the old one was left behind.
- The selectors of two workloads match the same pods.

## How to fix it
1. Keep one, with all the metrics in its `spec.metrics`.
2. Delete the others. A ScaledObject of KEDA creates an autoscaler of its own: keep either.

## References
- https://kubernetes.io/docs/tasks/run-application/horizontal-pod-autoscale/
"""

from __future__ import annotations

from collections.abc import Iterator

from kubedoctor.cluster import Cluster, HorizontalPodAutoscaler, condition, has_path, quote, ref, target_of
from kubedoctor.cluster.changes import delete
from kubedoctor.findings import Command, Confidence, Effect, Finding, Fix, Severity, command_line, diagnostic, kubectl

_ACTIVE = "status.conditions[type=ScalingActive]"


@diagnostic(
    code="KD1304",
    subject=HorizontalPodAutoscaler,
    severity=Severity.WARNING,
    reads=(HorizontalPodAutoscaler,),
    also_known_as=("AmbiguousSelector",),
    symptoms=("controlled by more than one HPA", "controlled by multiple HPAs"),
)
def several_autoscalers(autoscaler: HorizontalPodAutoscaler, cluster: Cluster) -> Iterator[Finding]:
    active = condition(autoscaler.status.conditions, "ScalingActive")
    ambiguous = active is not None and active.status == "False" and active.reason == "AmbiguousSelector"
    target = target_of(autoscaler)
    rivals = [
        other
        for other in cluster.all(HorizontalPodAutoscaler, autoscaler.namespace)
        if other.spec.scale_target_ref.name == target.name
        and target_of(other) == target
        and other.metadata.deletion_timestamp is None
    ]
    first = min(rivals, key=_age, default=autoscaler)
    if len(rivals) < 2 and not ambiguous:
        return
    if len(rivals) > 1 and first.name != autoscaler.name:
        return
    others = [other for other in rivals if other.name != autoscaler.name]
    names = ", ".join(other.name for other in others)
    reason = (
        f"{autoscaler.name} and {names} scale the same {target.title}" if others else "another selects the same pods"
    )
    stops = ", so none of them scales" if ambiguous else ""
    yield Finding(
        about=ref(autoscaler),
        summary=f"Several HorizontalPodAutoscalers: {reason}{stops}",
        evidence=(
            quote(autoscaler, "spec.scaleTargetRef.name", ""),
            *(quote(other, "spec.scaleTargetRef.name", "") for other in others),
            *(
                (quote(autoscaler, f"{_ACTIVE}.message", "the controller's message"),)
                if ambiguous and has_path(autoscaler, f"{_ACTIVE}.message")
                else ()
            ),
        ),
        confidence=Confidence.CERTAIN,
        affects=(target, *map(ref, others)),
        fixes=tuple(
            Fix(
                f"Keep one: delete {other.name}, if {autoscaler.name} has all the metrics",
                command_line(delete(ref(other)), other),
                Effect.CHANGES,
            )
            for other in others
            if not other.metadata.owner_references
        ),
        commands=(Command(kubectl("get", "horizontalpodautoscalers", namespace=autoscaler.namespace), "all of them"),),
    )


def _age(autoscaler: HorizontalPodAutoscaler) -> tuple[float, str]:
    created = autoscaler.metadata.creation_timestamp
    return (created.timestamp() if created else 0.0, autoscaler.name)
