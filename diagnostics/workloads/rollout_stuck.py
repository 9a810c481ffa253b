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
from datetime import timedelta

from diagnostics.admission._refused import blamed_for, refused_pods
from kubedoctor.cluster import (
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
    condition,
    has_path,
    quote,
    ref,
)
from kubedoctor.cluster.relations import WORKLOADS, pods_of, replica_sets_of
from kubedoctor.cluster.triage import all_statuses, finished, not_ready, status_path, terminating
from kubedoctor.findings import Command, Confidence, Effect, Finding, Fix, Severity, diagnostic

PROGRESSING = "status.conditions[type=Progressing]"
PATIENCE = timedelta(minutes=10)  # A Deployment's own default deadline; the other kinds have none.
HASH = "controller-revision-hash"


def unfinished(workload: KubernetesObject) -> bool:
    """A rollout is under way, or pods that were rolled out are not available."""
    if isinstance(workload, Deployment):
        said = condition(workload.status.conditions, "Progressing")
        return said is not None and said.status == "False" and not workload.spec.paused
    if isinstance(workload, StatefulSet):
        return workload.status.ready_replicas < (1 if workload.spec.replicas is None else workload.spec.replicas)
    if isinstance(workload, DaemonSet):
        return workload.status.updated_number_scheduled < workload.status.desired_number_scheduled
    return False


@diagnostic(
    code="KD1201",
    subject=Deployment,
    also_subjects=(StatefulSet, DaemonSet),
    severity=Severity.CRITICAL,
    reads=(Pod, Event, ValidatingWebhookConfiguration, MutatingWebhookConfiguration, *WORKLOADS),
    when=unfinished,
    also_known_as=("ProgressDeadlineExceeded",),
)
def rollout_stuck(workload: KubernetesObject, cluster: Cluster) -> Iterator[Finding]:
    if not unfinished(workload):
        return
    if isinstance(workload, Deployment):
        yield from _deployment(workload, cluster)
    elif isinstance(workload, StatefulSet):
        yield from _stateful_set(workload, cluster)
    elif isinstance(workload, DaemonSet):
        yield from _daemon_set(workload, cluster)


def _deployment(deployment: Deployment, cluster: Cluster) -> Iterator[Finding]:
    said = condition(deployment.status.conditions, "Progressing")
    wanted = 1 if deployment.spec.replicas is None else deployment.spec.replicas
    status = deployment.status
    if said is None or said.reason != "ProgressDeadlineExceeded":
        return
    if status.updated_replicas >= wanted and status.replicas <= wanted <= status.available_replicas:
        return  # Complete (`deployment/util DeploymentComplete`); the condition will follow.
    sets = replica_sets_of(deployment, cluster)
    newest = sets[0] if sets else None
    pods = pods_of(newest, cluster) if newest is not None else ()
    why, evidence, blamed = _why(newest, pods, cluster)
    deadline = deployment.spec.progress_deadline_seconds or 600
    old = f"; {status.available_replicas} of {wanted} are still available" if status.available_replicas else ""
    name = f"deployment/{deployment.name} -n {deployment.namespace}"
    undo = Fix("undo the rollout, if the version before was well", f"kubectl rollout undo {name}", Effect.DISRUPTS)
    yield Finding(
        about=ref(deployment),
        summary=f"its new version made no progress for its deadline of {deadline} s{why}{old}",
        evidence=(
            quote(deployment, f"{PROGRESSING}.message" if said.message else f"{PROGRESSING}.reason", ""),
            *evidence,
        ),
        confidence=Confidence.CERTAIN,
        severity=Severity.WARNING if status.available_replicas >= wanted else None,
        affects=tuple(ref(pod) for pod in pods if not_ready(pod)),
        because_of=blamed,
        fixes=(undo,) if len(sets) > 1 else (),
        commands=(
            Command(f"kubectl rollout status {name} --timeout=5s", "where it stands"),
            Command(f"kubectl rollout history {name}", "the versions that it can go back to"),
        ),
    )


def _why(
    newest: ReplicaSet | None, pods: tuple[Pod, ...], cluster: Cluster
) -> tuple[str, list[Evidence], tuple[Ref, ...]]:
    """What the new pods wait for, or why there are none."""
    if newest is not None and (refused := refused_pods(newest, cluster)) is not None:
        return f": its pods are refused ({refused.refusal.text})", [refused.evidence], (blamed_for(refused, cluster),)
    for pod in pods:
        if not_ready(pod) and (found := _waits(pod)) is not None:
            return f": {found[0]}", [found[1]], ()
    return "", [], ()


