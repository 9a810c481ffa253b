"""ConfigMap does not exist (CreateContainerConfigError).

## What it means
The kubelet prepares volumes and environment variables before it starts a container. The pod refers to a ConfigMap that
does not exist in its namespace. The container is not created (`CreateContainerConfigError`), or the pod waits for its
volumes (`ContainerCreating`). The pod starts by itself as soon as the ConfigMap exists.

## Why it happens
- The name has a typo, or the release name changed.
- The ConfigMap is in another namespace: a pod can only use ConfigMaps of its own namespace.
- It was deleted, or the step that creates it has not run.

## How to fix it
1. Create the ConfigMap, or correct the name in the pod template.
2. If the program can run without it, set `optional: true` on the reference.

## References
- https://kubernetes.io/docs/tasks/configure-pod-container/configure-pod-configmap/
"""

from __future__ import annotations

from collections.abc import Iterator

from diagnostics.pods._consequences import CONSEQUENCES
from diagnostics.pods.configuration._references import absent_objects
from kubedoctor.cluster import WORKLOADS, Cluster, ConfigMap, Event, Pod, not_ready
from kubedoctor.findings import Finding, Severity, diagnostic


@diagnostic(
    code="KD1009",
    subject=Pod,
    severity=Severity.CRITICAL,
    reads=(ConfigMap, Event, *WORKLOADS),
    when=not_ready,
    explains=CONSEQUENCES,
    symptoms=("CreateContainerConfigError", "FailedMount", "ContainerCreating"),
)
def missing_config(pod: Pod, cluster: Cluster) -> Iterator[Finding]:
    yield from absent_objects(pod, cluster, ConfigMap, "configmap")
