"""The autoscaling group."""

from typing import Any

from kubedoctor.cluster.kinds.meta import (
    Condition,
    KubernetesObject,
    ManagedMeta,
    Part,
    Time,
)


class CrossVersionReference(Part):
    kind: str = ""
    name: str = ""
    api_version: str = ""


class HorizontalPodAutoscalerSpec(Part):
    scale_target_ref: CrossVersionReference = CrossVersionReference()
    min_replicas: int | None = None
    max_replicas: int = 0
    metrics: tuple[dict[str, Any], ...] | None = None
    behavior: dict[str, Any] | None = None


class HorizontalPodAutoscalerStatus(Part):
    current_replicas: int = 0
    desired_replicas: int = 0
    conditions: tuple[Condition, ...] | None = None
    current_metrics: tuple[dict[str, Any], ...] | None = None
    last_scale_time: Time | None = None


class HorizontalPodAutoscaler(KubernetesObject):
    metadata: ManagedMeta = ManagedMeta()
    spec: HorizontalPodAutoscalerSpec = HorizontalPodAutoscalerSpec()
    status: HorizontalPodAutoscalerStatus = HorizontalPodAutoscalerStatus()
