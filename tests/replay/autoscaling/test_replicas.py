"""The replica count of a metric; upstream's own answers are compared in tests/testing/test_oracle.py."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.replay.autoscaling.replicas import Failure, Load, MetricObstacle, MetricTarget, Proposal, Why, propose

NOW = datetime(2026, 1, 1, 12, 0, tzinfo=UTC)
HALF = MetricTarget("cpu", utilization=50)


def pod(name: str, *, ready: str = "True", age: int = 3600, request: str = "100m", **more: Any) -> Pod:
    start = NOW - timedelta(seconds=age)
    container = {"name": "app", "resources": {"requests": {"cpu": request} if request else {}}}
    changed = start + timedelta(seconds=5)
    document = {
        "metadata": {"name": name, "namespace": "shop"},
        "spec": {"containers": [container], **more},
        "status": {
            "phase": "Running",
            "startTime": start.isoformat(),
            "conditions": [{"type": "Ready", "status": ready, "lastTransitionTime": changed.isoformat()}],
        },
    }
    return msgspec.convert(document, Pod)


def load(value: int) -> Load:
    return Load(value, NOW, timedelta(seconds=30))


def proposed(
    pods: list[Pod], loads: dict[str, int], target: MetricTarget = HALF, current: int = 2
) -> Proposal | Failure:
    return propose(target, current, pods, {name: load(value) for name, value in loads.items()}, NOW)


@pytest.mark.parametrize(
    ("pods", "loads", "replicas", "why"),
    [
        ([pod("a"), pod("b")], {"a": 90, "b": 90}, 4, Why.RATIO),
        ([pod("a"), pod("b")], {"a": 52, "b": 52}, 2, Why.TOLERANCE),
        ([pod("a"), pod("b")], {"a": 200}, 4, Why.RATIO),  # b counts as idle
        ([pod("a"), pod("b")], {"a": 20}, 2, Why.UNCOUNTED_PODS),  # b counts as busy
        ([pod("a"), pod("b", ready="False")], {"a": 90, "b": 90}, 2, Why.TOLERANCE),  # b never was ready: idle
        ([pod("a"), pod("b", ready="False", age=10)], {"a": 300, "b": 300}, 6, Why.RATIO),
    ],
)
def test_what_decides_the_number(pods: list[Pod], loads: dict[str, int], replicas: int, why: Why) -> None:
    proposal = proposed(pods, loads)
    assert isinstance(proposal, Proposal)
    assert (proposal.replicas, proposal.why) == (replicas, why)


@pytest.mark.parametrize(
    ("pods", "loads", "target", "failure"),
    [
        ([pod("a")], {}, HALF, Failure(MetricObstacle.NO_METRICS, "cpu")),
        ([], {"a": 1}, HALF, Failure(MetricObstacle.NO_PODS)),
        ([pod("a", ready="False", age=10)], {"a": 1}, HALF, Failure(MetricObstacle.ALL_UNREADY)),
        ([pod("a", request="")], {"a": 1}, HALF, Failure(MetricObstacle.MISSING_REQUEST, "cpu", "a", "app")),
        (
            [pod("a", initContainers=[{"name": "proxy", "restartPolicy": "Always"}])],
            {"a": 1},
            HALF,
            Failure(MetricObstacle.MISSING_REQUEST, "cpu", "a", "proxy"),
        ),
        (
            [pod("a")],
            {"a": 1},
            MetricTarget("cpu", utilization=50, container="db"),
            Failure(MetricObstacle.MISSING_CONTAINER, pod="a", container="db"),
        ),
        (
            [pod("a", resources={"requests": {"memory": "1Gi"}}, initContainers=[])],
            {"a": 1},
            HALF,
            None,
        ),
    ],
)
def test_what_prevents_a_number(
    pods: list[Pod], loads: dict[str, int], target: MetricTarget, failure: Failure | None
) -> None:
    result = proposed(pods, loads, target)
    assert result == failure if failure else isinstance(result, Proposal)


def test_a_container_of_its_own_needs_no_request_of_the_others() -> None:
    sidecar = pod("a", initContainers=[{"name": "proxy", "restartPolicy": "Always"}])
    result = proposed([sidecar], {"a": 100}, MetricTarget("cpu", utilization=50, container="app"), current=1)
    assert isinstance(result, Proposal)
    assert (result.replicas, result.utilization) == (2, 100)


def test_an_average_needs_no_request() -> None:
    result = proposed([pod("a", request="")], {"a": 300}, MetricTarget("cpu", average=100), current=1)
    assert isinstance(result, Proposal)
    assert (result.replicas, result.average) == (3, 300)
