"""Pods whose wait is temporary: they will be placed soon, or could be placed already."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from kubedoctor.answers.placement import detail as _outcome
from kubedoctor.answers.placement.evidence import commands, words
from kubedoctor.answers.placement.explaining.case import Case, names
from kubedoctor.answers.placement.no_scheduler import SOON
from kubedoctor.cluster import Cluster, PersistentVolume, PersistentVolumeClaim, Pod, StorageClass
from kubedoctor.cluster.relations.claims import claim_names
from kubedoctor.findings import Confidence, Finding, Severity
from kubedoctor.replay.scheduler.plugins.pod_claims import CLAIM_UNBOUND
from kubedoctor.replay.scheduler.plugins.volume_binding import CLAIM_NOT_YET_MADE
from kubedoctor.replay.scheduler.said.messages import SchedulingMessage
from kubedoctor.replay.scheduler.said.self_check import Agreement, Said
from kubedoctor.replay.storage.binding import pending
from kubedoctor.replay.storage.unbound import Awaited, unbound

RETRIED = timedelta(minutes=5)
"""How long the scheduler may wait to retry a pod that fits by now
(`podMaxInUnschedulablePodsDuration`, `pkg/scheduler/backend/queue`)."""


def soon_placed(pod: Pod, said: Said | None, cluster: Cluster) -> bool:
    """The pod is new, pods are being evicted for it, or a controller is about to create what it waits for."""
    young = pod.metadata.creation_timestamp is None or cluster.taken_at - pod.metadata.creation_timestamp < SOON
    if said is None:
        return young
    message = said.message
    making = bool(pod.status.nominated_node_name) or bool(message.preemption and message.preemption.node)
    waiting = any(
        reason.obstacle is CLAIM_NOT_YET_MADE or "to create the resourceclaim" in reason.text
        for reason in message.reasons
    )
    return young and (making or waiting or _provisioned_soon(pod, message, cluster))


def _provisioned_soon(pod: Pod, message: SchedulingMessage, cluster: Cluster) -> bool:
    """A provisioner, or the volume controller, has just begun with its claims."""
    if not any(reason.obstacle is CLAIM_UNBOUND for reason in message.reasons):
        return False
    claims = [cluster.maybe.get(PersistentVolumeClaim, pod.namespace, name) for name in claim_names(pod)]
    volumes, classes = cluster.maybe.all(PersistentVolume), cluster.maybe.all(StorageClass)
    awaited = [unbound(one, volumes, classes).awaits for one in claims if one is not None and pending(one)]
    return bool(awaited) and all(one in _AT_WORK for one in awaited)


_AT_WORK: Final = (Awaited.PROVISIONER, Awaited.BINDING, Awaited.DEFAULT_CLASS)


def fits_by_now(case: Case, said: Said) -> Finding | None:
    """Something has changed since the scheduler's message, and the pod now fits a node."""
    answer = case.answer
    if answer is None or answer.agreement is not Agreement.STALE or not answer.verdict.feasible or answer.incomplete:
        return None
    newest = max(filter(None, (said.at, answer.comparison.changed_at)), default=None)
    recent = newest is None or case.cluster.taken_at - newest < RETRIED
    return Finding(
        about=case.workload,
        summary=f"now fits {names(answer.verdict.feasible)}, but the scheduler has not placed it yet",
        evidence=(words(case.pod, said),),
        confidence=Confidence.LIKELY,
        detail=_outcome.agreement(answer),
        commands=commands(case.pod),
        severity=Severity.NOTICE if recent else Severity.WARNING,
        aspect="fits",
    )
