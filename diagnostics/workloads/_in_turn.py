"""StatefulSets and DaemonSets replace their pods in turn: the pod that holds up the rest."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from diagnostics.workloads._rollout import look, undo, wait_of
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
from kubedoctor.findings import Confidence, Effect, Finding, Fix, Severity, command_line
from kubedoctor.replay.workloads.deployments import DEADLINE
from kubedoctor.replay.workloads.stateful_sets import REVISION, is_left_over, is_new, one_by_one, updating

PATIENCE = timedelta(seconds=DEADLINE)
"""As a Deployment has it; these kinds have no deadline of their own."""


def held_up_set(workload: StatefulSet, cluster: Cluster) -> Iterator[Finding]:
    """Pods one by one: a pod that is not ready holds up all the rest."""
    if workload.status.observed_generation < workload.metadata.generation:
        return
    for pod in pods_of(workload, cluster):
        if not not_ready(pod):
            continue
        if is_left_over(workload, pod) and one_by_one(workload) and (waiting(pod) or not pod.spec.node_name):
            yield _left_over(workload, pod)
            return
        if updating(workload) and is_new(workload, pod) and _long(pod, cluster):
            yield _late(workload, pod, f"pod {pod.name} of the new revision has not become ready")
            return


def held_up_daemons(workload: DaemonSet, cluster: Cluster) -> Iterator[Finding]:
    """maxUnavailable pods at a time: new ones that do not become ready stop it."""
    if workload.spec.update_strategy.type == "OnDelete" or not workload.status.updated_number_scheduled:
        return
    late = [pod for pod in pods_of(workload, cluster) if not_ready(pod) and pod.spec.node_name and _long(pod, cluster)]
    if late:
        newest = max(late, key=lambda pod: str(pod.metadata.creation_timestamp or ""))
        done = f"{workload.status.updated_number_scheduled} of {workload.status.desired_number_scheduled} pods are new"
        yield _late(workload, newest, f"{done}, and one of them has not become ready")


def _long(pod: Pod, cluster: Cluster) -> bool:
    """Not ready for longer than a rollout may take."""
    said = condition(pod.status.conditions, "Ready")
    since = (said.last_transition_time if said else None) or pod.metadata.creation_timestamp
    return since is not None and cluster.taken_at - since > PATIENCE


def _left_over(workload: StatefulSet, pod: Pod) -> Finding:
    wait = wait_of(pod)
    image = next((container.image for container in pod.spec.containers if container.image), "")
    return Finding(
        about=ref(workload),
        summary=f"was changed, but waits for its broken pod {pod.name} of another revision"
        f" ({image or pod.labels[REVISION]}): it does not replace it by itself",
        evidence=(
            quote(pod, f"metadata.labels[{REVISION}]", "the revision that the pod has"),
            quote(workload, "status.updateRevision", "the revision that is wanted"),
            *((wait[1],) if wait else ()),
        ),
        confidence=Confidence.CERTAIN,
        affects=(ref(pod),),
        fixes=(
            Fix(
                f"delete {pod.name}: it is made anew from the present template",
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
        summary=f"its rollout does not go on: {what}",
        evidence=(wait[1] if wait else quote(pod, "metadata.name", "not ready"),),
        confidence=Confidence.LIKELY,
        severity=Severity.WARNING,
        affects=(ref(pod),),
        fixes=(undo(workload),),
        commands=(look(workload),),
    )
