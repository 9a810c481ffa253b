"""ResourceQuota requires requests or limits that the pods do not set.

## What it means
The namespace has a ResourceQuota for a resource such as `limits.cpu`. Every container must then set it; the
API server refuses a pod with a container that does not, so the pod never exists.

## Why it happens
- The quota was created after the workload, or the workload comes from a chart without requests and limits.
- Only some containers set them: a sidecar or an init container was forgotten.
- The namespace has no LimitRange with defaults.

## How to fix it
1. Set the named requests or limits on the named containers.
2. Or create a LimitRange with defaults in the namespace: it sets what the pods leave out.

## References
- https://kubernetes.io/docs/concepts/policy/resource-quotas/
- https://kubernetes.io/docs/concepts/policy/limit-range/
"""

from __future__ import annotations

from collections.abc import Iterator

from diagnostics.admission._refused import refused_pods
from kubedoctor.cluster import (
    WORKLOADS,
    Cluster,
    DaemonSet,
    Event,
    Job,
    KubernetesObject,
    Pod,
    Ref,
    ReplicaSet,
    ResourceQuota,
    StatefulSet,
    counted,
    has_path,
    quote,
)
from kubedoctor.findings import (
    Command,
    Confidence,
    Effect,
    Explains,
    Finding,
    Fix,
    Severity,
    container_command,
    diagnostic,
    kubectl,
)
from kubedoctor.replay.admission.refusals import AdmissionStep
from kubedoctor.replay.workloads.missing_pods import lacks_pods


@diagnostic(
    code="KD5102",
    subject=ReplicaSet,
    also_subjects=(StatefulSet, DaemonSet, Job),
    severity=Severity.CRITICAL,
    reads=(ResourceQuota, Pod, Event, *WORKLOADS),
    when=lacks_pods,
    explains=(Explains("same"),),
    also_known_as=("failed quota", "must specify"),
    symptoms=("ReplicaFailure", "FailedCreate", "forbidden"),
)
def quota_needs_requests(workload: KubernetesObject, cluster: Cluster) -> Iterator[Finding]:
    refused = refused_pods(workload, cluster)
    if refused is None or refused.refusal.kind is not AdmissionStep.QUOTA_NEEDS:
        return
    refusal, who = refused.refusal, refused.workload
    about = Ref("ResourceQuota", workload.namespace, refusal.name)
    quota = cluster.maybe.get(ResourceQuota, workload.namespace, refusal.name)
    evidence = [refused.evidence]
    if quota is not None:
        paths = [path for resource in refusal.missing if has_path(quota, path := f"spec.hard[{resource}]")]
        evidence += [quote(quota, path, "in the quota, so every container must set it") for path in paths]
    unset = [_unset(resource, containers, who) for resource, containers in refusal.missing.items()]
    yield Finding(
        about=about,
        aspect=f"{who.argument}",
        summary=f"the quota requires {'; '.join(unset)}: the pods are refused" if unset else refusal.text,
        evidence=tuple(evidence),
        confidence=Confidence.CERTAIN,
        detail=f"{who.title} is missing {counted(refused.missing, 'pod')}.",
        affects=(who,),
        fixes=(
            *(_set(who, resource, containers, cluster) for resource, containers in refusal.missing.items()),
            Fix(f"Or create a LimitRange with defaults in namespace {who.namespace}"),
        ),
        commands=(
            Command(
                kubectl("describe", "resourcequota", about.name, namespace=about.namespace),
                "the resources that the quota limits",
            ),
            Command(
                kubectl("get", who.argument, "-o", "yaml", namespace=who.namespace),
                "requests and limits of the containers",
            ),
        ),
    )


def _unset(resource: str, containers: tuple[str, ...], who: Ref) -> str:
    named = _named(containers) if containers else "a container"
    return f"{resource}, which {named} of {who.title} {'do' if len(containers) > 1 else 'does'} not set"


def _named(containers: tuple[str, ...]) -> str:
    if not containers:
        return "every container"
    return f"{'container' if len(containers) == 1 else 'containers'} {', '.join(containers)}"


def _set(who: Ref, resource: str, containers: tuple[str, ...], cluster: Cluster) -> Fix:
    """With a command for Deployments, StatefulSets and DaemonSets; the amount is an example."""
    side, _, name = resource.partition(".")
    summary = f"Set {resource} on {_named(containers)}"
    if (
        side not in ("requests", "limits")
        or not containers
        or who.kind not in ("Deployment", "StatefulSet", "DaemonSet")
    ):
        return Fix(summary)
    amount = {"cpu": "500m", "memory": "256Mi"}.get(name)
    if amount is None:
        return Fix(summary)
    line = container_command(cluster.maybe.get_ref(who), containers, ("resources", side, name), amount)
    return Fix(f"{summary}, for example {amount}", line, Effect.DISRUPTS)
