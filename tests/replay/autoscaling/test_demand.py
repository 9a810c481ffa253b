"""What each metric demands, by the averages in the status."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from kubedoctor.cluster.kinds.autoscaling import HorizontalPodAutoscaler
from kubedoctor.replay.autoscaling.demand import demands


def one(
    kind: str, source: str, target: dict[str, Any], current: dict[str, Any], **more: Any
) -> HorizontalPodAutoscaler:
    identity = {"metric": {"name": "m"}} if kind in ("Pods", "Object", "External") else {"name": "m"}
    document = {
        "spec": {"metrics": [{"type": kind, source: {**identity, "target": target, **more}}]},
        "status": {"currentReplicas": 4, "currentMetrics": [{"type": kind, source: {**identity, "current": current}}]},
    }
    return msgspec.convert(document, HorizontalPodAutoscaler)


@pytest.mark.parametrize(
    ("autoscaler", "shown", "replicas"),
    [
        (one("Resource", "resource", {"averageUtilization": 50}, {"averageUtilization": 80}), ("80%", "50%"), 7),
        (one("Resource", "resource", {"averageValue": "500m"}, {"averageValue": "1"}), ("1", "500m"), 8),
        (one("Pods", "pods", {"averageValue": "1k"}, {"averageValue": "500"}), ("500", "1k"), 2),
        (one("Object", "object", {"value": "100"}, {"value": "105"}), ("105", "100"), 4),
        (one("External", "external", {"value": 10}, {"value": 31}), ("31", "10"), 13),
        (
            one(
                "ContainerResource",
                "containerResource",
                {"averageUtilization": 50},
                {"averageUtilization": 100},
                container="app",
            ),
            ("100%", "50%"),
            8,
        ),
    ],
)
def test_each_kind_of_metric(autoscaler: HorizontalPodAutoscaler, shown: tuple[str, str], replicas: int) -> None:
    (demand,) = demands(autoscaler)
    assert (demand.name, (demand.current, demand.target), demand.replicas) == ("m", shown, replicas)


@pytest.mark.parametrize(
    ("target", "current"),
    [
        ({"averageUtilization": 50}, {}),
        ({}, {"averageUtilization": 50}),
        ({"averageValue": "x"}, {"averageValue": "1"}),
    ],
)
def test_a_metric_without_a_value_demands_nothing(target: dict[str, Any], current: dict[str, Any]) -> None:
    assert demands(one("Resource", "resource", target, current)) == ()


def test_its_own_tolerance_counts() -> None:
    plain = one("Resource", "resource", {"averageUtilization": 50}, {"averageUtilization": 54})
    strict = msgspec.structs.replace(
        plain, spec=msgspec.structs.replace(plain.spec, behavior={"scaleUp": {"tolerance": "0.05"}})
    )
    assert (demands(plain)[0].replicas, demands(strict)[0].replicas) == (4, 5)
