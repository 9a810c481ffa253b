"""How many pods a Deployment may replace at a time (`pkg/controller/deployment/rolling.go`, `util.ResolveFenceposts`, v1.37)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

import msgspec

from kubedoctor.cluster.grammar.patterns import compiled_later
from kubedoctor.cluster.kinds.apps import Deployment, ReplicaSet
from kubedoctor.cluster.kinds.meta import condition
from kubedoctor.cluster.relations.workloads import revision_of

DEFAULT: Final = "25%"
"""maxSurge and maxUnavailable where a Deployment does not set them."""
FEWEST_TURNS: Final = 3
"""A rollout, its rollback and the rollout of the repaired program are two of each."""
_PERCENT: Final = compiled_later(r"([0-9]+)%", re.ASCII)


class Fences(msgspec.Struct, frozen=True):
    """How many pods a rolling update may have above the desired number, and how many of it may be unavailable."""

    surge: int
    unavailable: int


def fences(deployment: Deployment) -> Fences:
    """Percentages of surge are rounded up, those of unavailable pods down; both may not be 0."""
    numbers, desired = deployment.spec.strategy.rolling_update, deployment.spec.desired_replicas
    surge = _scaled(numbers.max_surge if numbers else None, desired, up=True)
    unavailable = _scaled(numbers.max_unavailable if numbers else None, desired, up=False)
    return Fences(surge, unavailable if surge or unavailable else 1)


def _scaled(value: int | str | None, whole: int, *, up: bool) -> int:
    if isinstance(value, int):
        return value
    percent = _PERCENT.fullmatch(DEFAULT if value is None else value)
    product = whole * int(percent[1]) if percent else 0
    return -(-product // 100) if up else product // 100


def is_rolling(deployment: Deployment) -> bool:
    """It replaces its pods step by step, and may do so now."""
    return deployment.spec.strategy.type != "Recreate" and not deployment.spec.paused


def rolled_out_often(deployment: Deployment) -> bool:
    """Two templates can have taken turns: each rollout raises the number of its revision."""
    number = revision_of(deployment)
    return number is None or number >= 2 * FEWEST_TURNS


def rolls_out(deployment: Deployment) -> bool:
    """Pods of an old revision are left, and some pod is not available."""
    status = deployment.status
    return (
        is_rolling(deployment)
        and status.updated_replicas < status.replicas
        and status.unavailable_replicas > 0
        and deployment.metadata.deletion_timestamp is None
    )


def none_left(deployment: Deployment) -> bool:
    """A rollout that is not complete has replaced every pod, and no new pod is available.

    The reason of the condition stays the same after a rollout was complete, whatever happens to its pods then
    (`pkg/controller/deployment/progress.go`, v1.37)."""
    status, progressing = deployment.status, condition(deployment.status.conditions, "Progressing")
    if progressing is None or progressing.reason == "NewReplicaSetAvailable":
        return False
    return (
        deployment.spec.desired_replicas > 0 == status.available_replicas
        and status.updated_replicas == status.replicas > 0
        and status.observed_generation >= deployment.metadata.generation
        and deployment.metadata.deletion_timestamp is None
    )


def may_end_all(deployment: Deployment) -> bool:
    """A rollout may end all old pods before a new pod is available."""
    if deployment.spec.strategy.type == "Recreate":
        return True
    return fences(deployment).unavailable >= deployment.spec.desired_replicas


def old_pods_that_may_go(deployment: Deployment, newest: ReplicaSet, old: Iterable[ReplicaSet]) -> int:
    """How many old pods the controller would end now, broken ones first."""
    older = tuple(old)
    least = deployment.spec.desired_replicas - fences(deployment).unavailable
    total = newest.spec.desired_replicas + sum(item.spec.desired_replicas for item in older)
    missing = newest.spec.desired_replicas - newest.status.available_replicas
    most = total - least - missing
    if most <= 0:
        return 0
    broken = sum(max(0, item.spec.desired_replicas - item.status.available_replicas) for item in older)
    available = newest.status.available_replicas + sum(item.status.available_replicas for item in older)
    return min(most, broken) + max(0, available - least)
