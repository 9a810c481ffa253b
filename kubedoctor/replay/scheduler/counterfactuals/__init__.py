"""What would have to be different for a pending pod to find a node: the smallest changes, each proven by replay."""

from kubedoctor.replay.scheduler.counterfactuals.applying import Situation, apply_to_state
from kubedoctor.replay.scheduler.counterfactuals.edits import Counterfactual, Edit, Kind
from kubedoctor.replay.scheduler.counterfactuals.search import counterfactuals

__all__ = [
    "Counterfactual",
    "Edit",
    "Kind",
    "Situation",
    "apply_to_state",
    "counterfactuals",
]
