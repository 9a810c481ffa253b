"""What a disruption budget allows (`pkg/controller/disruption/disruption.go`, v1.37)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Final

import msgspec

from kubedoctor.cluster.kinds.meta import OwnerReference, condition
from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.cluster.kinds.policy import PodDisruptionBudget
from kubedoctor.cluster.relations.workloads import controlling_owner
from kubedoctor.replay.disruption.evictions import guards

_PERCENT: Final = re.compile(r"([+-]?[0-9]+)%", re.ASCII)

ScaleOf = Callable[[OwnerReference, str], int | None]
"""The desired pods of a controller in a namespace; None where it has no scale or was not seen."""


class Allowance(msgspec.Struct, frozen=True):
    """Numbers of pods, as the status of a budget has them. problem: the pod whose controller has no scale; then nothing
    is allowed and the other numbers mean nothing."""

    expected: int = 0
    desired: int = 0
    healthy: int = 0
    problem: str = ""

    @property
    def allowed(self) -> int:
        """Pods that may be evicted now."""
        return 0 if self.problem or self.expected <= 0 else max(0, self.healthy - self.desired)

    @property
    def ever(self) -> bool:
        """A pod may be evicted once all of them are healthy."""
        return self.expected > self.desired


def allowance(budget: PodDisruptionBudget, pods: Iterable[Pod], scale_of: ScaleOf) -> Allowance:
    """What the disruption controller would compute for these pods of the namespace."""
    selected = [pod for pod in pods if guards(budget, pod)]
    spec, disrupted = budget.spec, budget.status.disrupted_pods or {}
    healthy = sum(
        1
        for pod in selected
        if pod.metadata.deletion_timestamp is None and pod.name not in disrupted and _is_ready(pod)
    )
    if spec.max_unavailable is None and isinstance(spec.min_available, int):
        return Allowance(len(selected), spec.min_available, healthy)
    scales: dict[str, int] = {}
    for pod in selected:
        owner = controlling_owner(pod)
        if owner is None or owner.uid in scales:
            continue
        scale = scale_of(owner, pod.namespace)
        if scale is None:
            return Allowance(healthy=healthy, problem=pod.name)
        scales[owner.uid] = scale
    expected = sum(scales.values())
    if spec.max_unavailable is not None:
        return Allowance(expected, max(0, expected - scaled(spec.max_unavailable, expected)), healthy)
    return Allowance(expected, scaled(spec.min_available or 0, expected), healthy)


def _is_ready(pod: Pod) -> bool:
    ready = condition(pod.status.conditions, "Ready")
    return ready is not None and ready.status == "True"


def scaled(value: int | str, whole: int) -> int:
    """A number, or a percentage rounded up; a text that is neither counts as 0."""
    if isinstance(value, int):
        return value
    percent = _PERCENT.fullmatch(value)
    return -(-whole * int(percent[1]) // 100) if percent else 0


def reported(budget: PodDisruptionBudget) -> Allowance | None:
    """The numbers of its own status; None while they are of an older spec or the controller could not compute them."""
    status = budget.status
    state = condition(status.conditions, "DisruptionAllowed")
    if status.observed_generation < budget.metadata.generation or (state is not None and state.reason == "SyncFailed"):
        return None
    return Allowance(status.expected_pods, status.desired_healthy, status.current_healthy)
