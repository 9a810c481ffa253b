"""What a workload's own status says of its rollout."""

from __future__ import annotations

from kubedoctor.cluster.kinds.apps import DaemonSet, Deployment, StatefulSet
from kubedoctor.cluster.kinds.meta import KubernetesObject, condition


def unfinished(workload: KubernetesObject) -> bool:
    """A rollout is in progress, or its pods are not available."""
    if isinstance(workload, Deployment):
        progressing = condition(workload.status.conditions, "Progressing")
        return progressing is not None and progressing.status == "False" and not workload.spec.paused
    if isinstance(workload, StatefulSet):
        return workload.status.ready_replicas < workload.spec.desired_replicas
    if isinstance(workload, DaemonSet):
        return workload.status.updated_number_scheduled < workload.status.desired_number_scheduled
    return False


def seen_by_its_controller(daemon_set: DaemonSet) -> bool:
    """Its status is about the current template, so that the number of nodes in it is valid."""
    return daemon_set.status.observed_generation >= (daemon_set.metadata.generation or 0)
