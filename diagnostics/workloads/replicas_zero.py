"""A workload is scaled to zero.

## What it means
It is meant to run no pod at all. Nothing is broken, but what calls it gets no answer.

## Why it happens
- Somebody scaled it down: for the night, for maintenance, to save money, and it was not scaled up again.
- An autoscaler or an event-driven scaler has no work for it.

## How to fix it
1. If it should run: `kubectl scale --replicas=1`, and see that no tool scales it down again.

## References
- https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#scaling-a-deployment
"""

from __future__ import annotations

from collections.abc import Iterator

from kubedoctor.cluster import Cluster, Deployment, KubernetesObject, StatefulSet, quote, ref
from kubedoctor.cluster.changes import scale
from kubedoctor.findings import Command, Confidence, Effect, Explains, Finding, Fix, Severity, command_line, diagnostic


def scaled_to_zero(workload: KubernetesObject) -> bool:
    """It wants no replica, and is not being deleted."""
    return (
        isinstance(workload, Deployment | StatefulSet)
        and workload.spec.replicas == 0
        and workload.metadata.deletion_timestamp is None
    )


@diagnostic(
    code="KD1203",
    subject=Deployment,
    also_subjects=(StatefulSet,),
    severity=Severity.NOTICE,
    reads=(Deployment, StatefulSet),
    when=scaled_to_zero,
    explains=(Explains("selects", ("KD2001",)),),
    symptoms=("ScalingDisabled", "0/0"),
)
def replicas_zero(workload: KubernetesObject, _: Cluster) -> Iterator[Finding]:
    if not scaled_to_zero(workload):
        return
    name = f"{ref(workload).argument} -n {workload.namespace}"
    yield Finding(
        about=ref(workload),
        summary="is scaled to 0, so none of its pods run",
        evidence=(quote(workload, "spec.replicas", "none is wanted"),),
        confidence=Confidence.CERTAIN,
        fixes=(Fix("scale it up, if it should run", command_line(scale(ref(workload), 1)), Effect.CHANGES),),
        commands=(
            Command(f"kubectl get {name} -o yaml", "who changed it last: see managedFields with --show-managed-fields"),
        ),
    )
