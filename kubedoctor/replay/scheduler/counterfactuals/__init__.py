"""What would have to be different for a pending pod to find a node: the smallest changes, each proven by replay."""

from kubedoctor.replay.scheduler.counterfactuals.applying import Situation, apply_to_state
from kubedoctor.replay.scheduler.counterfactuals.changes import Change, Edit, Kind, Operation, Step, apply_change, made
from kubedoctor.replay.scheduler.counterfactuals.search import counterfactuals

__all__ = [
    "Change",
    "Edit",
    "Kind",
    "Operation",
    "Situation",
    "Step",
    "apply_change",
    "apply_to_state",
    "counterfactuals",
    "made",
]
