"""Which pods a kubelet evicts first where its node is short of a resource (`pkg/kubelet/eviction/helpers.go`,
`eviction_manager.go`, v1.37)."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.cluster.kinds.references import Ref, ref
from kubedoctor.replay.scheduler.requests import pod_requests

_CRITICAL: Final = 2_000_000_000
"""The lowest priority of system-cluster-critical and system-node-critical (`pkg/apis/scheduling`)."""
_MIRROR: Final = "kubernetes.io/config.mirror"
"""Of a static pod, which a file on the node describes."""


class Pressure(enum.StrEnum):
    """The node's condition."""

    MEMORY = "MemoryPressure"
    DISK = "DiskPressure"
    PID = "PIDPressure"

    @property
    def resource(self) -> str:
        """The resource whose requests count; empty for process ids, which are not requested."""
        return {"MemoryPressure": "memory", "DiskPressure": "ephemeral-storage"}.get(self.value, "")


class EvictionCandidate(NamedTuple):
    """A pod that may be evicted. request: in bytes. usage: in bytes, of process ids their number; None where it is not
    known."""

    pod: Pod
    request: int
    usage: int | None
    priority: int

    @property
    def exceeds(self) -> bool | None:
        """Whether it uses more than it requests; None where that is not known. What requests nothing always does."""
        if self.usage is None:
            return True if not self.request else None
        return self.usage > self.request

    @property
    def above(self) -> int:
        """By how much it uses more than it requests."""
        return (self.usage or 0) - self.request


def eviction_order(pods: Iterable[Pod], pressure: Pressure, usages: Mapping[Ref, int]) -> tuple[EvictionCandidate, ...]:
    """The pods that may be evicted, the first to go first. The kubelet leaves the order of equal pods open; here it is
    by name."""
    candidates = [
        EvictionCandidate(pod, _request(pod, pressure), usages.get(ref(pod)), pod.spec.priority or 0)
        for pod in pods
        if may_be_evicted(pod)
    ]
    return tuple(sorted(candidates, key=lambda candidate: (*_rank(candidate, pressure), ref(candidate.pod))))


def may_be_evicted(pod: Pod) -> bool:
    """Neither ended nor critical nor of a file on the node."""
    if pod.status.phase in ("Succeeded", "Failed") or (pod.spec.priority or 0) >= _CRITICAL:
        return False
    return _MIRROR not in (pod.metadata.annotations or {})


def _rank(candidate: EvictionCandidate, pressure: Pressure) -> tuple[int, int, int]:
    """Process ids are not requested: only priority and number count."""
    if pressure is Pressure.PID:
        return (0, candidate.priority, -(candidate.usage or 0))
    exceeds = {True: 0, None: 1, False: 2}[candidate.exceeds]
    return (exceeds, candidate.priority, -candidate.above)


def _request(pod: Pod, pressure: Pressure) -> int:
    amount = pod_requests(pod.spec).get(pressure.resource)
    return amount.value() if amount is not None else 0
