"""What comes before a pod's first container: its volumes, then its sandbox."""

from __future__ import annotations

from kubedoctor.cluster import Pod
from kubedoctor.findings import ContainerWithStatus, containers_with_status


def nothing_created(pod: Pod) -> bool:
    """None of the pod's containers was ever created."""
    return all(map(_not_created, containers_with_status(pod)))


def _not_created(part: ContainerWithStatus) -> bool:
    status = part.status
    waiting = status.state.waiting if status.state else None
    begun = bool(
        status.container_id
        or status.restart_count
        or (status.state and (status.state.running or status.state.terminated))
    )
    return not begun and (waiting is None or waiting.reason in ("", "ContainerCreating", "PodInitializing"))