def _waits(pod: Pod) -> tuple[str, Evidence] | None:
    """What keeps one pod from being ready."""
    scheduled = condition(pod.status.conditions, "PodScheduled")
    if scheduled is not None and scheduled.status == "False" and scheduled.message:
        path = "status.conditions[type=PodScheduled].message"
        return f"a new pod has no node ({scheduled.reason})", quote(pod, path, "why it has no node")
    for status in all_statuses(pod):
        base = status_path(pod, status.name)
        waiting = status.state.waiting if status.state else None
        if waiting is not None and waiting.reason and has_path(pod, f"{base}.state.waiting.reason"):
            text = f"container {status.name} of a new pod waits: {waiting.reason}"
            return text, quote(pod, f"{base}.state.waiting.reason", "")
    path = "status.conditions[type=Ready].message"
    if has_path(pod, path):
        return "a new pod is not ready", quote(pod, path, "")
    return None


def _stateful_set(workload: StatefulSet, cluster: Cluster) -> Iterator[Finding]:
    """Pods one by one: a pod that is not ready holds up all the rest."""
    status = workload.status
    if status.observed_generation < workload.metadata.generation:
        return
    one_by_one = workload.spec.pod_management_policy != "Parallel"
    for pod in pods_of(workload, cluster):
        if not not_ready(pod) or terminating(pod):
            continue
        revision = (pod.metadata.labels or {}).get(HASH, "")
        other = bool(revision and status.update_revision and revision != status.update_revision)
        rolled_back = other and revision != status.current_revision
        if rolled_back and one_by_one and _broken(pod):
            yield _rolled_back(workload, pod, revision)
            return
        updating = bool(status.update_revision) and status.update_revision != status.current_revision
        if updating and not other and _long(pod, cluster):
            yield _late(workload, pod, f"pod {pod.name} of the new revision has not become ready")
            return


def _broken(pod: Pod) -> bool:
    """It will hardly become ready by itself: a container waits for a reason of its own, or it has no node."""
    if not pod.spec.node_name or finished(pod):
        return True
    return any(
        status.state
        and status.state.waiting
        and status.state.waiting.reason not in ("", "ContainerCreating", "PodInitializing")
        for status in all_statuses(pod)
    )


def _long(pod: Pod, cluster: Cluster) -> bool:
    """Not ready for longer than a rollout may take."""
    said = condition(pod.status.conditions, "Ready")
    since = (said.last_transition_time if said else None) or pod.metadata.creation_timestamp
    return since is not None and cluster.taken_at - since > PATIENCE


def _rolled_back(workload: StatefulSet, pod: Pod, revision: str) -> Finding:
    waits = _waits(pod)
    image = next((container.image for container in pod.spec.containers if container.image), "")
    return Finding(
        about=ref(workload),
        summary=f"was changed, but waits for its broken pod {pod.name} of another revision ({image or revision}):"
        " it does not replace it by itself",
        evidence=(
            quote(pod, f"metadata.labels[{HASH}]", "the revision that the pod has"),
            quote(workload, "status.updateRevision", "the revision that is wanted"),
            *((waits[1],) if waits else ()),
        ),
        confidence=Confidence.CERTAIN,
        affects=(ref(pod),),
        fixes=(
            Fix(
                f"delete {pod.name}: it is made anew from the present template",
                f"kubectl delete pod {pod.name} -n {pod.namespace}",
                Effect.DISRUPTS,
            ),
        ),
        commands=(Command(f"kubectl rollout status statefulset/{workload.name} -n {workload.namespace} --timeout=5s"),),
    )


def _late(workload: KubernetesObject, pod: Pod, what: str) -> Finding:
    waits = _waits(pod)
    evidence = [waits[1]] if waits else [quote(pod, "metadata.name", "not ready")]
    name = f"{ref(workload).argument} -n {workload.namespace}"
    return Finding(
        about=ref(workload),
        summary=f"its rollout does not go on: {what}",
        evidence=tuple(evidence),
        confidence=Confidence.LIKELY,
        severity=Severity.WARNING,
        affects=(ref(pod),),
        fixes=(
            Fix("undo the rollout, if the version before was well", f"kubectl rollout undo {name}", Effect.DISRUPTS),
        ),
        commands=(Command(f"kubectl rollout status {name} --timeout=5s", "where it stands"),),
    )


def _daemon_set(workload: DaemonSet, cluster: Cluster) -> Iterator[Finding]:
    """maxUnavailable pods at a time: new ones that do not become ready stop it."""
    if workload.spec.update_strategy.type == "OnDelete" or not workload.status.updated_number_scheduled:
        return
    late = [pod for pod in pods_of(workload, cluster) if not_ready(pod) and pod.spec.node_name and _long(pod, cluster)]
    newest = max(
        (pod for pod in late),
        key=lambda pod: (pod.metadata.creation_timestamp is not None, str(pod.metadata.creation_timestamp)),
        default=None,
    )
    if newest is not None:
        done = f"{workload.status.updated_number_scheduled} of {workload.status.desired_number_scheduled} pods are new"
        yield _late(workload, newest, f"{done}, and one of them has not become ready")
