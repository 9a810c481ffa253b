"""ResourceQuota is exceeded, so pods are not created.

## What it means
The namespace has a ResourceQuota, and one more pod would exceed it. The API server refuses the pod: it does not exist,
not even as Pending, and the workload has fewer replicas than desired.

## Why it happens
- The quota is too small for what runs in the namespace, or for the surge of a rolling update.
- Unused pods count against the quota: old Jobs, forgotten Deployments, a test that was scaled up.
- Requests or limits are larger than needed.

## How to fix it
1. See what uses the quota: `kubectl describe resourcequota` shows `Used` and `Hard`.
2. Scale down or delete unused workloads, or lower the requests.
3. Otherwise raise the quota. The controller retries by itself, within 16 minutes.

## References
- https://kubernetes.io/docs/concepts/policy/resource-quotas/
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from msgspec import convert

from diagnostics.admission._refused import TRIES_AGAIN, RefusedPods, missing_without_message, refused_pods
from kubedoctor.answers.rollouts.quota import old_pod_first_in_quota, waits_for_quota
from kubedoctor.answers.rollouts.strategy import none_may_go
from kubedoctor.cluster import (
    WORKLOADS,
    Cluster,
    DaemonSet,
    Event,
    Evidence,
    Job,
    KubernetesObject,
    PersistentVolumeClaim,
    Pod,
    Ref,
    ReplicaSet,
    ResourceQuota,
    StatefulSet,
    counted,
    has_path,
    quote,
    ref,
    template_of,
    workload_of,
)
from kubedoctor.findings import (
    Command,
    Confidence,
    Effect,
    Explains,
    Finding,
    Fix,
    Severity,
    diagnostic,
    edit_command,
    kubectl,
)
from kubedoctor.replay.admission.refusals import AdmissionStep
from kubedoctor.replay.admission.resources.quotas import exceeded, matches, pod_usage, usage_of, would_exceed
from kubedoctor.replay.scheduler.requests import amounts
from kubedoctor.replay.workloads.missing_pods import lacks_pods
from kubedoctor.replay.workloads.stateful_sets import first_ordinal


@diagnostic(
    code="KD5101",
    subject=ReplicaSet,
    also_subjects=(StatefulSet, DaemonSet, Job),
    severity=Severity.CRITICAL,
    reads=(ResourceQuota, PersistentVolumeClaim, Pod, Event, *WORKLOADS),
    when=lacks_pods,
    explains=(Explains("same"),),
    also_known_as=("exceeded quota",),
    symptoms=("ReplicaFailure", "FailedCreate", "forbidden"),
)
def quota_exceeded(workload: KubernetesObject, cluster: Cluster) -> Iterator[Finding]:
    refused = refused_pods(workload, cluster)
    if refused is None:
        if missing_without_message(workload, cluster):
            yield from _computed(workload, cluster)
        return
    refusal = refused.refusal
    if refusal.kind is not AdmissionStep.QUOTA_EXCEEDED:
        return
    name = Ref("ResourceQuota", workload.namespace, refusal.name)
    quota = cluster.maybe.get(ResourceQuota, workload.namespace, refusal.name)
    if quota is not None and _has_room(quota, refusal.requested):
        yield _room_now(quota, refused)
        return
    over = [
        _over(resource, refusal.used.get(resource, "?"), refusal.limited.get(resource, "?"), requested, refusal.claim)
        for resource, requested in refusal.requested.items()
    ]
    yield _finding(
        name,
        "; ".join(over) or refusal.text,
        (refused.evidence, *_amounts(quota, refusal.requested)),
        refused.workload,
        Confidence.CERTAIN,
        f"{refused.workload.title} is missing {counted(refused.missing, 'pod')}: the API server refuses"
        f" {f'claim {refusal.claim}' if refusal.claim else 'each pod'} because of ResourceQuota {refusal.name}.",
        _of_a_rollout(refused.workload, quota, cluster),
        refusal.claim,
    )


def _has_room(quota: ResourceQuota, requested: Mapping[str, str]) -> bool:
    """Whether what was refused fits now, by amounts that are all known."""
    used, hard, asked = (amounts(texts) for texts in (quota.status.used, quota.status.hard, requested))
    known = bool(asked) and len(asked) == len(requested) and asked.keys() <= used.keys() & hard.keys()
    return known and all(used[name] + amount <= hard[name] for name, amount in asked.items())


def _room_now(quota: ResourceQuota, refused: RefusedPods) -> Finding:
    refusal, who = refused.refusal, refused.workload
    used, hard = amounts(quota.status.used), amounts(quota.status.hard)
    what = f"claim {refusal.claim}" if refusal.claim else "one more pod"
    room = "; ".join(
        f"{name}: {used[name]} of {hard[name]} used, {what} needs {amount}"
        for name, amount in refusal.requested.items()
    )
    return Finding(
        about=ref(quota),
        severity=Severity.WARNING,
        summary=f"quota refused {what}, and has room now ({room})",
        evidence=(refused.evidence, *_amounts(quota, refusal.requested)),
        confidence=Confidence.LIKELY,
        detail=f"{who.title} is missing {counted(refused.missing, 'pod')}.",
        affects=(who,),
        fixes=(TRIES_AGAIN,),
        commands=(Command(ref(quota).describe_command, "used and hard for each resource"),),
    )


def _computed(workload: KubernetesObject, cluster: Cluster) -> Iterator[Finding]:
    """The quotas that one more pod would exceed, where no message says why pods are missing."""
    template = template_of(workload)
    if template is None:
        return
    usage = pod_usage(template.spec)
    claims = tuple(_claims_to_come(workload, cluster)) if isinstance(workload, StatefulSet) else ()
    for quota in cluster.maybe.all(ResourceQuota, workload.namespace):
        for claim in claims:
            if of_claim := exceeded(quota, usage_of(claim)) if matches(quota, claim) else ():
                who = workload_of(workload, cluster)
                yield _finding(
                    ref(quota),
                    "; ".join(_over(use.resource, use.used, use.hard, use.needed, claim.name) for use in of_claim),
                    _amounts(quota, [use.resource for use in of_claim]),
                    who,
                    Confidence.LIKELY,
                    f"{who.title} is missing pods, and claim {claim.name} of the next one would exceed the quota.",
                    claim=claim.name,
                )
        over = would_exceed(quota, usage, template.spec)
        if not over:
            continue
        excess = [_over(use.resource, use.used, use.hard, use.needed) for use in over]
        shown = _amounts(quota, [use.resource for use in over])
        requests = quote(workload, "spec.template.spec.containers", "requests and limits of each missing pod")
        who = workload_of(workload, cluster)
        detail = f"{who.title} is missing pods, and one more pod would exceed the quota."
        yield _finding(ref(quota), "; ".join(excess), (*shown, requests), who, Confidence.LIKELY, detail)


def _claims_to_come(workload: StatefulSet, cluster: Cluster) -> Iterator[PersistentVolumeClaim]:
    """The claims of the next pod that do not exist yet."""
    ordinal = first_ordinal(workload) + workload.status.replicas
    for template in workload.spec.volume_claim_templates or ():
        name = f"{template.metadata.name}-{workload.name}-{ordinal}"
        exists = cluster.maybe.get(PersistentVolumeClaim, workload.namespace, name) is not None
        if not exists and all(gap.kind != PersistentVolumeClaim.__name__ for gap in cluster.gaps):
            metadata = {"name": name, "namespace": workload.namespace}
            yield convert({"metadata": metadata, "spec": template.spec or {}}, PersistentVolumeClaim)


def _over(resource: str, used: object, hard: object, more: object, claim: str = "") -> str:
    return f"{resource}: {used} of {hard} used, {f'claim {claim}' if claim else 'one more pod'} needs {more}"


def _amounts(quota: ResourceQuota | None, resources: Iterable[str]) -> tuple[Evidence, ...]:
    if quota is None:
        return ()
    paths = [f"status.{side}[{resource}]" for resource in resources for side in ("used", "hard")]
    return tuple(quote(quota, path, "") for path in paths if has_path(quota, path))


def _of_a_rollout(who: Ref, quota: ResourceQuota | None, cluster: Cluster) -> tuple[str, tuple[Fix, ...]]:
    """What a rollout adds that has no room for its additional pod, and the fix."""
    deployment = waits_for_quota(who, cluster) if quota is not None else None
    fix = old_pod_first_in_quota(deployment, quota, cluster) if deployment is not None and quota is not None else None
    if deployment is None or fix is None:
        return "", ()
    return f" Its rollout ends no old pod first, because {none_may_go(deployment)}.", (fix,)


def _finding(
    quota: Ref,
    summary: str,
    evidence: tuple[Evidence, ...],
    who: Ref,
    confidence: Confidence,
    detail: str,
    of_a_rollout: tuple[str, tuple[Fix, ...]] = ("", ()),
    claim: str = "",
) -> Finding:
    by_age = "--sort-by=.metadata.creationTimestamp"
    words, fixes = of_a_rollout
    return Finding(
        about=quota,
        summary=summary,
        evidence=evidence,
        confidence=confidence,
        detail=detail + words,
        affects=(who,),
        fixes=(
            *fixes,
            Fix(
                "Delete claims that no pod uses, or recreate the workload with smaller claims"
                if claim
                else "Delete or scale down unused workloads in the namespace, or lower the requests"
            ),
            Fix("Or raise the quota", edit_command(quota), Effect.CHANGES),
        ),
        commands=(
            Command(
                kubectl("describe", "resourcequota", quota.name, namespace=quota.namespace),
                "used and hard for each resource",
            ),
            Command(kubectl("get", "pvc", by_age, namespace=quota.namespace), "the claims that use it")
            if claim
            else Command(kubectl("get", "pods", by_age, namespace=quota.namespace), "the pods that use it"),
        ),
    )
