"""Which nodes the pods of a DaemonSet are for, and how they are replaced (`pkg/controller/daemon`, v1.37)."""

from __future__ import annotations

from kubedoctor.cluster.kinds.apps import DaemonSet
from kubedoctor.cluster.kinds.pods import Pod

_NAME = "metadata.name"


def surges(daemon_set: DaemonSet) -> bool:
    """The new pod of a node is created before the old one ends (`maxSurge` above 0)."""
    strategy = daemon_set.spec.update_strategy
    surge = strategy.rolling_update.max_surge if strategy.rolling_update else None
    return strategy.type != "OnDelete" and surge not in (None, 0, "0%", "0")


def node_of(pod: Pod) -> str:
    """The node that the controller made a pod for: by its name in the required node affinity. Empty for other pods."""
    affinity = pod.spec.affinity and pod.spec.affinity.node_affinity
    required = affinity and affinity.required_during_scheduling_ignored_during_execution
    for term in (required and required.node_selector_terms) or ():
        for field in term.match_fields or ():
            if field.key == _NAME and field.operator == "In" and field.values:
                return field.values[0]
    return ""
