"""How far the deletion of a pod has come."""

from __future__ import annotations

from datetime import datetime, timedelta

from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.cluster.triage import all_statuses
from kubedoctor.replay.deletion.overdue import deletion_started


def running_containers(pod: Pod) -> tuple[str, ...]:
    """The containers that the kubelet still reports as running, init containers first."""
    return tuple(status.name for status in all_statuses(pod) if status.state is not None and status.state.running)


def kept_until(pod: Pod) -> datetime | None:
    """Of a pod that was deleted again with a shorter grace period than its own: until when the kubelet may wait. It keeps to
    the grace period with which it began to stop the containers (`pkg/kubelet`, SyncTerminatingPod, v1.37;
    kubernetes/kubernetes#83916). None where its own is not longer."""
    started, own = deletion_started(pod.metadata), pod.spec.termination_grace_period_seconds
    requested = pod.metadata.deletion_grace_period_seconds
    if started is None or own is None or requested is None or own <= requested:
        return None
    return started + timedelta(seconds=own)


def stopped(pod: Pod) -> bool:
    """Whether the kubelet has confirmed that every container ended, or never started one: what is left is in the API."""
    if not pod.spec.node_name:
        return True
    statuses = tuple(all_statuses(pod))
    return bool(statuses) and all(status.state is not None and status.state.terminated for status in statuses)
