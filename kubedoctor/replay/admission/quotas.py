"""Whether one more pod would exceed a ResourceQuota (`pkg/quota/v1/evaluator/core/pods.go podComputeUsageHelper`,
v1.37)."""

from __future__ import annotations

from typing import NamedTuple

from kubedoctor.cluster.grammar.quantities import Quantity
from kubedoctor.cluster.kinds.core import ResourceQuota
from kubedoctor.cluster.kinds.pods import PodSpec
from kubedoctor.replay.scheduler.requests import amounts, pod_limits, pod_requests


class Over(NamedTuple):
    """A resource that one more pod would exceed: the amounts used, allowed, and needed."""

    resource: str
    used: Quantity
    hard: Quantity
    needed: Quantity


def pod_usage(spec: PodSpec) -> dict[str, Quantity]:
    """The usage of a pod, by the names that quotas use. A request also counts under its name without `requests.`."""
    usage: dict[str, Quantity] = {"pods": Quantity.of(1)}
    for resource, amount in pod_requests(spec, defaulted=False).items():
        usage[resource] = usage[f"requests.{resource}"] = amount
    return usage | {f"limits.{resource}": amount for resource, amount in pod_limits(spec).items()}


def would_exceed(quota: ResourceQuota, usage: dict[str, Quantity]) -> tuple[Over, ...]:
    """The resources that one more pod of that usage would exceed. Quotas with scopes are not evaluated."""
    if quota.spec.scopes or quota.spec.scope_selector:
        return ()
    used = amounts(quota.status.used)
    limits = (
        Over(name, used.get(name, Quantity()), hard, usage[name])
        for name, hard in amounts(quota.status.hard).items()
        if name in usage
    )
    return tuple(limit for limit in limits if limit.used + limit.needed > limit.hard)
