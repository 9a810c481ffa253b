"""How many pods each metric of a HorizontalPodAutoscaler demands, by the averages in its status.

A replay of `replica_calculator.go` (v1.37) without the single pods: it is exact where all pods are ready and measured.
"""

from __future__ import annotations

import math
from typing import Any, Final

import msgspec

from kubedoctor.cluster.grammar.quantities import amount_of
from kubedoctor.cluster.kinds.autoscaling import HorizontalPodAutoscaler
from kubedoctor.replay.autoscaling.replicas import Tolerance

_SOURCES: Final = {
    "Resource": "resource",
    "ContainerResource": "containerResource",
    "Pods": "pods",
    "Object": "object",
    "External": "external",
}


class Demand(msgspec.Struct, frozen=True):
    """name: of the resource or metric. container: of a ContainerResource metric. current, target: as the API has them, per
    cent of the request with a `%`. replicas: what this metric alone demands, before any limit. index: in `spec.metrics`.
    """

    index: int
    name: str
    current: str
    target: str
    ratio: float
    replicas: int
    container: str = ""


def tolerance_of(autoscaler: HorizontalPodAutoscaler) -> Tolerance:
    """Its own tolerances, or a tenth."""
    behavior = autoscaler.spec.behavior or {}
    return Tolerance(_tolerance(behavior.get("scaleUp")), _tolerance(behavior.get("scaleDown")))


def _tolerance(rules: Any) -> float:
    number = _number(rules.get("tolerance")) if isinstance(rules, dict) else None
    return 0.1 if number is None else number


def demands(autoscaler: HorizontalPodAutoscaler) -> tuple[Demand, ...]:
    """The demands of the metrics that have a value and a target, the largest first."""
    statuses = autoscaler.status.current_metrics or ()
    found = [
        demand
        for index, (metric, status) in enumerate(zip(autoscaler.spec.metrics or (), statuses, strict=False))
        if (demand := _demand(index, metric, status, autoscaler)) is not None
    ]
    return tuple(sorted(found, key=lambda demand: (-demand.replicas, demand.index)))


def _demand(
    index: int, metric: dict[str, Any], status: dict[str, Any], autoscaler: HorizontalPodAutoscaler
) -> Demand | None:
    source = _SOURCES.get(str(metric.get("type")))
    wanted, measured = metric.get(source or ""), status.get(source or "")
    if not isinstance(wanted, dict) or not isinstance(measured, dict):
        return None
    target, current = wanted.get("target"), measured.get("current")
    if not isinstance(target, dict) or not isinstance(current, dict):
        return None
    for field, unit in (("averageUtilization", "%"), ("averageValue", ""), ("value", "")):
        goal, value = _number(target.get(field)), _number(current.get(field))
        if goal and value is not None:
            identity = wanted.get("metric")
            name = wanted.get("name") or (identity.get("name") if isinstance(identity, dict) else "")
            ratio = value / goal
            return Demand(
                index,
                str(name or ""),
                f"{current[field]}{unit}",
                f"{target[field]}{unit}",
                ratio,
                _replicas(ratio, autoscaler),
                str(wanted.get("container") or ""),
            )
    return None


def _replicas(ratio: float, autoscaler: HorizontalPodAutoscaler) -> int:
    current = autoscaler.status.current_replicas
    if tolerance_of(autoscaler).covers(ratio):
        return current
    return math.ceil(round(ratio * current, 9))


def _number(value: Any) -> float | None:
    if isinstance(value, int | float):
        return float(value)
    amount = amount_of(value) if isinstance(value, str) else None
    return amount.milli_value() / 1000 if amount is not None else None
