"""The API server refuses the workload's pods.

## What it means
The controller asks for pods, and each one is refused before it exists. Nothing is Pending and nothing has logs: the
only traces are a condition of the ReplicaSet and events named FailedCreate.

## Why it happens
- A LimitRange: a container asks for more or less than the namespace allows.
- Pod Security: the namespace enforces a level that the pod's security context does not meet.
- A webhook or policy says no, or a webhook with failurePolicy Fail cannot be reached.
- The template names a PriorityClass, ServiceAccount or RuntimeClass that does not exist.

## How to fix it
1. Read the answer of the API server: it names the rule and the field.
2. Change the template so that it meets the rule, or make what it names.
3. For a webhook that cannot be reached: repair its Service first; without it nothing is admitted.

## References
- https://kubernetes.io/docs/reference/access-authn-authz/admission-controllers/
- https://kubernetes.io/docs/concepts/security/pod-security-standards/
"""

from __future__ import annotations

from collections.abc import Iterator

from diagnostics.admission._explained import explained
from diagnostics.admission._refused import RefusedPods, blamed_for, refused_pods, webhook_named
from kubedoctor.cluster import (
    Cluster,
    DaemonSet,
    Event,
    Job,
    KubernetesObject,
    LimitRange,
    MutatingWebhookConfiguration,
    Namespace,
    Pod,
    PriorityClass,
    Ref,
    ReplicaSet,
    ServiceAccount,
    StatefulSet,
    ValidatingWebhookConfiguration,
    ref,
)
from kubedoctor.cluster.kinds.control import RuntimeClass
from kubedoctor.cluster.relations.workloads import WORKLOADS
from kubedoctor.findings import Command, Confidence, Explains, Finding, Severity, diagnostic
from kubedoctor.replay.admission.refusals import AdmissionStep
from kubedoctor.replay.workloads.missing_pods import lacks_pods


@diagnostic(
    code="KD5103",
    subject=ReplicaSet,
    also_subjects=(StatefulSet, DaemonSet, Job),
    severity=Severity.CRITICAL,
    reads=(
        *(Pod, Event, LimitRange, Namespace, PriorityClass, ServiceAccount, RuntimeClass),
        *(ValidatingWebhookConfiguration, MutatingWebhookConfiguration),
        *WORKLOADS,
    ),
    when=lacks_pods,
    explains=(Explains("same"), Explains("selects", ("KD2001",))),
    also_known_as=("FailedCreate", "forbidden"),
    symptoms=("ReplicaFailure", "failed calling webhook", "violates PodSecurity"),
)
def pods_refused(workload: KubernetesObject, cluster: Cluster) -> Iterator[Finding]:
    said = refused_pods(workload, cluster)
    if said is None or said.refusal.kind in (AdmissionStep.QUOTA_EXCEEDED, AdmissionStep.QUOTA_NEEDS):
        return
    refusal, who = said.refusal, said.workload
    summary, evidence, fixes = explained(said, workload, cluster)
    about = blamed_for(said, cluster)
    yield Finding(
        about=about,
        summary=summary,
        evidence=(said.evidence, *evidence),
        confidence=Confidence.CERTAIN if refusal.kind is not AdmissionStep.OTHER else Confidence.LIKELY,
        detail=f"{who.title} lacks {said.missing} of its pods: {refusal.text}",
        affects=(who,) if about != who else (),
        fixes=fixes,
        commands=(
            Command(f"kubectl describe {ref(workload).argument} -n {workload.namespace}", "the events say it in full"),
        ),
        because_of=_behind(said, cluster),
    )


def _behind(said: RefusedPods, cluster: Cluster) -> tuple[Ref, ...]:
    if (
        said.refusal.kind is not AdmissionStep.WEBHOOK_FAILS
        or (found := webhook_named(said.refusal.name, cluster)) is None
    ):
        return ()
    service = found[1].client_config.service
    return (Ref("Service", service.namespace, service.name),) if service else ()
