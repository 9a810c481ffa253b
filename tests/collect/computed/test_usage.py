"""What pods and nodes use, as the metrics API serves it."""

from __future__ import annotations

from typing import Any

import pytest

from kubedoctor.cluster import Want
from kubedoctor.collect.computed.usage import Use, usage_in
from kubedoctor.collect.live.answers import ApiRefusal
from kubedoctor.sandbox import Fault
from kubedoctor.sandbox.faults import forbidden
from tests.collect.served import OBJECTS, live, make

METRICS = "metrics.k8s.io/v1beta1"


def measured(name: str, *parts: tuple[str, str], namespace: str = "shop") -> dict[str, Any]:
    containers = [
        {"name": f"c{number}", "usage": {"cpu": cpu, "memory": memory}} for number, (cpu, memory) in enumerate(parts)
    ]
    return make("PodMetrics", name, namespace, METRICS, containers=containers)


def measured_node(name: str, cpu: str, memory: str) -> dict[str, Any]:
    return make("NodeMetrics", name, "", METRICS, usage={"cpu": cpu, "memory": memory})


STATE = [
    *OBJECTS,
    measured("web-1", ("1500000n", "12Mi"), ("250m", "1000Ki")),
    measured("stranger", ("3", "1Gi"), namespace="other"),
    measured("just-started"),
    measured_node("n1", "1250m", "3Gi"),
]


def test_the_containers_of_a_pod_are_added_up() -> None:
    with live(objects=STATE) as (source, _):
        assert source.usage("Pod", "shop") == {("shop", "web-1"): Use(252, 12 * 1024**2 + 1000 * 1024)}


def test_all_namespaces_and_nodes() -> None:
    with live(objects=STATE) as (source, _):
        assert set(source.usage("Pod")) == {("shop", "web-1"), ("other", "stranger")}
        assert source.usage("Node", "shop") == {("", "n1"): Use(1250, 3 * 1024**3)}


def test_a_cluster_without_metrics_refuses() -> None:
    with live() as (source, _), pytest.raises(ApiRefusal) as refused:
        source.usage("Pod")
    assert refused.value.status == 404


def test_metrics_that_may_not_be_read_refuse() -> None:
    fault: Fault = forbidden("pods.metrics.k8s.io")
    with live(fault, objects=STATE) as (source, _), pytest.raises(ApiRefusal) as refused:
        source.usage("Pod")
    assert refused.value.status == 403


def test_a_recording_has_what_was_recorded() -> None:
    with live(objects=STATE) as (source, _):
        assert usage_in(source.snapshot, "Pod") is None
        source.gather(frozenset({Want("PodMetrics"), Want("NodeMetrics")}))
        assert usage_in(source.snapshot, "Pod", "shop") == source.usage("Pod", "shop")
        assert usage_in(source.snapshot, "Node") == source.usage("Node")
