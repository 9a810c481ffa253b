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

from diagnostics.pods._containers import CONSEQUENCES, change, kubectl, look_at_pod
from diagnostics.pods._references import Absent, absent
from kubedoctor.cluster import Cluster, ConfigMap, Event, Pod
from kubedoctor.cluster.nearest import misspellings
from kubedoctor.cluster.relations import WORKLOADS
from kubedoctor.cluster.triage import not_ready
from kubedoctor.findings import Command, Confidence, Finding, Fix, Severity, diagnostic


@diagnostic(
    code="KD1009",
    subject=Pod,
    severity=Severity.CRITICAL,
    reads=(ConfigMap, Event, *WORKLOADS),
    when=not_ready,
    explains=CONSEQUENCES,
)
def missing_config(pod: Pod, cluster: Cluster) -> Iterator[Finding]:
    for one in absent(pod, cluster, ConfigMap):
        yield _finding(pod, one, cluster)


def _finding(pod: Pod, one: Absent, cluster: Cluster) -> Finding:
    name = one.reference.name
    said = f"ConfigMap {name} does not exist in namespace {pod.namespace}"
    if one.reference.volume:
        said += f", so that volume {one.reference.volume} cannot be mounted"
    near = misspellings(name, (config.name for config in cluster.maybe.all(ConfigMap, pod.namespace)), 1)
    create = kubectl("create", "configmap", name, "--from-literal=KEY=VALUE", namespace=pod.namespace)
    fixes = [Fix(f"Create ConfigMap {name} with what the program expects", create)]
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
            Command(kubectl("get", "configmaps", namespace=pod.namespace), "the ConfigMaps that there are"),
            look_at_pod(pod, "what the pod waits for"),
        ),
        aspect=name,
    )
