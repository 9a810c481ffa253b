"""Why a pod was ended from outside, by its condition DisruptionTarget (`pkg/apis/core/types.go`,
`pkg/controller/{tainteviction,podgc}`, `pkg/kubelet`, v1.37)."""

from __future__ import annotations

import enum
from typing import Final, NamedTuple

from kubedoctor.cluster.kinds.meta import condition
from kubedoctor.cluster.kinds.pods import Pod

CONDITION: Final = "DisruptionTarget"


class Disruption(enum.Enum):
    """Who ended the pod, and for what; the values are the condition's reasons."""

    BY_TAINT = "DeletionByTaintManager"
    NODE_GONE = "DeletionByPodGC"
    BY_KUBELET = "TerminationByKubelet"
    PREEMPTED = "PreemptionByScheduler"
    BY_EVICTION = "EvictionByEvictionAPI"


OF_THE_NODE: Final = frozenset({Disruption.BY_TAINT, Disruption.NODE_GONE, Disruption.BY_KUBELET})
"""What is found about the pod's node explains these."""


_REASONS: Final = frozenset({"Terminated", "NodeShutdown", "Shutdown", "NodeLost", "Preempting"})
"""`status.reason` of pods that kubelets ended before the condition was introduced, and still write beside it."""


class EndedBy(NamedTuple):
    """path: what states it, with the fields `reason` and `message`."""

    kind: Disruption
    message: str
    path: str

    @property
    def of_the_node(self) -> bool:
        return self.kind in OF_THE_NODE


def disruption_of(pod: Pod) -> EndedBy | None:
    """Why it was ended from outside; None where nothing says so, or another program's own reason stands there."""
    stated = condition(pod.status.conditions, CONDITION)
    if stated is not None and stated.status == "True":
        kind = next((kind for kind in Disruption if kind.value == stated.reason), None)
        path = f"status.conditions[type={CONDITION}]"
        return EndedBy(kind, " ".join(stated.message.split()), path) if kind is not None else None
    if pod.status.reason in _REASONS:
        return EndedBy(Disruption.BY_KUBELET, " ".join(pod.status.message.split()), "status")
    return None
