"""A pod needs a ConfigMap that does not exist.

## What it means
The kubelet prepares volumes and variables before it starts a container. The pod names a ConfigMap that is not in its
namespace, so that the container is not made (`CreateContainerConfigError`) or waits at its volumes
(`ContainerCreating`). It starts by itself as soon as the ConfigMap is there.

## Why it happens
- The name has a typo, or the name of the release changed.
- The ConfigMap is in another namespace: pods only see those of their own.
- It was deleted, or is made by a step that has not run.

## How to fix it
1. Create the ConfigMap, or correct the name in the pod's template.
2. If the program can do without it, mark the reference `optional: true`.

## References
- https://kubernetes.io/docs/tasks/configure-pod-container/configure-pod-configmap/
"""

from __future__ import annotations

from collections.abc import Iterator

from diagnostics.pods.configuration._references import absent_objects
from kubedoctor.cluster import Cluster, ConfigMap, Event, Pod
from kubedoctor.cluster.relations.workloads import WORKLOADS
from kubedoctor.cluster.triage import not_ready
from kubedoctor.findings import Finding, Severity, diagnostic
from kubedoctor.findings.containers import CONSEQUENCES


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
