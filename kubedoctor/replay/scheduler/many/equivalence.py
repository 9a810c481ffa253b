"""Pods that are equivalent for the scheduler, so that one replay is valid for all of them."""

from __future__ import annotations

import msgspec

from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.replay.scheduler import profile

_ENCODER = msgspec.json.Encoder(order="deterministic")


def equivalence_key(pod: Pod) -> bytes:
    """Equal for pods with the same filter results and the same preemption: everything that these read, nothing else.
    Nominated pods are unique."""
    spec, nominated = pod.spec, pod.status.nominated_node_name
    unique = (pod.name, pod.metadata.uid, nominated) if nominated else None
    parts = [part(pod) for part in profile.pod_parts()]
    return _ENCODER.encode((spec.priority or 0, spec.preemption_policy, spec.scheduling_gates, unique, parts))
