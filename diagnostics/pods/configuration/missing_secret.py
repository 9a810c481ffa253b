"""Secret does not exist (CreateContainerConfigError).

## What it means
The pod refers to a Secret that does not exist in its namespace. If an environment variable needs it, the container is
not created (`CreateContainerConfigError`). If a volume needs it, the pod stays in `ContainerCreating`. The pod starts
by itself as soon as the Secret exists.

## Why it happens
- The name has a typo, or the Secret is in another namespace: a pod can only use Secrets of its own namespace.
- Another component should create it and has not: cert-manager, External Secrets, Sealed Secrets, a Helm hook, the
  operator of a database or a broker (CloudNativePG, Zalando, Strimzi, RabbitMQ, Elastic).
- The Secrets Store CSI driver should create it from a SecretProviderClass: it does so only while a pod mounts the class,
  and `objectName` in `secretObjects` has to be the mounted file: the alias of the object where it has one.
- It was not copied when the application moved to this namespace.

## How to fix it
1. Create the Secret, or correct the name in the pod template.
2. If an operator should create it, check the operator's object: Certificate, ExternalSecret, SealedSecret,
   the cluster of the database.
3. If the program can run without it, set `optional: true` on the reference.

## References
- https://kubernetes.io/docs/concepts/configuration/secret/
"""

from __future__ import annotations

from collections.abc import Iterator

from diagnostics.pods._consequences import CONSEQUENCES
from diagnostics.pods.configuration._creators import CREATORS
from diagnostics.pods.configuration._operators import NAMED_AFTER
from diagnostics.pods.configuration._references import absent_objects
from diagnostics.pods.configuration._secret_store import CLASS
from kubedoctor.cluster import WORKLOADS, Cluster, Event, Pod, Secret, not_ready
from kubedoctor.findings import Finding, Severity, diagnostic


@diagnostic(
    code="KD1011",
    subject=Pod,
    severity=Severity.CRITICAL,
    reads=(Secret, Event, *CREATORS, CLASS, *NAMED_AFTER, *WORKLOADS),
    when=not_ready,
    explains=CONSEQUENCES,
    symptoms=("CreateContainerConfigError", "FailedMount", "ContainerCreating"),
)
def missing_secret(pod: Pod, cluster: Cluster) -> Iterator[Finding]:
    yield from absent_objects(pod, cluster, Secret, "secret", "generic")
