"""StatefulSets and DaemonSets replace their pods in turn: the pod that blocks the rollout."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from diagnostics.workloads.rollouts._rollout import look, wait_of
from kubedoctor.cluster import (
    Cluster,
    DaemonSet,
    KubernetesObject,
    Pod,
    StatefulSet,
    condition,
    not_ready,
    pods_of,
    quote,
    ref,
    waiting,
)
from kubedoctor.cluster.changes import delete
from kubedoctor.findings import Confidence, Effect, Finding, Fix, Severity, command_line, roll_back
from kubedoctor.replay.workloads.deployments import DEADLINE
from kubedoctor.replay.workloads.stateful_sets import REVISION, is_left_over, is_new, one_by_one, updating

PATIENCE = timedelta(seconds=DEADLINE)
"""The default of a Deployment; these kinds have no progressDeadlineSeconds."""


def held_up_set(workload: StatefulSet, cluster: Cluster) -> Iterator[Finding]:
    """Pods are replaced in order: a pod that is not ready blocks the others."""
    if workload.status.observed_generation < workload.metadata.generation:
        return
    for pod in pods_of(workload, cluster):
        if not not_ready(pod):
            continue
        if is_left_over(workload, pod) and one_by_one(workload) and (waiting(pod) or not pod.spec.node_name):
            yield _left_over(workload, pod)
            return
        if updating(workload) and is_new(workload, pod) and _long(pod, cluster):
            yield _late(workload, pod, f"pod {pod.name} of the new revision is not ready")
            return


def held_up_daemons(workload: DaemonSet, cluster: Cluster) -> Iterator[Finding]:
    """maxUnavailable pods are replaced at a time: new pods that do not become ready block the rollout."""
    if workload.spec.update_strategy.type == "OnDelete" or not workload.status.updated_number_scheduled:
        return
    late = [pod for pod in pods_of(workload, cluster) if not_ready(pod) and pod.spec.node_name and _long(pod, cluster)]
    if late:
        newest = max(late, key=lambda pod: str(pod.metadata.creation_timestamp or ""))
        done = (
            f"{workload.status.updated_number_scheduled} of {workload.status.desired_number_scheduled} pods are updated"
        )
        yield _late(workload, newest, f"{done}, and pod {newest.name} is not ready")


def _long(pod: Pod, cluster: Cluster) -> bool:
    """Not ready for longer than a rollout may take."""
    ready = condition(pod.status.conditions, "Ready")
    since = (ready.last_transition_time if ready else None) or pod.metadata.creation_timestamp
    return since is not None and cluster.taken_at - since > PATIENCE


def _is_silent(pod: Pod) -> bool:
    """Only the node controller makes a pod unready whose containers are ready: its kubelet reports nothing."""
    containers = condition(pod.status.conditions, "ContainersReady")
    return containers is not None and containers.status == "True" and not pod.spec.readiness_gates


def _left_over(workload: StatefulSet, pod: Pod) -> Finding:
    wait = wait_of(pod)
    image = next((container.image for container in pod.spec.containers if container.image), "")
    return Finding(
        about=ref(workload),
        summary=f"rollout waits for broken pod {pod.name} of another revision"
        f" ({image or pod.labels[REVISION]}): the StatefulSet does not replace it",
        evidence=(
            quote(pod, f"metadata.labels[{REVISION}]", "the pod's revision"),
            quote(workload, "status.updateRevision", "the current revision of the template"),
            *((wait[1],) if wait else ()),
        ),
        confidence=Confidence.CERTAIN,
        affects=(ref(pod),),
        fixes=(
            Fix(
                f"Delete pod {pod.name}: the StatefulSet recreates it from the current template",
                command_line(delete(ref(pod))),
                Effect.DISRUPTS,
            ),
        ),
        commands=(look(workload, ""),),
    )


def _late(workload: KubernetesObject, pod: Pod, what: str) -> Finding:
    wait = wait_of(pod)
    return Finding(
        about=ref(workload),
        summary=f"rollout is stuck: {what}",
        evidence=(wait[1] if wait else quote(pod, "metadata.name", "not ready"),),
        confidence=Confidence.LIKELY,
        severity=Severity.WARNING,
        affects=(ref(pod),),
        fixes=() if _is_silent(pod) else (roll_back(ref(workload)),),
        commands=(look(workload),),
    )
