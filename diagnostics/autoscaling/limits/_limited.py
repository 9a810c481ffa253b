"""A HorizontalPodAutoscaler that would have more pods than it may, and whether the load can be the reason."""

from __future__ import annotations

from datetime import timedelta
from typing import Final, NamedTuple

from kubedoctor.cluster import (
    Cluster,
    HorizontalPodAutoscaler,
    amount_of,
    condition,
    controlling_owner,
    ref,
)
from kubedoctor.cluster.changes import put
from kubedoctor.findings import Effect, Fix, command_line
from kubedoctor.replay.autoscaling.demand import Demand, demands

_IDLE: Final = 20
"""Millicores that a program may use without load: most use less. A lean one does real work with as much."""
_ALWAYS: Final = timedelta(hours=1)


class IdleUse(NamedTuple):
    """A metric of CPU whose target is exceeded by almost nothing. used, target: millicores of a pod. field: of the target.
    since: how long the autoscaler has been at its maximum."""

    demand: Demand
    used: int
    target: float
    field: str
    since: timedelta


def idle_use(autoscaler: HorizontalPodAutoscaler, cluster: Cluster) -> IdleUse | None:
    """None where the pods use more than a program may without load, or the autoscaler is pinned."""
    limited = condition(autoscaler.status.conditions, "ScalingLimited")
    at = limited.last_transition_time if limited is not None else None
    pinned = (autoscaler.spec.min_replicas or 1) >= autoscaler.spec.max_replicas
    if not limited_above(autoscaler) or at is None or cluster.taken_at - at < _ALWAYS or pinned:
        return None
    demanded = [demand for demand in demands(autoscaler) if demand.replicas > autoscaler.spec.max_replicas]
    if len(demanded) != 1 or demanded[0].name != "cpu":
        return None  # Another metric has a reason of its own.
    (demand,) = demanded
    metric = (autoscaler.status.current_metrics or ())[demand.index]
    current = (metric.get("resource") or metric.get("containerResource") or {}).get("current") or {}
    value = current.get("averageValue")
    amount = amount_of(value) if isinstance(value, str) else None
    used = amount.milli_value() if amount is not None else None
    if used is None or not 0 < used <= _IDLE or demand.ratio <= 0:
        return None
    field = "averageUtilization" if demand.target.endswith("%") else "averageValue"
    return IdleUse(demand, used, used / demand.ratio, field, cluster.taken_at - at)


def limited_above(autoscaler: HorizontalPodAutoscaler) -> bool:
    """It runs as many pods as it may, and states that it would have more."""
    limited = condition(autoscaler.status.conditions, "ScalingLimited")
    return (
        limited is not None
        and limited.status == "True"
        and limited.reason == "TooManyReplicas"
        and autoscaler.status.current_replicas >= autoscaler.spec.max_replicas > 0
    )


def raise_maximum(autoscaler: HorizontalPodAutoscaler, demand: Demand | None, when: str = "") -> Fix:
    """Where it is raised, and to what the metrics demand. when: a clause."""
    owner = controlling_owner(autoscaler)
    if owner is not None:
        return Fix(
            f"Raise the maximum in {owner.kind} {owner.name}, which owns it, {when}if nodes and quotas have room"
        )
    line = command_line(put(ref(autoscaler), ("spec", "maxReplicas"), demand.replicas), autoscaler) if demand else ""
    number = f" to {demand.replicas}" if demand else ""
    return Fix(f"Raise maxReplicas{number}, {when}if nodes and quotas have room", line, Effect.CHANGES)
