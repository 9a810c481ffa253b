"""Who decides how many pods a workload has."""

from __future__ import annotations

from kubedoctor.cluster.kinds.autoscaling import HorizontalPodAutoscaler
from kubedoctor.cluster.kinds.references import Ref
from kubedoctor.cluster.seen.reading import Cluster


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
