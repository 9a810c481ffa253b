"""Who decides how many pods a workload has."""

from __future__ import annotations

from kubedoctor.cluster.kinds.autoscaling import HorizontalPodAutoscaler
from kubedoctor.cluster.kinds.references import Ref
from kubedoctor.cluster.seen.reading import Cluster

_SCALED = ("Deployment", "StatefulSet", "ReplicaSet", "ReplicationController")


def target_of(autoscaler: HorizontalPodAutoscaler) -> Ref:
    """The object that it scales; a custom kind is named with its group."""
    target = autoscaler.spec.scale_target_ref
    group = target.api_version.rpartition("/")[0]
    kind = target.kind if group in ("", "apps") else f"{target.kind}.{group}"
    return Ref(kind, autoscaler.namespace, target.name)


def autoscalers_of(workload: Ref, cluster: Cluster) -> tuple[HorizontalPodAutoscaler, ...]:
    """The HorizontalPodAutoscalers that scale a workload; none where they cannot be read."""
    return tuple(
        autoscaler
        for autoscaler in cluster.maybe.all(HorizontalPodAutoscaler, workload.namespace)
        if target_of(autoscaler) == workload
    )


def is_gone(target: Ref, cluster: Cluster) -> bool:
    """Whether the workload that an autoscaler scales does not exist. False where that cannot be seen."""
    missing = target.kind in _SCALED and cluster.maybe.get_ref(target) is None
    return missing and all(gap.kind != target.kind for gap in cluster.gaps)
