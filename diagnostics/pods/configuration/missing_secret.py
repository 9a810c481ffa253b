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

from diagnostics.pods.configuration._references import absent_objects
from kubedoctor.cluster import Cluster, Event, Pod, Secret
from kubedoctor.cluster.relations.workloads import WORKLOADS
from kubedoctor.cluster.triage import not_ready
from kubedoctor.findings import Finding, Severity, diagnostic
from kubedoctor.findings.containers import CONSEQUENCES


@diagnostic(
    code="KD1011",
    subject=Pod,
    severity=Severity.CRITICAL,
    reads=(Secret, Event, *WORKLOADS),
    when=not_ready,
    explains=CONSEQUENCES,
    symptoms=("CreateContainerConfigError", "FailedMount", "ContainerCreating"),
)
def missing_secret(pod: Pod, cluster: Cluster) -> Iterator[Finding]:
    yield from absent_objects(pod, cluster, Secret, "secret", "generic")
