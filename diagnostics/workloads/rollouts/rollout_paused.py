"""Deployment is paused.

## What it means
Changes of the pod template are stored but not rolled out until the Deployment is resumed. Running pods continue, and
scaling still works.

## Why it happens
- It was paused for several changes at once, and not resumed.
- A tool for canary or blue-green releases paused it on purpose.

## How to fix it
1. If the pause is not needed: `kubectl rollout resume deployment/NAME`.

## References
- https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#pausing-and-resuming-a-deployment
"""

from __future__ import annotations

from collections.abc import Iterator

from kubedoctor.cluster import Cluster, Deployment, Evidence, ReplicaSet, quote, ref, replica_sets_of
from kubedoctor.cluster.changes import put
from kubedoctor.findings import Command, Confidence, Effect, Finding, Fix, Severity, command_line, diagnostic, rollout


def paused(deployment: Deployment) -> bool:
    """Rollouts are paused."""
    return deployment.spec.paused


@diagnostic(
    code="KD1202",
    subject=Deployment,
    severity=Severity.NOTICE,
    reads=(Deployment, ReplicaSet),
    when=paused,
    symptoms=("DeploymentPaused", "paused"),
)
def rollout_paused(deployment: Deployment, cluster: Cluster) -> Iterator[Finding]:
    sets = replica_sets_of(deployment, cluster.maybe)
    pending, evidence = _not_rolled_out(deployment, sets[0]) if sets else ("", [])
    yield Finding(
        about=ref(deployment),
        summary=f"Deployment is paused{pending}",
        evidence=(quote(deployment, "spec.paused", "rollouts are paused"), *evidence),
        confidence=Confidence.CERTAIN,
        fixes=(
            Fix(
                "Resume the Deployment, if the pause is not intended",
                command_line(put(ref(deployment), ("spec", "paused"), False)),
                Effect.DISRUPTS,
            ),
        ),
        commands=(Command(rollout("history", ref(deployment)), "the revisions"),),
    )


def _not_rolled_out(deployment: Deployment, newest: ReplicaSet) -> tuple[str, list[Evidence]]:
    """An image of the template that is not rolled out."""
    running = {container.name: container.image for container in newest.spec.template.spec.containers}
    for container in deployment.spec.template.spec.containers:
        if container.image and running.get(container.name) not in (None, container.image):
            path = f"spec.template.spec.containers[name={container.name}].image"
            evidence = (
                [quote(deployment, path, "not rolled out"), quote(newest, path, "running")]
                if running[container.name]
                else []
            )
            return f": image {container.image} is not rolled out, {running[container.name]} is running", evidence
    return "", []
