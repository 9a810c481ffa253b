"""A pod needs a Secret that does not exist.

## What it means
The pod names a Secret that is not in its namespace. As a variable it stops the container from being made
(`CreateContainerConfigError`); as a volume it leaves the pod in `ContainerCreating`. The pod starts by itself as soon
as the Secret is there.

## Why it happens
- The name has a typo, or the Secret is in another namespace: pods only see those of their own.
- It is made by something else that has not done so: cert-manager, External Secrets, Sealed Secrets, a Helm hook.
- It was not copied when the application moved to this namespace.

## How to fix it
1. Create the Secret, or correct the name in the pod's template.
2. If an operator should make it, look at that operator's object: Certificate, ExternalSecret, SealedSecret.
3. If the program can do without it, mark the reference `optional: true`.

## References
- https://kubernetes.io/docs/concepts/configuration/secret/
"""

from __future__ import annotations

from collections.abc import Iterator

from diagnostics.pods._containers import CONSEQUENCES, change, kubectl, look_at_pod
from diagnostics.pods._references import Absent, absent
from kubedoctor.cluster import Cluster, Event, Pod, Secret
from kubedoctor.cluster.nearest import misspellings
from kubedoctor.cluster.relations import WORKLOADS
from kubedoctor.cluster.triage import not_ready
from kubedoctor.findings import Command, Confidence, Finding, Fix, Severity, diagnostic


@diagnostic(
    code="KD1011",
    subject=Pod,
    severity=Severity.CRITICAL,
    reads=(Secret, Event, *WORKLOADS),
    when=not_ready,
    explains=CONSEQUENCES,
)
def missing_secret(pod: Pod, cluster: Cluster) -> Iterator[Finding]:
    for one in absent(pod, cluster, Secret):
        yield _finding(pod, one, cluster)


def _finding(pod: Pod, one: Absent, cluster: Cluster) -> Finding:
    name = one.reference.name
    said = f"Secret {name} does not exist in namespace {pod.namespace}"
    if one.reference.volume:
        said += f", so that volume {one.reference.volume} cannot be mounted"
    near = misspellings(name, (secret.name for secret in cluster.maybe.all(Secret, pod.namespace)), 1)
    create = kubectl("create", "secret", "generic", name, "--from-literal=KEY=VALUE", namespace=pod.namespace)
    fixes = [Fix(f"Create Secret {name} with what the program expects", create)]
    if near:
        said += f"; did you mean {near[0]}?"
        fixes.insert(0, change(one.about, f"Name {near[0]} instead"))
    return Finding(
        about=one.about,
        summary=said,
        confidence=Confidence.CERTAIN if one.stated else Confidence.LIKELY,
        evidence=one.evidence,
        fixes=tuple(fixes),
        commands=(
            Command(kubectl("get", "secrets", namespace=pod.namespace), "the Secrets that there are"),
            look_at_pod(pod, "what the pod waits for"),
        ),
        aspect=name,
    )
