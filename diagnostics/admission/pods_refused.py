"""The API server refuses the pods of a workload.

## What it means
The API server refuses every pod that the controller creates. The pods do not exist: none is Pending, none has logs. Only
the condition ReplicaFailure of the ReplicaSet and events with reason FailedCreate show the refusal.

## Why it happens
- LimitRange: a container requests more or less than the namespace allows.
- Pod Security: the pod's securityContext does not meet the level that the namespace enforces.
- A webhook or a ValidatingAdmissionPolicy denies the pod, or a webhook with failurePolicy Fail cannot be reached.
- A ValidatingAdmissionPolicy cannot be evaluated: its expression reads a field that the pod does not have, or its
  parameters are missing. The policy has to be corrected then, not the pod.
- The pod template names a PriorityClass, ServiceAccount or RuntimeClass that does not exist.

## How to fix it
1. Read the message of the API server: it names the rule and the field.
2. Change the pod template to meet the rule, or create the object that it names.
3. If a webhook cannot be reached, repair its Service first: until then no pod is admitted.

## References
- https://kubernetes.io/docs/reference/access-authn-authz/admission-controllers/
- https://kubernetes.io/docs/concepts/security/pod-security-standards/
"""

from __future__ import annotations

from collections.abc import Iterator

from diagnostics.admission._explained import explained
from diagnostics.admission._pod_security import admitted_now
from diagnostics.admission._refused import RefusedPods, blamed_for, refused_pods, webhook_named
from kubedoctor.cluster import (
    WORKLOADS,
    Cluster,
    DaemonSet,
    EndpointSlice,
    Event,
    Job,
    KubernetesObject,
    LimitRange,
    MutatingWebhookConfiguration,
    Namespace,
    NetworkPolicy,
    Node,
    Pod,
    PriorityClass,
    Ref,
    ReplicaSet,
    RuntimeClass,
    Secret,
    Service,
    ServiceAccount,
    StatefulSet,
    ValidatingAdmissionPolicy,
    ValidatingAdmissionPolicyBinding,
    ValidatingWebhookConfiguration,
    counted,
    ref,
)
from kubedoctor.findings import Command, Confidence, Explains, Finding, Severity, diagnostic, look_at
from kubedoctor.replay.admission.refusals import AdmissionStep
from kubedoctor.replay.workloads.missing_pods import lacks_pods
from kubedoctor.replay.workloads.stateful_sets import name_too_long


@diagnostic(
    code="KD5103",
    subject=ReplicaSet,
    also_subjects=(StatefulSet, DaemonSet, Job),
    severity=Severity.CRITICAL,
    reads=(
        *(Pod, Event, LimitRange, Namespace, PriorityClass, ServiceAccount, RuntimeClass),
        *(ValidatingWebhookConfiguration, MutatingWebhookConfiguration, Service, EndpointSlice, Secret),
        *(NetworkPolicy, Node, ValidatingAdmissionPolicy, ValidatingAdmissionPolicyBinding),
        *WORKLOADS,
    ),
    when=lacks_pods,
    explains=(Explains("same"), Explains("selects", ("KD2001", "KD2005"))),
    also_known_as=("FailedCreate", "forbidden"),
    symptoms=("ReplicaFailure", "failed calling webhook", "violates PodSecurity"),
)
def pods_refused(workload: KubernetesObject, cluster: Cluster) -> Iterator[Finding]:
    if isinstance(workload, StatefulSet) and name_too_long(workload):
        return  # A finding of its own.
    refused = refused_pods(workload, cluster)
    if refused is None or refused.refusal.kind in (AdmissionStep.QUOTA_EXCEEDED, AdmissionStep.QUOTA_NEEDS):
        return
    refusal, who = refused.refusal, refused.workload
    now = admitted_now(refused, cluster) if refusal.kind is AdmissionStep.POD_SECURITY else None
    summary, evidence, fixes = now or explained(refused, workload, cluster)
    certain = now is None and refusal.kind is not AdmissionStep.OTHER
    about = blamed_for(refused, cluster)
    yield Finding(
        about=about,
        summary=summary,
        evidence=(refused.evidence, *evidence),
        confidence=Confidence.CERTAIN if certain else Confidence.LIKELY,
        severity=Severity.WARNING if now is not None else None,
        detail=f"{who.title} is missing {counted(refused.missing, 'pod')}.",
        affects=(who,) if about != who else (),
        fixes=fixes,
        commands=(
            *((look_at(about, "its expressions"),) if refusal.kind is AdmissionStep.POLICY_FAILS else ()),
            Command(ref(workload).describe_command, "the events with the full message"),
        ),
        because_of=_behind(refused, cluster),
    )


def _behind(refused: RefusedPods, cluster: Cluster) -> tuple[Ref, ...]:
    if (
        refused.refusal.kind is not AdmissionStep.WEBHOOK_FAILS
        or (configured_webhook := webhook_named(refused.refusal.name, cluster)) is None
    ):
        return ()
    service = configured_webhook[1].client_config.service
    return (Ref("Service", service.namespace, service.name),) if service else ()
