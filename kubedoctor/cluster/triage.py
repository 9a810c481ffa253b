"""Cheap predicates that select the subjects of a diagnostic: its `when=`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any, Final

from kubedoctor.cluster.kinds.containers import Container, ContainerStatus
from kubedoctor.cluster.kinds.pods import Pod

_STARTING: Final = ("", "ContainerCreating", "PodInitializing", "RestartingAllContainers")
"""What a container waits for in an ordinary start, and while a restart rule starts all containers again (1.35)."""


def all_statuses(pod: Pod) -> Iterator[ContainerStatus]:
    """Statuses of init containers, then of containers."""
    yield from pod.status.init_container_statuses or ()
    yield from pod.status.container_statuses or ()


def all_containers(pod: Pod) -> Iterator[Container]:
    """Init containers, then containers; not the ephemeral ones."""
    yield from pod.spec.init_containers or ()
    yield from pod.spec.containers


def status_path(pod: Pod, name: str) -> str:
    """The path of a container's status, for `quote`: `status.containerStatuses[name=app]`."""
    kind = "initContainerStatuses" if _is_init(pod, name) else "containerStatuses"
    return f"status.{kind}[name={name}]"


def container_path(pod: Pod, name: str) -> str:
    """The path of a container in the spec, for `quote`: `spec.containers[name=app]`."""
    kind = "initContainers" if _is_init(pod, name) else "containers"
    return f"spec.{kind}[name={name}]"


def _is_init(pod: Pod, name: str) -> bool:
    return any(container.name == name for container in pod.spec.init_containers or ())


def finished(pod: Pod) -> bool:
    """Succeeded or Failed: it will not run again."""
    return pod.status.phase in ("Succeeded", "Failed")


def ended_at(pod: Pod) -> datetime | None:
    """When a finished pod ended, by the newest time in its status; None if there is none."""
    ends = [
        status.state.terminated.finished_at for status in all_statuses(pod) if status.state and status.state.terminated
    ]
    changes = [stated.last_transition_time for stated in pod.status.conditions or ()]
    return max((time for time in (*ends, *changes, pod.status.start_time) if time is not None), default=None)


def terminating(pod: Pod) -> bool:
    """Deletion was asked for."""
    return pod.metadata.deletion_timestamp is not None


def ready(pod: Pod) -> bool:
    """The Ready condition is True."""
    for stated in pod.status.conditions or ():
        if stated.type == "Ready":
            return stated.status == "True"
    return False


def not_ready(pod: Pod) -> bool:
    """Should be ready and is not: neither finished nor being deleted."""
    return not (ready(pod) or finished(pod) or terminating(pod))


def unscheduled(pod: Pod) -> bool:
    """Has no node and is not finished."""
    return not pod.spec.node_name and not finished(pod)


def placed(pod: Pod) -> bool:
    """Has a node, and is neither finished nor being deleted."""
    return bool(pod.spec.node_name) and pod.metadata.deletion_timestamp is None and not finished(pod)


def waiting(pod: Pod) -> bool:
    """Some container waits for a reason that is not part of an ordinary start."""
    for status in all_statuses(pod):
        state = status.state
        if state and state.waiting and state.waiting.reason not in _STARTING:
            return True
    return False


def restarted(pod: Pod) -> bool:
    """Some container was restarted or has ended badly."""
    for status in all_statuses(pod):
        if status.restart_count:
            return True
        for state in (status.state, status.last_state):
            if state and state.terminated and state.terminated.exit_code:
                return True
    return False


def ended_before(pod: Pod) -> bool:
    """Some container has ended once, well or badly: it runs again, or waits for its next start."""
    return any(
        status.restart_count or (status.last_state is not None and status.last_state.terminated is not None)
        for status in all_statuses(pod)
    )


def has_run(pod: Pod) -> bool:
    """Some container runs, or has run."""
    return any(
        state and (state.running or state.terminated)
        for status in all_statuses(pod)
        for state in (status.state, status.last_state)
    )


_RESIZES: Final = ("PodResizePending", "PodResizeInProgress")


def resized(pod: Pod) -> bool:
    """The kubelet has not applied a resize yet; until Kubernetes 1.32 the status says it without a condition."""
    if pod.status.resize:
        return True
    return any(stated.type in _RESIZES for stated in pod.status.conditions or ())


def unsettled(pod: Pod) -> bool:
    """Anything but a pod that is on a node, Running and ready, with its containers in their first run: every pod that
    one of the predicates below selects, and few others. One look at the healthy instead of one for each predicate."""
    status = pod.status
    if status.phase != "Running" or status.resize or not pod.spec.node_name:
        return True
    if pod.metadata.deletion_timestamp is not None:
        return True
    is_ready = None
    for stated in status.conditions or ():
        if stated.type in _RESIZES:
            return True
        if stated.type == "Ready" and is_ready is None:
            is_ready = stated.status == "True"
    if not is_ready:
        return True
    for container in status.container_statuses or ():
        state, last = container.state, container.last_state
        if container.restart_count or state is None or state.running is None or (last and last.terminated):
            return True
    for container in status.init_container_statuses or ():
        state, last = container.state, container.last_state
        if container.restart_count or state is None or state.waiting or (last and last.terminated):
            return True
        if state.terminated and state.terminated.exit_code:
            return True
    return False


def troubled(pod: Pod) -> bool:
    """Any of these: not ready, restarted, waiting or failed."""
    return not_ready(pod) or pod.status.phase == "Failed" or restarted(pod) or waiting(pod)


WIDER: Final[Mapping[Callable[[Any], bool], Callable[[Any], bool]]] = {
    not_ready: troubled,
    restarted: troubled,
    waiting: troubled,
    troubled: unsettled,
    ended_before: unsettled,
    finished: unsettled,
    resized: unsettled,
    terminating: unsettled,
    unscheduled: unsettled,
}
"""For a predicate the predicate that is true wherever it is: a scan asks the narrower one only there."""


def has_pre_stop(container: Container) -> bool:
    """A hook runs before it receives SIGTERM."""
    return container.lifecycle is not None and container.lifecycle.pre_stop is not None


def with_pre_stop_hook(pod: Pod) -> bool:
    """A container has a preStop hook, and may still run it."""
    for containers in (pod.spec.containers, pod.spec.init_containers or ()):
        for container in containers:
            if container.lifecycle is not None and has_pre_stop(container):
                return not finished(pod)
    return False
