"""HorizontalPodAutoscaler is pinned: minReplicas equals maxReplicas.

## What it means
The autoscaler may have one number of pods only, so it never scales, whatever the load is. It also sets that number again
after somebody else has changed it.

## Why it happens
- It was pinned for an incident, a load test or a sale, and not released.
- Minimum and maximum were raised one after the other until they met.
- The number is meant to be fixed: then `spec.replicas` alone says so too.

## How to fix it
1. If it should scale, lower `spec.minReplicas` or raise `spec.maxReplicas`.
2. If the number is meant to be fixed, delete the autoscaler and set `spec.replicas`.

## References
- https://kubernetes.io/docs/tasks/run-application/horizontal-pod-autoscale/
"""

from __future__ import annotations

from collections.abc import Iterator

from diagnostics.autoscaling.limits._limited import limited_above
from kubedoctor.cluster import Cluster, HorizontalPodAutoscaler, controlling_owner, has_path, quote, ref, target_of
from kubedoctor.findings import Command, Confidence, Finding, Fix, Severity, diagnostic


def pinned(autoscaler: HorizontalPodAutoscaler) -> bool:
    """Its minimum is its maximum. One that states that it is limited by it is reported as held at its maximum."""
    least, most = autoscaler.spec.min_replicas, autoscaler.spec.max_replicas
    deleted = autoscaler.metadata.deletion_timestamp is not None
    return (1 if least is None else least) == most > 0 and not deleted and not limited_above(autoscaler)


@diagnostic(
    code="KD1305",
    subject=HorizontalPodAutoscaler,
    severity=Severity.NOTICE,
    reads=(HorizontalPodAutoscaler,),
    when=pinned,
    symptoms=("minReplicas", "maxReplicas"),
)
def autoscaler_pinned(autoscaler: HorizontalPodAutoscaler, _: Cluster) -> Iterator[Finding]:
    most, owner = autoscaler.spec.max_replicas, controlling_owner(autoscaler)
    where = f" in {owner.kind} {owner.name}, which owns it" if owner is not None else ""
    yield Finding(
        about=ref(autoscaler),
        summary=f"HorizontalPodAutoscaler never scales {target_of(autoscaler).title}: minReplicas and maxReplicas are "
        f"both {most}",
        evidence=(
            quote(autoscaler, "spec.maxReplicas", ""),
            *((quote(autoscaler, "spec.minReplicas", "the same"),) if has_path(autoscaler, "spec.minReplicas") else ()),
        ),
        confidence=Confidence.CERTAIN,
        fixes=(Fix(f"Lower minReplicas or raise maxReplicas{where}, if it should scale"),),
        commands=(Command(ref(autoscaler).describe_command, "its metrics, conditions and events"),),
    )
