"""What remains of a demanded number of pods: stabilisation, scaling policies, minimum and maximum.

`pkg/controller/podautoscaler/horizontal.go` and the defaults of `pkg/apis/autoscaling/v2/defaults.go`, v1.37. The
controller keeps its recommendations and scalings in memory; what is known of them is an argument here.
"""

from __future__ import annotations

import enum
import math
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec

from kubedoctor.cluster.kinds.autoscaling import HorizontalPodAutoscaler

DOWN_WINDOW: Final = timedelta(minutes=5)
"""`--horizontal-pod-autoscaler-downscale-stabilization`."""
_FACTOR: Final = 2
_LEAST: Final = 4
"""Without `spec.behavior` the number may double in one step, and always reach 4."""
_UP: Final = (
    {"type": "Pods", "value": 4, "periodSeconds": 15},
    {"type": "Percent", "value": 100, "periodSeconds": 15},
)
_DOWN: Final = ({"type": "Percent", "value": 100, "periodSeconds": 15},)


class Held(enum.Enum):
    """What keeps the number from the demanded one."""

    BY_NOTHING = "nothing"
    MAXIMUM = "maxReplicas"
    MINIMUM = "minReplicas"
    RATE = "rate"
    DISABLED = "disabled"
    """`selectPolicy: Disabled` of that direction."""
    WINDOW = "stabilization-window"


class Sample(msgspec.Struct, frozen=True):
    """A recommendation, or the change of a scaling (below zero for fewer pods), and its time."""

    at: datetime
    replicas: int


class Limited(msgspec.Struct, frozen=True):
    """demanded: before stabilisation and limits."""

    demanded: int
    replicas: int
    by: Held


def window(autoscaler: HorizontalPodAutoscaler, *, up: bool) -> timedelta:
    """The stabilisation window of a direction."""
    seconds = _rules(autoscaler, up=up).get("stabilizationWindowSeconds")
    if isinstance(seconds, int):
        return timedelta(seconds=seconds)
    return timedelta() if up else DOWN_WINDOW


def _rules(autoscaler: HorizontalPodAutoscaler, *, up: bool) -> dict[str, Any]:
    rules = (autoscaler.spec.behavior or {}).get("scaleUp" if up else "scaleDown")
    return rules if isinstance(rules, dict) else {}


def limited(
    autoscaler: HorizontalPodAutoscaler,
    demanded: int,
    current: int,
    now: datetime,
    recommendations: Sequence[Sample] = (),
    scalings: Sequence[Sample] = (),
) -> Limited:
    """The number that the controller sets, and what decides it."""
    stable = _stabilised(autoscaler, demanded, current, now, recommendations)
    if stable == current != demanded:
        return Limited(demanded, current, Held.WINDOW)
    least = 1 if autoscaler.spec.min_replicas is None else autoscaler.spec.min_replicas
    most = autoscaler.spec.max_replicas
    if stable > current:
        rate, disabled = _rate(autoscaler, current, now, scalings, up=True)
        if stable > min(most, rate):
            by = Held.MAXIMUM if most <= rate else Held.DISABLED if disabled else Held.RATE
            return Limited(demanded, min(most, rate), by)
    if stable < current:
        rate, disabled = _rate(autoscaler, current, now, scalings, up=False)
        if stable < max(least, rate):
            by = Held.MINIMUM if least >= rate else Held.DISABLED if disabled else Held.RATE
            return Limited(demanded, max(least, rate), by)
    if not least <= stable <= most:
        return Limited(demanded, min(most, max(least, stable)), Held.MAXIMUM if stable > most else Held.MINIMUM)
    return Limited(demanded, stable, Held.BY_NOTHING if stable == demanded else Held.WINDOW)


def _stabilised(
    autoscaler: HorizontalPodAutoscaler, demanded: int, current: int, now: datetime, recommendations: Sequence[Sample]
) -> int:
    """Within the lowest number of the window upwards and the highest of the window downwards."""
    up_from, down_from = (now - window(autoscaler, up=up) for up in (True, False))
    upper = min([demanded, *(sample.replicas for sample in recommendations if sample.at > up_from)])
    lower = max([demanded, *(sample.replicas for sample in recommendations if sample.at > down_from)])
    return min(max(current, upper), lower)


def _rate(
    autoscaler: HorizontalPodAutoscaler, current: int, now: datetime, scalings: Sequence[Sample], *, up: bool
) -> tuple[int, bool]:
    """How far the policies let the number move from `current`, and whether they forbid the direction."""
    rules = _rules(autoscaler, up=up)
    if autoscaler.spec.behavior is None:
        return (max(_FACTOR * current, _LEAST), False) if up else (0, False)
    select = rules.get("selectPolicy") or "Max"
    if select == "Disabled":
        return current, True
    policies = rules.get("policies") or (_UP if up else _DOWN)
    reached = [_reached(policy, current, now, scalings, up=up) for policy in policies]
    farthest: Callable[[list[int]], int] = max if (select == "Max") is up else min
    number = farthest(reached)
    return (max(current, number) if up else min(current, number)), False


def _reached(policy: dict[str, Any], current: int, now: datetime, scalings: Sequence[Sample], *, up: bool) -> int:
    """From the number at the begin of the policy's period."""
    begin = now - timedelta(seconds=policy.get("periodSeconds") or 0)
    start = current - sum(sample.replicas for sample in scalings if sample.at > begin)
    value = policy.get("value") or 0
    if policy.get("type") == "Percent":
        return math.ceil(start * (1 + value / 100)) if up else int(start * (1 - value / 100))
    return start + value if up else start - value
