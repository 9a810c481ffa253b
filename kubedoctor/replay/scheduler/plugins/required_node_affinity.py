"""Which nodes a pod's node selector and required node affinity allow (`component-helpers/scheduling`, v1.37)."""

from __future__ import annotations

from kubedoctor.cluster.grammar.selectors import CompiledNodeSelector, selector_from_map
from kubedoctor.cluster.kinds.affinity import NodeAffinity, NodeSelector
from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.replay.scheduler.snapshot import NodeInfo


def required_terms(pod: Pod) -> NodeSelector | None:
    """The required node affinity as it is written."""
    affinity = pod.spec.affinity
    node: NodeAffinity | None = affinity.node_affinity if affinity else None
    return node.required_during_scheduling_ignored_during_execution if node else None


class RequiredNodeAffinity:
    """Both together, compiled. An invalid term matches nothing."""

    def __init__(self, pod: Pod) -> None:
        self.labels = selector_from_map(pod.spec.node_selector)
        required = required_terms(pod)
        self.terms = CompiledNodeSelector(required.node_selector_terms) if required is not None else None

    def allows(self, node: NodeInfo) -> bool:
        """Whether the pod may use this node, by labels and name."""
        if not self.labels.matches(node.labels):
            return False
        return self.terms is None or self.terms.matches(node.labels, node.name)
