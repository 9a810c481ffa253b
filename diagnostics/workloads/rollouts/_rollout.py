"""What the pods of a new revision wait for, and the commands for a rollout."""

from __future__ import annotations

from collections.abc import Iterable

from kubedoctor.cluster import (
    Cluster,
    Event,
    Evidence,
    KubernetesObject,
    Pod,
    all_statuses,
    condition,
    has_path,
    not_ready,
    quote,
    ref,
    status_path,
    visible_end,
)
from kubedoctor.findings import Command, newest_event, rollout


def first_wait(pods: Iterable[Pod]) -> tuple[str, Evidence] | None:
    """What a pod that is not ready waits for; of the first pod that shows it."""
    return next((wait for pod in pods if not_ready(pod) and (wait := wait_of(pod)) is not None), None)


LONGEST_GATE = 160


def wait_of(pod: Pod) -> tuple[str, Evidence] | None:
    """Why a pod is not ready."""
    scheduled = condition(pod.status.conditions, "PodScheduled")
    if scheduled is not None and scheduled.status == "False" and scheduled.message:
        path = "status.conditions[type=PodScheduled].message"
        return f"a new pod is not scheduled ({scheduled.reason})", quote(pod, path, "the scheduler's message")
    for status in all_statuses(pod):
        path = f"{status_path(pod, status.name)}.state.waiting.reason"
        waiting = status.state.waiting if status.state else None
        if waiting is not None and waiting.reason and has_path(pod, path):
            return f"container `{status.name}` of a new pod is waiting: {waiting.reason}", quote(pod, path, "")
    for gate in pod.spec.readiness_gates or ():
        stated = condition(pod.status.conditions, gate.condition_type)
        path = f"status.conditions[type={gate.condition_type}].message"
        if stated is not None and stated.status != "True" and stated.message and has_path(pod, path):
            words = f"the readiness gate {gate.condition_type} of a new pod is {stated.status}"
            reason = f" ({stated.reason})" if stated.reason else ""
            return f"{words}{reason}: {visible_end(stated.message, LONGEST_GATE)}", quote(
                pod, path, "of its controller"
            )
    path = "status.conditions[type=Ready].message"
    if not has_path(pod, path):
        return None
    unset = next((gate for gate in pod.spec.readiness_gates or () if not _is_set(pod, gate.condition_type)), None)
    words = (
        f"nothing has set the readiness gate {unset.condition_type} of a new pod" if unset else "a new pod is not ready"
    )
    return words, quote(pod, path, "what the kubelet says" if unset else "")


def _is_set(pod: Pod, gate: str) -> bool:
    """A gate waits for its controller; before the containers are ready, they are what the pod waits for."""
    containers = condition(pod.status.conditions, "ContainersReady")
    waits_for_them = containers is None or containers.status != "True"
    return waits_for_them or condition(pod.status.conditions, gate) is not None


def before_containers(pod: Pod, cluster: Cluster) -> Event | None:
    """The event that tells why no container of a pod was created yet: its sandbox, or its volumes."""
    waiting_reasons = {
        status.state.waiting.reason for status in all_statuses(pod) if status.state and status.state.waiting
    }
    if not waiting_reasons & {"ContainerCreating", "PodInitializing"}:
        return None
    return newest_event(pod, cluster, "FailedCreatePodSandBox", "FailedAttachVolume", "FailedMount")


def look(workload: KubernetesObject, why: str = "the state of the rollout") -> Command:
    return Command(f"{rollout('status', ref(workload))} --timeout=5s", why)
