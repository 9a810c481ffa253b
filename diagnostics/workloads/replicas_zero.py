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

from kubedoctor.cluster import Cluster, Deployment, KubernetesObject, StatefulSet, quote, ref
from kubedoctor.cluster.changes import scale
from kubedoctor.findings import Command, Confidence, Effect, Explains, Finding, Fix, Severity, command_line, diagnostic


def scaled_to_zero(workload: KubernetesObject) -> bool:
    """The desired number of replicas is 0, and the workload is not being deleted."""
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
    name = f"{ref(workload).argument}{workload.namespace_flag}"
    yield Finding(
        about=ref(workload),
        summary=f"{ref(workload).kind} is scaled to 0 replicas: it runs no pods",
        evidence=(quote(workload, "spec.replicas", "the desired number of pods"),),
        confidence=Confidence.CERTAIN,
        fixes=(
            Fix(
                f"Scale the {ref(workload).kind} up, if it should run",
                command_line(scale(ref(workload), 1)),
                Effect.CHANGES,
            ),
        ),
        commands=(Command(f"kubectl get {name} -o yaml", "who changed it last: add --show-managed-fields"),),
    )
