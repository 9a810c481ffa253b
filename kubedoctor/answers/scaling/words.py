"""An autoscaler's failures and demands in words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from kubedoctor.cluster.grammar.text import counted
from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.cluster.triage import ready
from kubedoctor.replay.autoscaling.demand import Demand
from kubedoctor.replay.autoscaling.failures import MetricsApi, MetricsFailure, NoMetrics

_PROVIDERS: Final = {MetricsApi.RESOURCE: " (metrics-server is not installed)"}


def failure_line(failure: MetricsFailure, pods: Sequence[Pod]) -> str:
    """Why there is no number; pods: of the target."""
    api = failure.api.value
    match failure.kind:
        case NoMetrics.NOT_SERVED:
            return f"metrics API {api} is not served: no APIService provides it{_PROVIDERS.get(failure.api, '')}"
        case NoMetrics.UNAVAILABLE:
            return f"metrics API {api} is unavailable ({failure.detail})"
        case NoMetrics.NO_READY_PODS if pods and not any(map(ready, pods)):
            return f"none of its {counted(len(pods), 'pod')} is ready, so none has metrics"
        case NoMetrics.MISSING_REQUEST:
            return f"container {failure.container or '?'} has no {failure.resource} request"
        case NoMetrics.NO_VALUES:
            return f"metrics API {api} has no values for its pods"
    return failure.detail


def load_line(demand: Demand) -> str:
    """`cpu 84%, target 60%`."""
    of = f" of container {demand.container}" if demand.container else ""
    return f"{demand.name}{of} {demand.current}, target {demand.target}"
