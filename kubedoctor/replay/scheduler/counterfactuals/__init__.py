"""What would have to be different for a pending pod to find a node: the smallest changes, each proven by replay."""

from kubedoctor.replay.scheduler.counterfactuals.applying import Situation, apply_to_state
from kubedoctor.replay.scheduler.counterfactuals.search import counterfactuals
from kubedoctor.replay.scheduler.remedies.edits import Counterfactual, Edit, Kind

__all__ = [
    "Counterfactual",
    "Edit",
    "Kind",
    "Situation",
    "apply_to_state",
    "counterfactuals",
]
