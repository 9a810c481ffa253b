"""What keeps a number of pods from the demanded one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from kubedoctor.cluster.kinds.autoscaling import HorizontalPodAutoscaler
from kubedoctor.replay.autoscaling.limits import Held, Sample, limited

NOW = datetime(2026, 1, 15, 10, 0, tzinfo=UTC)


def autoscaler(**spec: Any) -> HorizontalPodAutoscaler:
    return msgspec.convert({"spec": {"minReplicas": 2, "maxReplicas": 10} | spec}, HorizontalPodAutoscaler)


def up(*policies: tuple[str, int], **rules: Any) -> HorizontalPodAutoscaler:
    return autoscaler(behavior={"scaleUp": {"policies": _policies(*policies)} | rules})


def down(*policies: tuple[str, int], **rules: Any) -> HorizontalPodAutoscaler:
    return autoscaler(behavior={"scaleDown": {"policies": _policies(*policies)} | rules})


def _policies(*policies: tuple[str, int]) -> list[dict[str, Any]]:
    return [{"type": kind, "value": value, "periodSeconds": 60} for kind, value in policies]


def ago(seconds: int, replicas: int) -> Sample:
    return Sample(NOW - timedelta(seconds=seconds), replicas)


@pytest.mark.parametrize(
    ("subject", "demanded", "current", "replicas", "by"),
    [
        (autoscaler(), 7, 5, 7, Held.BY_NOTHING),
        (autoscaler(), 12, 8, 10, Held.MAXIMUM),
        (autoscaler(), 9, 3, 6, Held.RATE),
        (autoscaler(), 4, 1, 4, Held.BY_NOTHING),
        (autoscaler(), 1, 3, 2, Held.MINIMUM),
        (up(("Pods", 1)), 7, 4, 5, Held.RATE),
        (up(("Pods", 1), ("Percent", 50)), 7, 4, 6, Held.RATE),
        (up(("Pods", 1), ("Percent", 50), selectPolicy="Min"), 7, 4, 5, Held.RATE),
        (up(selectPolicy="Disabled"), 7, 4, 4, Held.DISABLED),
        (up(), 20, 4, 8, Held.RATE),
        (down(("Percent", 10)), 4, 10, 9, Held.RATE),
        (down(("Percent", 10), ("Pods", 4)), 4, 10, 6, Held.RATE),
        (down(("Percent", 10), ("Pods", 4), selectPolicy="Min"), 4, 10, 9, Held.RATE),
        (down(selectPolicy="Disabled"), 4, 10, 10, Held.DISABLED),
        (down(), 1, 10, 2, Held.MINIMUM),
    ],
)
def test_policies_and_limits(
    subject: HorizontalPodAutoscaler, demanded: int, current: int, replicas: int, by: Held
) -> None:
    result = limited(subject, demanded, current, NOW)
    assert (result.replicas, result.by) == (replicas, by)


def test_pods_of_the_same_period_count() -> None:
    subject = up(("Pods", 4))
    assert limited(subject, 20, 6, NOW, scalings=(ago(30, 2),)).replicas == 8
    assert limited(subject, 20, 6, NOW, scalings=(ago(90, 2),)).replicas == 10
    assert limited(subject, 20, 6, NOW, scalings=(ago(30, 9),)).replicas == 6


@pytest.mark.parametrize(
    ("subject", "demanded", "samples", "replicas", "by"),
    [
        (autoscaler(), 2, (ago(200, 5),), 5, Held.WINDOW),
        (autoscaler(), 2, (ago(200, 4),), 4, Held.WINDOW),
        (autoscaler(), 2, (ago(400, 5),), 2, Held.BY_NOTHING),
        (down(stabilizationWindowSeconds=60), 2, (ago(200, 5),), 2, Held.BY_NOTHING),
        (up(stabilizationWindowSeconds=60), 8, (ago(30, 5),), 5, Held.WINDOW),
        (up(), 8, (ago(30, 5),), 8, Held.BY_NOTHING),
    ],
)
def test_the_window_of_stabilisation(
    subject: HorizontalPodAutoscaler, demanded: int, samples: tuple[Sample, ...], replicas: int, by: Held
) -> None:
    result = limited(subject, demanded, 5, NOW, recommendations=samples)
    assert (result.replicas, result.by) == (replicas, by)
