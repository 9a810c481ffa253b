"""How far the deletion of a pod has come."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.cluster.triage import all_statuses
from kubedoctor.replay.deletion.overdue import deletion_started


def running_containers(pod: Pod) -> tuple[str, ...]:
    """The containers that the kubelet still reports as running, init containers first."""
    return tuple(status.name for status in all_statuses(pod) if status.state is not None and status.state.running)


LONG: Final = timedelta(minutes=5)
"""So long after the grace period that was requested, waiting for a longer one is worth a warning."""


def own_grace_end(pod: Pod) -> datetime | None:
    """Of a pod that is deleted with a shorter grace period than its own: when its own ends. If it had been deleted before
    without that, the kubelet keeps to the grace period with which it began to stop the containers (`pkg/kubelet`,
    SyncTerminatingPod, v1.37; kubernetes/kubernetes#83916); if not, it is overdue. The API does not tell which. None where
    its own is not longer."""
    started, own = deletion_started(pod.metadata), pod.spec.termination_grace_period_seconds
    requested = pod.metadata.deletion_grace_period_seconds
    if started is None or own is None or requested is None or own <= requested:
        return None
    return started + timedelta(seconds=own)


def kept_until(pod: Pod) -> datetime | None:
    """Until when a pod may ordinarily stay for `own_grace_end`."""
    end, due = own_grace_end(pod), pod.metadata.deletion_timestamp
    return min(end, due + LONG) if end is not None and due is not None else None


def stopped(pod: Pod) -> bool:
    """Whether the kubelet has confirmed that every container ended, or never started one: what is left is in the API."""
    if not pod.spec.node_name:
        return True
    statuses = tuple(all_statuses(pod))
    return bool(statuses) and all(status.state is not None and status.state.terminated for status in statuses)
