"""Which nodes the pods of a DaemonSet are for, and how they are replaced (`pkg/controller/daemon`, v1.37)."""

from __future__ import annotations

from typing import Final

from kubedoctor.cluster.grammar.selectors import node_selector_matches
from kubedoctor.cluster.grammar.tolerations import untolerated
from kubedoctor.cluster.kinds.affinity import Toleration
from kubedoctor.cluster.kinds.apps import DaemonSet
from kubedoctor.cluster.kinds.core import Node, Taint
from kubedoctor.cluster.kinds.pods import Pod

_NAME: Final = "metadata.name"
_NODE: Final = "node.kubernetes.io/"
_GIVEN: Final = (
    *(Toleration(key=f"{_NODE}{name}", operator="Exists", effect="NoExecute") for name in ("not-ready", "unreachable")),
    *(
        Toleration(key=f"{_NODE}{name}", operator="Exists", effect="NoSchedule")
        for name in ("disk-pressure", "memory-pressure", "pid-pressure", "unschedulable")
    ),
)
"""What every pod of a DaemonSet tolerates (`pkg/controller/daemon/util`, AddOrUpdateDaemonPodTolerations, v1.37)."""
_ON_HOST_NETWORK: Final = Toleration(key=f"{_NODE}network-unavailable", operator="Exists", effect="NoSchedule")


def is_for(daemon_set: DaemonSet, node: Node) -> bool:
    """Its node selector and node affinity match the node, whatever its taints are (`NodeShouldRunDaemonPod`)."""
    spec = daemon_set.spec.template.spec
    if any(node.labels.get(key) != value for key, value in (spec.node_selector or {}).items()):
        return False
    affinity = spec.affinity and spec.affinity.node_affinity
    required = affinity and affinity.required_during_scheduling_ignored_during_execution
    return not required or node_selector_matches(required.node_selector_terms or (), node.labels, node.name)


def taint_against(daemon_set: DaemonSet, node: Node) -> Taint | None:
    """The first taint of the node that its pods do not tolerate."""
    spec = daemon_set.spec.template.spec
    given = (*_GIVEN, _ON_HOST_NETWORK) if spec.host_network else _GIVEN
    return untolerated((*(spec.tolerations or ()), *given), node.spec.taints or ())


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
