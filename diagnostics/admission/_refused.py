"""Workloads whose pods the API server refuses: its message, and how many pods are missing."""

from __future__ import annotations

from datetime import timedelta

import msgspec

from kubedoctor.cluster import (
    Cluster,
    Evidence,
    Job,
    KubernetesObject,
    MutatingWebhookConfiguration,
    Ref,
    ReplicaSet,
    StatefulSet,
    ValidatingWebhookConfiguration,
    Webhook,
    condition,
    has_path,
    pods_of,
    quote,
    ref,
    terminating,
    workload_of,
)
from kubedoctor.findings import Fix
from kubedoctor.replay.admission.refusals import AdmissionRefusal, AdmissionStep, parse_refusal
from kubedoctor.replay.workloads.missing_pods import missing_pods
from kubedoctor.replay.workloads.stateful_sets import waits_for_earlier

FAILURE = "status.conditions[type=ReplicaFailure].message"
FRESH = timedelta(minutes=30)
"""Controllers wait up to about 16 minutes before they try again: a quota may have room since an older refusal."""
TRIES_AGAIN = Fix("Wait: the controller tries again by itself, within 16 minutes")
_QUOTA = (AdmissionStep.QUOTA_EXCEEDED, AdmissionStep.QUOTA_NEEDS)


class RefusedPods(msgspec.Struct, frozen=True):
    """A current refusal. `workload` is the topmost workload; `missing` counts the pods."""

    refusal: AdmissionRefusal
    evidence: Evidence
    workload: Ref
    missing: int


def refused_pods(obj: KubernetesObject, cluster: Cluster) -> RefusedPods | None:
    """The refusal of the missing pods: the ReplicaSet's condition, elsewhere the FailedCreate event that no creation
    followed."""
    missing = missing_pods(obj)
    if not missing:
        return None
    if isinstance(obj, ReplicaSet):
        failure = condition(obj.status.conditions, "ReplicaFailure")
        if failure is None or failure.status != "True" or not has_path(obj, FAILURE):
            return None
        answer = quote(obj, FAILURE, "the API server's message")
        return RefusedPods(parse_refusal(failure.message), answer, workload_of(obj, cluster), missing)
    if isinstance(obj, StatefulSet) and waits_for_earlier(obj, pods_of(obj, cluster.maybe)):
        return None
    tries = [event for event in cluster.events_about(ref(obj)) if event.reason in ("FailedCreate", "SuccessfulCreate")]
    event = tries[-1] if tries else None
    created = obj.metadata.creation_timestamp
    if event is None or event.reason != "FailedCreate" or not event.message or event.seen_at is None:
        return None
    refusal = parse_refusal(event.message)
    if (created is not None and event.seen_at < created) or (
        refusal.kind in _QUOTA and cluster.taken_at - event.seen_at > FRESH
    ):
        return None
    answer = quote(event, "message", "the API server's message")
    return RefusedPods(refusal, answer, workload_of(obj, cluster), missing)


def missing_without_message(obj: KubernetesObject, cluster: Cluster) -> int:
    """How many pods are missing without a message, although the controller had time and no other reason to wait."""
    missing = missing_pods(obj)
    created = obj.metadata.creation_timestamp
    if (
        not missing
        or isinstance(obj, ReplicaSet)
        or created is None
        or cluster.taken_at - created < timedelta(minutes=1)
    ):
        return 0
    if isinstance(obj, StatefulSet) and (
        waits_for_earlier(obj, pods_of(obj, cluster)) or obj.status.observed_generation < obj.metadata.generation
    ):
        return 0
    if isinstance(obj, Job) and (obj.status.failed or obj.status.succeeded):
        return 0
    if any(terminating(pod) for pod in pods_of(obj, cluster)):
        return 0  # They are being replaced, and count until they are deleted.
    return missing


def webhook_named(name: str, cluster: Cluster) -> tuple[KubernetesObject, Webhook] | None:
    """The configuration that holds a webhook."""
    configurations: tuple[ValidatingWebhookConfiguration | MutatingWebhookConfiguration, ...] = (
        *cluster.maybe.all(ValidatingWebhookConfiguration),
        *cluster.maybe.all(MutatingWebhookConfiguration),
    )
    for configuration in configurations:
        for webhook in configuration.webhooks or ():
            if webhook.name == name:
                return configuration, webhook
    return None


def blamed_for(refused: RefusedPods, cluster: Cluster) -> Ref:
    """The object that the finding about a refusal is about."""
    refusal = refused.refusal
    if refusal.kind in (AdmissionStep.QUOTA_EXCEEDED, AdmissionStep.QUOTA_NEEDS):
        return Ref("ResourceQuota", refused.workload.namespace, refusal.name)
    if refusal.kind is AdmissionStep.WEBHOOK_FAILS and (configured_webhook := webhook_named(refusal.name, cluster)):
        return ref(configured_webhook[0])
    if refusal.kind is AdmissionStep.POLICY_FAILS:
        return Ref(refusal.policy, "", refusal.name)
    return refused.workload
