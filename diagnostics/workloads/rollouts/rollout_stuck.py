"""Rollout is stuck (ProgressDeadlineExceeded).

## What it means
The pods of the new revision do not become available. Pods of the old revision keep serving, if any are left. The
controller keeps waiting.

## Why it happens
- The new pods cannot start or never become ready: image, configuration, probe, crash.
- The new pods fit on no node, or the API server rejects them (quota, admission policy).
- A StatefulSet replaces its pods in order and waits for a broken pod, even after its template was corrected.

## How to fix it
1. Check the new pods: what they wait for is the cause.
2. Roll back if the previous revision was healthy: `kubectl rollout undo`.
3. If a StatefulSet waits for a broken pod of another revision, delete that pod.

## References
- https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#failed-deployment
- https://kubernetes.io/docs/concepts/workloads/controllers/statefulset/#forced-rollback
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from diagnostics.admission._refused import blamed_for, refused_pods
from diagnostics.workloads.rollouts._in_turn import held_up_daemons, held_up_set
from diagnostics.workloads.rollouts._rollout import before_containers, first_wait, look
from kubedoctor.cluster import (
    WORKLOADS,
    Cluster,
    DaemonSet,
    Deployment,
    Event,
    Evidence,
    KubernetesObject,
    MutatingWebhookConfiguration,
    Pod,
    Ref,
    ReplicaSet,
    StatefulSet,
    ValidatingWebhookConfiguration,
    controller_of,
    counted,
    has_path,
    human_duration,
    not_ready,
    pods_of,
    quote,
    ref,
    replica_sets_of,
    times,
)
from kubedoctor.findings import Command, Confidence, Finding, Severity, diagnostic, roll_back, rollout
from kubedoctor.replay.messages.shown import shown_reason
from kubedoctor.replay.workloads.deployments import deadline, past_deadline
from kubedoctor.replay.workloads.in_progress import unfinished

LONGEST = 300
PROGRESSING = "status.conditions[type=Progressing]"


@diagnostic(
    code="KD1201",
    subject=Deployment,
    also_subjects=(StatefulSet, DaemonSet),
    severity=Severity.CRITICAL,
    reads=(Pod, Event, ValidatingWebhookConfiguration, MutatingWebhookConfiguration, *WORKLOADS),
    when=unfinished,
    also_known_as=("ProgressDeadlineExceeded",),
    symptoms=("ReplicaSetUpdated", "MinimumReplicasUnavailable"),
)
def rollout_stuck(workload: KubernetesObject, cluster: Cluster) -> Iterator[Finding]:
    if isinstance(workload, Deployment) and past_deadline(workload):
        yield _deployment(workload, cluster)
    elif isinstance(workload, StatefulSet):
        yield from held_up_set(workload, cluster)
    elif isinstance(workload, DaemonSet):
        yield from held_up_daemons(workload, cluster)


def _deployment(deployment: Deployment, cluster: Cluster) -> Finding:
    desired, available = deployment.spec.desired_replicas, deployment.status.available_replicas
    lenient = cluster.maybe  # That the rollout is stuck is certain without them.
    sets = replica_sets_of(deployment, lenient)
    newest = sets[0] if sets else None
    pods = pods_of(newest, lenient) if newest is not None else _pods_by_name(deployment, lenient)
    why, evidence, blamed = _why(newest, pods, lenient)
    old = f"; {available} of {counted(desired, 'replica')} still available" if available else ""
    message = f"{PROGRESSING}.message"
    return Finding(
        about=ref(deployment),
        summary=f"rollout made no progress for {human_duration(timedelta(seconds=deadline(deployment)))}"
        f" (progressDeadlineSeconds {deadline(deployment)}){why}{old}",
        evidence=(
            quote(deployment, message if has_path(deployment, message) else f"{PROGRESSING}.reason", ""),
            *evidence,
        ),
        confidence=Confidence.CERTAIN,
        severity=Severity.WARNING if available >= desired else None,
        affects=tuple(ref(pod) for pod in pods if not_ready(pod)),
        because_of=blamed,
        fixes=(roll_back(ref(deployment)),) if len(sets) > 1 else (),
        commands=(
            look(deployment),
            Command(rollout("history", ref(deployment)), "the revisions to roll back to"),
        ),
    )


def _pods_by_name(deployment: Deployment, cluster: Cluster) -> tuple[Pod, ...]:
    """The pods of ReplicaSets that cannot be seen: their names start with that of the Deployment."""
    pods = cluster.all(Pod, deployment.namespace)
    owners = ((pod, controller_of(pod)) for pod in pods)
    return tuple(
        pod
        for pod, owner in owners
        if owner is not None and owner.kind == "ReplicaSet" and owner.name.rpartition("-")[0] == deployment.name
    )


def _why(
    newest: ReplicaSet | None, pods: tuple[Pod, ...], cluster: Cluster
) -> tuple[str, tuple[Evidence, ...], tuple[Ref, ...]]:
    """What the new pods wait for, or why they do not exist: in words, quoted, and the object at fault."""
    if newest is not None and (refused := refused_pods(newest, cluster)) is not None:
        return f": its pods are rejected ({refused.refusal.text})", (refused.evidence,), (blamed_for(refused, cluster),)
    wait = first_wait(pods)
    if wait is None:
        return "", (), ()
    event = next((found for pod in pods if not_ready(pod) and (found := before_containers(pod, cluster))), None)
    if event is None or not has_path(event, "message"):
        return f": {wait[0]}", (wait[1],), ()
    return (
        f": {wait[0]}; {event.reason}: {shown_reason(event.message, LONGEST)}",
        (wait[1], quote(event, "message", f"{event.reason}, seen {times(event.times)}")),
        (),
    )
