"""The smallest changes that let a pending pod find a node, each proven by replay."""

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
