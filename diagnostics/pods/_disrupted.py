"""Who ended a pod from outside, in words: a taint of its node, its kubelet, the scheduler, a drain."""

from __future__ import annotations

from typing import NamedTuple

from diagnostics.pods._node import blamed_node
from kubedoctor.cluster import Pod, visible
from kubedoctor.findings import Evidence, Ref, has_path, quote
from kubedoctor.replay.disruption.targets import Disruption, disruption_of

LONGEST_MESSAGE = 240


class Disrupted(NamedTuple):
    """words: what follows the pod's name: `was deleted because node worker-a no longer exists`. because_of: its node, where that is the cause."""

    words: str
    evidence: tuple[Evidence, ...]
    because_of: tuple[Ref, ...]


def disrupted(pod: Pod) -> Disrupted | None:
    """None for a pod that nothing ended from outside."""
    target = disruption_of(pod)
    if target is None:
        return None
    node = f"node {pod.spec.node_name}" if pod.spec.node_name else "its node"
    message = visible(target.message, LONGEST_MESSAGE).rstrip(". ")
    words = {
        Disruption.BY_TAINT: f"was deleted from {node} by a NoExecute taint that it does not tolerate",
        Disruption.NODE_GONE: f"was deleted because {node} no longer exists",
        Disruption.BY_KUBELET: f"was ended by the kubelet of {node}{f': {message}' if message else ''}",
        Disruption.PREEMPTED: f"was preempted by the scheduler{f': {message}' if message else ''}",
        Disruption.BY_EVICTION: f"was evicted from {node} through the API, as by a drain",
    }[target.kind]
    evidence = tuple(
        quote(pod, f"{target.path}.{field}", shows)
        for field, shows in (("reason", "who ended it"), ("message", ""))
        if has_path(pod, f"{target.path}.{field}")
    )
    return Disrupted(words, evidence, blamed_node(pod) if target.of_the_node else ())
