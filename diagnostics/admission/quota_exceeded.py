"""A quota of the namespace is used up, so pods are not created.

## What it means
The namespace has a ResourceQuota, and one more pod would go over it. The API server refuses the pod: it does not
exist at all, not even as Pending, and the workload stays at 0 or fewer replicas than it wants.

## Why it happens
- The quota is too small for what runs in the namespace, or for the surge of a rolling update.
- Pods that nobody needs any more use it up: old Jobs, forgotten Deployments, a test that was scaled up.
- Requests or limits are larger than they need be.

## How to fix it
1. See what uses the quota: `kubectl describe resourcequota` shows used and hard.
2. Scale down or delete what is not needed, or ask for less.
3. Otherwise raise the quota. The controller tries again by itself, after some minutes at most.

## References
- https://kubernetes.io/docs/concepts/policy/resource-quotas/
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from diagnostics.admission._refused import refused_pods, silent_lack, top
from kubedoctor.cluster import (
    Cluster,
    DaemonSet,
    Event,
    Evidence,
    Job,
    KubernetesObject,
    Pod,
    Ref,
    ReplicaSet,
    ResourceQuota,
    StatefulSet,
    has_path,
    quote,
    ref,
)
from kubedoctor.cluster.relations.workloads import WORKLOADS, template_of
from kubedoctor.findings import Command, Confidence, Effect, Explains, Finding, Fix, Severity, diagnostic
from kubedoctor.replay.admission.quotas import pod_usage, would_exceed
from kubedoctor.replay.admission.refusals import AdmissionStep
from kubedoctor.replay.workloads.missing_pods import lacks_pods


@diagnostic(
    code="KD5101",
    subject=ReplicaSet,
    also_subjects=(StatefulSet, DaemonSet, Job),
    severity=Severity.CRITICAL,
    reads=(ResourceQuota, Pod, Event, *WORKLOADS),
    when=lacks_pods,
    explains=(Explains("same"),),
    also_known_as=("exceeded quota",),
    symptoms=("ReplicaFailure", "FailedCreate", "forbidden"),
)
def quota_exceeded(workload: KubernetesObject, cluster: Cluster) -> Iterator[Finding]:
    said = refused_pods(workload, cluster)
    if said is None:
        if silent_lack(workload, cluster):
            yield from _computed(workload, cluster)
        return
    refusal = said.refusal
    if refusal.kind is not AdmissionStep.QUOTA_EXCEEDED:
        return
    name = Ref("ResourceQuota", workload.namespace, refusal.name)
    quota = cluster.maybe.get(ResourceQuota, workload.namespace, refusal.name)
    told = [
        f"{resource}: {refusal.used.get(resource, '?')} of {refusal.limited.get(resource, '?')} used, {asked} more asked for"
        for resource, asked in refusal.requested.items()
    ]
    yield _finding(
        name,
        "; ".join(told) or refusal.text,
        (said.evidence, *_amounts(quota, refusal.requested)),
        said.workload,
        Confidence.CERTAIN,
        f"{said.workload.title} lacks {said.missing} of its pods: the API server refuses each one because of quota {refusal.name}.",
    )


def _computed(workload: KubernetesObject, cluster: Cluster) -> Iterator[Finding]:
    """Nobody says why the pods are missing: would they go over a quota?"""
    template = template_of(workload)
    if template is None:
        return
    usage = pod_usage(template.spec)
    for quota in cluster.maybe.all(ResourceQuota, workload.namespace):
        over = would_exceed(quota, usage)
        if not over:
            continue
        told = [f"{one.resource}: {one.used} of {one.hard} used, {one.needed} more needed" for one in over]
        amounts = _amounts(quota, [one.resource for one in over])
        asked = quote(workload, "spec.template.spec.containers", "what each missing pod asks for")
        who = top(workload, cluster)
        detail = f"{who.title} lacks pods, and one more would go over the quota."
        yield _finding(ref(quota), "; ".join(told), (*amounts, asked), who, Confidence.LIKELY, detail)


def _amounts(quota: ResourceQuota | None, resources: Iterable[str]) -> tuple[Evidence, ...]:
    if quota is None:
        return ()
    paths = [f"status.{side}[{resource}]" for resource in resources for side in ("used", "hard")]
    return tuple(quote(quota, path, "") for path in paths if has_path(quota, path))


def _finding(
    quota: Ref, summary: str, evidence: tuple[Evidence, ...], who: Ref, confidence: Confidence, detail: str
) -> Finding:
    where = quota.namespace_flag
    return Finding(
        about=quota,
        summary=summary,
        evidence=evidence,
        confidence=confidence,
        detail=detail,
        affects=(who,),
        fixes=(
            Fix("free what is not needed in the namespace, or ask for less"),
            Fix("or raise the quota", f"kubectl edit resourcequota {quota.name}{where}", Effect.CHANGES),
        ),
        commands=(
            Command(f"kubectl describe resourcequota {quota.name}{where}", "used and hard, by resource"),
            Command(f"kubectl get pods{where} --sort-by=.metadata.creationTimestamp", "what uses it"),
        ),
    )
