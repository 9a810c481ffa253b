"""Why a HorizontalPodAutoscaler has no number: the controller's message by its kind.

`pkg/controller/podautoscaler` (horizontal.go, metrics/client.go, replica_calculator.go) and
`k8s.io/metrics/pkg/client/custom_metrics/discovery.go`, v1.19 to v1.37.
"""

from __future__ import annotations

import enum
import re
from typing import Final

import msgspec

from kubedoctor.cluster.kinds.autoscaling import HorizontalPodAutoscaler
from kubedoctor.cluster.kinds.meta import Condition, condition


class MetricsApi(enum.Enum):
    """Where metrics come from, by the API group."""

    RESOURCE = "metrics.k8s.io"
    CUSTOM = "custom.metrics.k8s.io"
    EXTERNAL = "external.metrics.k8s.io"


class NoMetrics(enum.Enum):
    """What is missing."""

    NOT_SERVED = "not-served"
    UNAVAILABLE = "unavailable"
    FORBIDDEN = "forbidden"
    NO_SUCH_METRIC = "no-such-metric"
    NO_VALUES = "no-values"
    NO_READY_PODS = "no-ready-pods"
    NO_PODS = "no-pods"
    MISSING_REQUEST = "missing-request"
    MISSING_CONTAINER = "missing-container"
    OTHER = "other"


class MetricsFailure(msgspec.Struct, frozen=True):
    """detail: the end of the message, where the reason is. Names that the message lacks are empty."""

    kind: NoMetrics
    api: MetricsApi
    detail: str
    resource: str = ""
    container: str = ""
    pod: str = ""


_REASONS: Final = {
    "FailedGetResourceMetric": MetricsApi.RESOURCE,
    "FailedGetContainerResourceMetric": MetricsApi.RESOURCE,
    "FailedGetPodsMetric": MetricsApi.CUSTOM,
    "FailedGetObjectMetric": MetricsApi.CUSTOM,
    "FailedGetExternalMetric": MetricsApi.EXTERNAL,
}
_FORMS: Final = (
    (
        re.compile(r"missing (?:pod-level )?request for (\S+?)(?: in (?:container (\S+) (?:of|in) )?[Pp]od (\S+))?$"),
        NoMetrics.MISSING_REQUEST,
    ),
    (
        re.compile(r"container ()(\S+) not (?:found|present) in (?:metrics for )?[Pp]od (\S+)$"),
        NoMetrics.MISSING_CONTAINER,
    ),
    (re.compile(r"did not receive metrics for (?:any|targeted) (?:ready )?pods"), NoMetrics.NO_READY_PODS),
    (re.compile(r"no pods returned by selector"), NoMetrics.NO_PODS),
    (re.compile(r"no metrics returned from|no metrics returned matched known pods"), NoMetrics.NO_VALUES),
    (
        re.compile(r"could not find the metric|no such metric|unable to find metric|unknown metric"),
        NoMetrics.NO_SUCH_METRIC,
    ),
    (
        re.compile(r"could not find the requested resource|metrics API \(\S+\) registered|no matches for kind"),
        NoMetrics.NOT_SERVED,
    ),
    (re.compile(r"is forbidden: "), NoMetrics.FORBIDDEN),
    (
        re.compile(
            r"unable to handle the request|ServiceUnavailable|connection refused|deadline exceeded|timeout|error trying to reach service|no endpoints available"
        ),
        NoMetrics.UNAVAILABLE,
    ),
)
_WRAPPERS: Final = re.compile(
    r"^(?:the HPA was unable to compute the replica count: |invalid metrics \(\d+ invalid out of \d+\), first error is: "
    r"|failed to get [^:]*: |unable to get (?:external )?metrics?(?: for resource)? [^:]*: "
    r"|unable to fetch metrics from (?:resource|custom|external) metrics API: )"
)


def failing(autoscaler: HorizontalPodAutoscaler) -> Condition | None:
    """The condition that it cannot compute a number from its metrics."""
    active = condition(autoscaler.status.conditions, "ScalingActive")
    if active is None or active.status != "False":
        return None
    return active if active.reason in _REASONS else None


def scale_failure(able: Condition) -> str:
    """Why the controller cannot scale the target, by the end of the message of AbleToScale."""
    return able.message.rpartition("current scale: ")[2]


def metrics_failure(active: Condition) -> MetricsFailure:
    """What the message of such a condition says."""
    api = _REASONS[active.reason]
    text = " ".join(active.message.split())
    detail = text
    while (wrapper := _WRAPPERS.match(detail)) is not None and wrapper.end() < len(detail):
        detail = detail[wrapper.end() :]
    for form, kind in _FORMS:
        match = form.search(text)
        if match is not None:
            names = [name or "" for name in match.groups()] + ["", "", ""]
            return MetricsFailure(kind, api, detail, *names[:3])
    return MetricsFailure(NoMetrics.OTHER, api, detail)
