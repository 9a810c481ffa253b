"""A Deployment is paused.

## What it means
Changes of its template are kept, and not rolled out, until it is resumed. What runs goes on running. Scaling works.

## Why it happens
- Somebody paused it to make several changes at once, and has not resumed it.
- A tool for canary or blue-green releases pauses it on purpose.

## How to fix it
1. If nobody needs the pause any more: `kubectl rollout resume`.

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
    if not paused(deployment):
        return
    sets = replica_sets_of(deployment, cluster.maybe)
    told, evidence = _not_rolled_out(deployment, sets[0]) if sets else ("", [])
    yield Finding(
        about=ref(deployment),
        summary=f"is paused{told}",
        evidence=(quote(deployment, "spec.paused", "rollouts wait"), *evidence),
        confidence=Confidence.CERTAIN,
        fixes=(
            Fix(
                "resume it, if the pause is not meant",
                command_line(put(ref(deployment), ("spec", "paused"), False)),
                Effect.DISRUPTS,
            ),
        ),
        commands=(Command(rollout("history", ref(deployment)), "what was rolled out"),),
    )


def _not_rolled_out(deployment: Deployment, newest: ReplicaSet) -> tuple[str, list[Evidence]]:
    """Images of the template that no pod runs yet."""
    running = {container.name: container.image for container in newest.spec.template.spec.containers}
    for container in deployment.spec.template.spec.containers:
        if container.image and running.get(container.name) not in (None, container.image):
            path = f"spec.template.spec.containers[name={container.name}].image"
            evidence = (
                [quote(deployment, path, "wanted"), quote(newest, path, "runs")] if running[container.name] else []
            )
            return f": image {container.image} waits, {running[container.name]} runs", evidence
    return "", []
