"""Pods that the scheduler cannot tell apart, so that the replay of one answers for all."""

from __future__ import annotations

import msgspec

from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.replay.scheduler import profile

_ENCODER = msgspec.json.Encoder(order="deterministic")


def equivalence_key(pod: Pod) -> bytes:
    """Equal for pods to which every filter gives the same answers, and which preempt the same: all that these read, nothing
    else. Nominated pods are like no other."""
    spec, nominated = pod.spec, pod.status.nominated_node_name
    unique = (pod.name, pod.metadata.uid, nominated) if nominated else None
    parts = [part(pod) for part in profile.pod_parts()]
    return _ENCODER.encode((spec.priority or 0, spec.preemption_policy, spec.scheduling_gates, unique, parts))
