"""Whether a pod that is not ready is only starting."""

from __future__ import annotations

from datetime import datetime, timedelta

from kubedoctor.cluster.kinds.containers import Container, ContainerStatus, Probe
from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.cluster.triage import all_statuses, waiting

SCHEDULING = timedelta(minutes=1)
PREPARING = timedelta(minutes=5)
"""The time that a new node may need to pull images, attach volumes and run init containers."""
SETTLING = timedelta(minutes=1)
MANY_RESTARTS = 3
"""Programs that exit until a dependency is ready need a few restarts; more do not count as a start."""


def still_starting(pod: Pod, at: datetime) -> bool:
    """Whether a pod that is not ready may become ready by itself: nothing has failed, and it is new. A running
    container has the time that its own probes allow, at least a minute.
    """
    if waiting(pod):
        return False
    since = pod.status.start_time or pod.metadata.creation_timestamp
    if since is None:
        return False
    if not pod.spec.node_name:
        return at - since < SCHEDULING
    containers = {container.name: container for container in (*(pod.spec.init_containers or ()), *pod.spec.containers)}
    to_do = {
        init_container.name for init_container in pod.spec.init_containers or () if not init_container.restarts_always
    }
    young = False
    for status in all_statuses(pod):
        state = status.state
        if state is None or status.ready:
            continue
        if status.restart_count >= MANY_RESTARTS and _ended_soon(status):
            return False
        if state.terminated is not None:
            if state.terminated.exit_code:
                return False
            continue
        if state.running is None:
            continue
        began = state.running.started_at
        if began is None or at - began >= _patience(containers.get(status.name), is_init=status.name in to_do):
            return False
        young = True
    return young or at - since < PREPARING


def _ended_soon(status: ContainerStatus) -> bool:
    """Whether the previous run of the container failed, and did not run long."""
    ended = status.last_state.terminated if status.last_state else None
    if ended is None or not ended.exit_code:
        return False
    return ended.started_at is None or ended.finished_at is None or ended.finished_at - ended.started_at < PREPARING


def _patience(container: Container | None, *, is_init: bool) -> timedelta:
    if is_init:
        return PREPARING
    seconds = (
        sum(_longest(probe) for probe in (container.startup_probe, container.readiness_probe)) if container else 0.0
    )
    return max(timedelta(seconds=seconds), SETTLING)


def _longest(probe: Probe | None) -> float:
    if probe is None:
        return 0.0
    return float(probe.initial_delay_seconds + probe.failure_threshold * (probe.period_seconds + probe.timeout_seconds))
