"""How much memory the pods of a node may use, against what the node has for pods."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, NamedTuple

from kubedoctor.cluster.grammar.quantities import bytes_of
from kubedoctor.cluster.kinds.core import Node
from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.replay.kubelet.evictions import may_be_evicted
from kubedoctor.replay.kubelet.outcome_facts import memory_limit, pod_memory_limit
from kubedoctor.replay.scheduler.requests import pod_limits, pod_requests

FAR_ABOVE: Final = 1.5
"""Limits that add up to somewhat more than the node has are usual: programs rarely reach theirs at the same time."""


class Share(NamedTuple):
    """A pod's memory request, and its limit (None: it has none), in bytes."""

    pod: Pod
    request: int
    limit: int | None

    @property
    def above(self) -> float:
        """By how much it may exceed its request; without a limit by any amount."""
        return float("inf") if self.limit is None else self.limit - self.request


class MemoryCommitment(NamedTuple):
    """In bytes. requests, limits: of all pods. shares: those first that may exceed their request most, without the critical
    and static pods of the node, which often have no limit."""

    allocatable: int
    requests: int
    limits: int
    shares: tuple[Share, ...]

    @property
    def unlimited(self) -> tuple[Share, ...]:
        return tuple(share for share in self.shares if share.limit is None)

    @property
    def is_far_above(self) -> bool:
        """The limits add up to far more than the node has, or several pods may use all of it."""
        return self.limits >= FAR_ABOVE * self.allocatable or len(self.unlimited) > 1


def memory_commitment(node: Node, pods: Iterable[Pod]) -> MemoryCommitment | None:
    """What the pods that have not ended may use; None where the node's memory is not known."""
    allocatable = bytes_of((node.status.allocatable or {}).get("memory", ""))
    if not allocatable:
        return None
    shares = [_share(pod) for pod in pods if pod.status.phase not in ("Succeeded", "Failed")]
    own = [share for share in shares if may_be_evicted(share.pod)]
    return MemoryCommitment(
        allocatable,
        sum(share.request for share in shares),
        sum(share.limit or 0 for share in shares),
        tuple(sorted(own, key=lambda share: (-share.above, share.pod.namespace, share.pod.name))),
    )


def _share(pod: Pod) -> Share:
    requests, limits = pod_requests(pod.spec).get("memory"), pod_limits(pod.spec).get("memory")
    bounded = bool(pod_memory_limit(pod)) or all(memory_limit(container) for container in pod.spec.containers)
    limit = limits.value() if bounded and limits is not None else None
    return Share(pod, requests.value() if requests is not None else 0, limit)
