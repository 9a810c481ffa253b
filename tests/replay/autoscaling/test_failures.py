"""Messages of the autoscaler by their kind, as several releases write them."""

from __future__ import annotations

import msgspec
import pytest

from kubedoctor.cluster.kinds.autoscaling import HorizontalPodAutoscaler
from kubedoctor.cluster.kinds.meta import Condition
from kubedoctor.replay.autoscaling.failures import MetricsApi, NoMetrics, failing, metrics_failure

RESOURCE = "unable to get metrics for resource cpu: unable to fetch metrics from resource metrics API: "
EXTERNAL = "unable to get external metric shop/queue/&LabelSelector{MatchLabels:map[string]string{},}: "


@pytest.mark.parametrize(
    ("reason", "message", "kind", "names", "detail"),
    [
        (
            "FailedGetResourceMetric",
            f"failed to get cpu utilization: {RESOURCE}the server could not find the requested resource"
            " (get pods.metrics.k8s.io)",
            NoMetrics.NOT_SERVED,
            ("", "", ""),
            "the server could not find the requested resource (get pods.metrics.k8s.io)",
        ),
        (
            "FailedGetResourceMetric",
            f"{RESOURCE}the server is currently unable to handle the request (get pods.metrics.k8s.io)",
            NoMetrics.UNAVAILABLE,
            ("", "", ""),
            "the server is currently unable to handle the request (get pods.metrics.k8s.io)",
        ),
        (
            "FailedGetResourceMetric",
            'pods.metrics.k8s.io is forbidden: User "system:serviceaccount:kube-system:horizontal-pod-autoscaler" cannot list',
            NoMetrics.FORBIDDEN,
            ("", "", ""),
            'pods.metrics.k8s.io is forbidden: User "system:serviceaccount:kube-system:horizontal-pod-autoscaler" cannot list',
        ),
        (
            "FailedGetResourceMetric",
            "failed to get cpu utilization: missing request for cpu in container proxy of Pod web-1",
            NoMetrics.MISSING_REQUEST,
            ("cpu", "proxy", "web-1"),
            "missing request for cpu in container proxy of Pod web-1",
        ),
        ("FailedGetResourceMetric", "missing request for cpu", NoMetrics.MISSING_REQUEST, ("cpu", "", ""), ""),
        (
            "FailedGetResourceMetric",
            "failed to get memory utilization: missing pod-level request for memory in Pod web-1",
            NoMetrics.MISSING_REQUEST,
            ("memory", "", "web-1"),
            "",
        ),
        (
            "FailedGetResourceMetric",
            "failed to get cpu utilization: did not receive metrics for any ready pods",
            NoMetrics.NO_READY_PODS,
            ("", "", ""),
            "did not receive metrics for any ready pods",
        ),
        (
            "FailedGetResourceMetric",
            "failed to get cpu utilization: unable to get metrics for resource cpu: no metrics returned from resource"
            " metrics API",
            NoMetrics.NO_VALUES,
            ("", "", ""),
            "no metrics returned from resource metrics API",
        ),
        (
            "FailedGetContainerResourceMetric",
            "failed to get cpu utilization: container ap not found in Pod web-1",
            NoMetrics.MISSING_CONTAINER,
            ("", "ap", "web-1"),
            "",
        ),
        (
            "FailedGetExternalMetric",
            f"{EXTERNAL}unable to fetch metrics from external metrics API: the server could not find the requested resource",
            NoMetrics.NOT_SERVED,
            ("", "", ""),
            "",
        ),
        (
            "FailedGetPodsMetric",
            "unable to get metric requests: unable to fetch metrics from custom metrics API: no custom metrics API"
            " (custom.metrics.k8s.io) registered",
            NoMetrics.NOT_SERVED,
            ("", "", ""),
            "no custom metrics API (custom.metrics.k8s.io) registered",
        ),
        (
            "FailedGetObjectMetric",
            "unable to get metric hits: Ingress on shop web/unable to fetch metrics from custom metrics API: the server"
            " could not find the metric hits for ingresses.networking.k8s.io web",
            NoMetrics.NO_SUCH_METRIC,
            ("", "", ""),
            "",
        ),
        ("FailedGetExternalMetric", "invalid character 'x'", NoMetrics.OTHER, ("", "", ""), "invalid character 'x'"),
    ],
)
def test_the_kind_and_the_names(
    reason: str, message: str, kind: NoMetrics, names: tuple[str, str, str], detail: str
) -> None:
    failure = metrics_failure(
        Condition(reason=reason, message=f"the HPA was unable to compute the replica count: {message}")
    )
    assert failure.kind is kind
    assert (failure.resource, failure.container, failure.pod) == names
    assert not detail or failure.detail == detail


def test_the_api_is_that_of_the_reason() -> None:
    found = {
        reason: metrics_failure(Condition(reason=reason)).api
        for reason in ("FailedGetResourceMetric", "FailedGetPodsMetric", "FailedGetExternalMetric")
    }
    assert list(found.values()) == [MetricsApi.RESOURCE, MetricsApi.CUSTOM, MetricsApi.EXTERNAL]


@pytest.mark.parametrize(("status", "reason"), [("True", "ValidMetricFound"), ("False", "ScalingDisabled")])
def test_other_states_are_no_failure(status: str, reason: str) -> None:
    condition = {"type": "ScalingActive", "status": status, "reason": reason}
    assert failing(msgspec.convert({"status": {"conditions": [condition]}}, HorizontalPodAutoscaler)) is None
