"""Workload is scaled to 0.

## What it means
The desired number of pods is 0. Nothing is broken, but clients get no answer.

## Why it happens
- It was scaled down, for example for the night or for maintenance, and not scaled up again.
- An event-driven autoscaler (such as KEDA) has no work for it.

## How to fix it
1. If it should run: `kubectl scale --replicas=1`, and check that no tool scales it down again.

## References
- https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#scaling-a-deployment
"""

from __future__ import annotations

from collections.abc import Iterator

from kubedoctor.cluster import (
    Cluster,
    Deployment,
    HorizontalPodAutoscaler,
    KubernetesObject,
    OwnerReference,
    Ref,
    StatefulSet,
    autoscalers_of,
    controlling_owner,
    quote,
    ref,
)
from kubedoctor.cluster.changes import scale
from kubedoctor.findings import Command, Confidence, Effect, Explains, Finding, Fix, Severity, command_line, diagnostic


def scaled_to_zero(workload: KubernetesObject) -> bool:
    """The desired number of replicas is 0, and the workload is not being deleted."""
    return (
        isinstance(workload, Deployment | StatefulSet)
        and workload.spec.replicas == 0
        and workload.metadata.deletion_timestamp is None
    )


def _detail(autoscaler: HorizontalPodAutoscaler | None, owner: OwnerReference | None) -> str:
    if autoscaler is None:
        return ""
    if owner is not None:
        return f"{owner.kind} {autoscaler.namespace}/{owner.name} decides how many pods it has, zero included."
    return f"{ref(autoscaler).title} does not raise it: an autoscaler is disabled while its target has 0 replicas."


def _up(workload: Ref, autoscaler: HorizontalPodAutoscaler | None) -> Fix:
    """An autoscaler continues from its minimum once there is a pod."""
    replicas = max(1, autoscaler.spec.min_replicas or 1) if autoscaler else 1
    line = command_line(scale(workload, replicas))
    return Fix(f"Scale the {workload.kind} up, if it should run", line, Effect.CHANGES)


@diagnostic(
    code="KD1203",
    subject=Deployment,
    also_subjects=(StatefulSet,),
    severity=Severity.NOTICE,
    reads=(Deployment, StatefulSet, HorizontalPodAutoscaler),
    when=scaled_to_zero,
    explains=(Explains("selects", ("KD2001",)),),
    symptoms=("ScalingDisabled", "0/0"),
)
def replicas_zero(workload: KubernetesObject, cluster: Cluster) -> Iterator[Finding]:
    name = f"{ref(workload).argument}{workload.namespace_flag}"
    autoscaler = next(iter(autoscalers_of(ref(workload), cluster)), None)
    owner = controlling_owner(autoscaler) if autoscaler else None
    yield Finding(
        about=ref(workload),
        summary=f"{ref(workload).kind} is scaled to 0 replicas: it runs no pods",
        evidence=(
            quote(workload, "spec.replicas", "the desired number of pods"),
            *((quote(autoscaler, "spec.scaleTargetRef.name", "it scales this"),) if autoscaler else ()),
        ),
        confidence=Confidence.CERTAIN,
        detail=_detail(autoscaler, owner),
        fixes=() if owner else (_up(ref(workload), autoscaler),),
        commands=(Command(f"kubectl get {name} -o yaml", "who changed it last: add --show-managed-fields"),),
    )
