"""How far the deletion of a pod has come."""

from __future__ import annotations

from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.cluster.triage import all_statuses


def running_containers(pod: Pod) -> tuple[str, ...]:
    """The containers that the kubelet still reports as running, init containers first."""
    return tuple(status.name for status in all_statuses(pod) if status.state is not None and status.state.running)


def stopped(pod: Pod) -> bool:
    """Whether the kubelet has confirmed that every container ended, or never started one: what is left is in the API."""
    if not pod.spec.node_name:
        return True
    statuses = tuple(all_statuses(pod))
    return bool(statuses) and all(status.state is not None and status.state.terminated for status in statuses)
