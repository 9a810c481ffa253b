"""A quota counts what the pods do not state, so they are refused.

## What it means
The namespace has a ResourceQuota for a resource such as `limits.cpu`. From then on every container must say how much
of it it wants; a pod with a container that does not is refused and never exists.

## Why it happens
- The quota was added after the workload, or the workload comes from a chart that sets no requests and limits.
- Only some containers set them: a sidecar or an init container was forgotten.
- There is no LimitRange that would fill in defaults.

## How to fix it
1. Set the named requests or limits on the named containers.
2. Or add a LimitRange with defaults to the namespace: it fills in what pods leave out.

## References
- https://kubernetes.io/docs/concepts/policy/resource-quotas/
- https://kubernetes.io/docs/concepts/policy/limit-range/
"""

from __future__ import annotations

from collections.abc import Iterator

from diagnostics.admission._refused import refused_pods
from kubedoctor.cluster import (
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
    has_path,
    quote,
)
from kubedoctor.cluster.relations.workloads import WORKLOADS
from kubedoctor.findings import Command, Confidence, Effect, Explains, Finding, Fix, Severity, diagnostic
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
    said = refused_pods(workload, cluster)
    if said is None or said.refusal.kind is not AdmissionStep.QUOTA_NEEDS:
        return
    refusal, who = said.refusal, said.workload
    about = Ref("ResourceQuota", workload.namespace, refusal.name)
    quota = cluster.maybe.get(ResourceQuota, workload.namespace, refusal.name)
    evidence = [said.evidence]
    if quota is not None:
        paths = [path for resource in refusal.missing if has_path(quota, path := f"spec.hard[{resource}]")]
        evidence += [quote(quota, path, "counted, so every container must state it") for path in paths]
    told = [
        f"{resource}, which {'container ' + ', '.join(containers) if containers else 'a container'} of {who.title} does not set"
        for resource, containers in refusal.missing.items()
    ]
    yield Finding(
        about=about,
        aspect=f"{who.argument}",
        summary=f"counts {'; '.join(told)}: its pods are refused" if told else refusal.text,
        evidence=tuple(evidence),
        confidence=Confidence.CERTAIN,
        detail=f"{who.title} lacks {said.missing} of its pods.",
        affects=(who,),
        fixes=(
            *(_set(who, resource, containers) for resource, containers in refusal.missing.items()),
            Fix(f"or give namespace {who.namespace} a LimitRange with defaults"),
        ),
        commands=(
            Command(f"kubectl describe resourcequota {about.name}{about.namespace_flag}", "what the quota counts"),
            Command(f"kubectl get {who.argument}{who.namespace_flag} -o yaml", "what the containers set"),
        ),
    )


def _set(who: Ref, resource: str, containers: tuple[str, ...]) -> Fix:
    """The command for a Deployment and its like; the amount is for a person to choose."""
    side, _, name = resource.partition(".")
    summary = f"set {resource} on {', '.join(containers) or 'every container'}"
    if (
        side not in ("requests", "limits")
        or not containers
        or who.kind not in ("Deployment", "StatefulSet", "DaemonSet")
    ):
        return Fix(summary)
    amount = {"cpu": "500m", "memory": "256Mi"}.get(name)
    if amount is None:
        return Fix(summary)
    line = (
        f"kubectl set resources {who.argument}{who.namespace_flag} -c {','.join(containers)} --{side}={name}={amount}"
    )
    return Fix(f"{summary}: {amount} is an example", line, Effect.DISRUPTS)
