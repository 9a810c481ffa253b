"""How many pods the controllers would create (`pkg/controller/{replicaset,statefulset,daemon,job}`, v1.37)."""

from __future__ import annotations

from kubedoctor.cluster.kinds.apps import DaemonSet, Job, ReplicaSet, StatefulSet
from kubedoctor.cluster.kinds.meta import KubernetesObject, condition


def lacks_pods(obj: KubernetesObject) -> bool:
    """Fewer pods exist than desired."""
    return missing_pods(obj) > 0


def missing_pods(obj: KubernetesObject) -> int:
    """How many desired pods do not exist."""
    if isinstance(obj, ReplicaSet | StatefulSet):
        return max(0, obj.spec.desired_replicas - obj.status.replicas)
    if isinstance(obj, DaemonSet):
        return max(0, obj.status.desired_number_scheduled - obj.status.current_number_scheduled)
    if isinstance(obj, Job) and not obj.spec.suspend and obj.status.completion_time is None:
        if any(condition(obj.status.conditions, kind) for kind in ("Failed", "Complete", "FailureTarget")):
            return 0
        parallel = 1 if obj.spec.parallelism is None else obj.spec.parallelism
        remaining = parallel if obj.spec.completions is None else obj.spec.completions - obj.status.succeeded
        return max(0, min(parallel, remaining) - obj.status.active)
    return 0
