"""A rollout does not come to its end.

## What it means
The new version of the workload was started and does not become available. Old pods go on serving where there are any;
the controller waits and will wait for ever.

## Why it happens
- The new pods cannot start or never become ready: image, configuration, probe, crash.
- The new pods fit on no node, or the API server refuses them (quota, policy).
- A StatefulSet replaces its pods one by one and waits for a broken one, even after its template was put right.

## How to fix it
1. Look at the new pods: what they wait for is the cause.
2. Undo the rollout if the old version was well: `kubectl rollout undo`.
3. A StatefulSet that waits for a broken pod of another revision: delete that pod by hand.

## References
- https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#failed-deployment
- https://kubernetes.io/docs/concepts/workloads/controllers/statefulset/#forced-rollback
"""

from __future__ import annotations

from collections.abc import Iterator

from diagnostics.admission._refused import blamed_for, refused_pods
from diagnostics.workloads._in_turn import held_up_daemons, held_up_set
from diagnostics.workloads._rollout import first_wait, look, undo
from kubedoctor.cluster import (
    WORKLOADS,
    Cluster,
    DaemonSet,
    Deployment,
    Evidence,
    KubernetesObject,
    MutatingWebhookConfiguration,
    Pod,
    Ref,
    ReplicaSet,
    StatefulSet,
    ValidatingWebhookConfiguration,
    condition,
    has_path,
    not_ready,
    pods_of,
    quote,
    ref,
    replica_sets_of,
)
from kubedoctor.findings import Command, Confidence, Finding, Severity, diagnostic, rollout
from kubedoctor.replay.workloads.deployments import deadline, past_deadline

PROGRESSING = "status.conditions[type=Progressing]"


def unfinished(workload: KubernetesObject) -> bool:
    """A rollout is under way, or pods that were rolled out are not available."""
    if isinstance(workload, Deployment):
        said = condition(workload.status.conditions, "Progressing")
        return said is not None and said.status == "False" and not workload.spec.paused
    if isinstance(workload, StatefulSet):
        return workload.status.ready_replicas < workload.spec.wanted
    if isinstance(workload, DaemonSet):
        return workload.status.updated_number_scheduled < workload.status.desired_number_scheduled
    return False


@diagnostic(
    code="KD1201",
    subject=Deployment,
    also_subjects=(StatefulSet, DaemonSet),
    severity=Severity.CRITICAL,
    reads=(Pod, ValidatingWebhookConfiguration, MutatingWebhookConfiguration, *WORKLOADS),
    when=unfinished,
    also_known_as=("ProgressDeadlineExceeded",),
    symptoms=("ReplicaSetUpdated", "MinimumReplicasUnavailable"),
)
def rollout_stuck(workload: KubernetesObject, cluster: Cluster) -> Iterator[Finding]:
    if not unfinished(workload):
        return
    if isinstance(workload, Deployment) and past_deadline(workload):
        yield _deployment(workload, cluster)
    elif isinstance(workload, StatefulSet):
        yield from held_up_set(workload, cluster)
    elif isinstance(workload, DaemonSet):
        yield from held_up_daemons(workload, cluster)


def _deployment(deployment: Deployment, cluster: Cluster) -> Finding:
    wanted, available = deployment.spec.wanted, deployment.status.available_replicas
    sets = replica_sets_of(deployment, cluster)
    newest = sets[0] if sets else None
    pods = pods_of(newest, cluster) if newest is not None else ()
    why, evidence, blamed = _why(newest, pods, cluster)
    old = f"; {available} of {wanted} are still available" if available else ""
    stated = f"{PROGRESSING}.message"
    return Finding(
        about=ref(deployment),
        summary=f"its new version made no progress within its deadline of {deadline(deployment)} s{why}{old}",
        evidence=(
            quote(deployment, stated if has_path(deployment, stated) else f"{PROGRESSING}.reason", ""),
            *evidence,
        ),
        confidence=Confidence.CERTAIN,
        severity=Severity.WARNING if available >= wanted else None,
        affects=tuple(ref(pod) for pod in pods if not_ready(pod)),
        because_of=blamed,
        fixes=(undo(deployment),) if len(sets) > 1 else (),
        commands=(
            look(deployment),
            Command(rollout("history", ref(deployment)), "the versions that it can go back to"),
        ),
    )


def _why(
    newest: ReplicaSet | None, pods: tuple[Pod, ...], cluster: Cluster
) -> tuple[str, tuple[Evidence, ...], tuple[Ref, ...]]:
    """What the new pods wait for, or why there are none: in words, quoted, and whose fault it is."""
    if newest is not None and (refused := refused_pods(newest, cluster)) is not None:
        return f": its pods are refused ({refused.refusal.text})", (refused.evidence,), (blamed_for(refused, cluster),)
    wait = first_wait(pods)
    return (f": {wait[0]}", (wait[1],), ()) if wait is not None else ("", (), ())
