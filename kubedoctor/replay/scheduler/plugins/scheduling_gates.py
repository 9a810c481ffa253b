"""SchedulingGates: a gated pod is not scheduled (`plugins/schedulinggates`, v1.37)."""

from __future__ import annotations

from typing import Final

from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.replay.scheduler.framework import SUCCESS, Obstacle, Status, Wording, reason, unresolvable

NAME: Final = "SchedulingGates"
GATED: Final = Obstacle("gated")
WORDINGS: Final = (Wording(r"waiting for scheduling gates: \[(?P<detail>.*)\]", GATED),)


def pre_enqueue(pod: Pod) -> Status:
    """Whether the pod may enter the queue."""
    gates = [gate.name for gate in pod.spec.scheduling_gates or ()]
    if not gates:
        return SUCCESS
    joined = " ".join(gates)
    return unresolvable(reason(GATED, f"waiting for scheduling gates: [{joined}]", joined), named=tuple(gates))
