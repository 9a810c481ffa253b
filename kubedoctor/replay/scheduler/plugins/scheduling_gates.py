"""SchedulingGates: a gated pod is not tried at all (`plugins/schedulinggates`, v1.37)."""

from __future__ import annotations

from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.replay.scheduler.framework import SUCCESS, Status, unresolvable
from kubedoctor.replay.scheduler.said import reasons

NAME = "SchedulingGates"


def pre_enqueue(pod: Pod) -> Status:
    """Whether the pod may enter the queue."""
    gates = [gate.name for gate in pod.spec.scheduling_gates or ()]
    return unresolvable(reasons.gated(gates), named=tuple(gates)) if gates else SUCCESS
