"""NodeAffinity: node selector and required node affinity (`plugins/nodeaffinity`, v1.37)."""

from __future__ import annotations

from kubedoctor.cluster.grammar.selectors import CompiledNodeSelector
from kubedoctor.cluster.kinds.affinity import NodeSelectorTerm
from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.replay.scheduler.framework import SKIPPED, SUCCESS, NodeFilter, Prepared, Status, unresolvable
from kubedoctor.replay.scheduler.plugins.required_node_affinity import RequiredNodeAffinity, required_terms
from kubedoctor.replay.scheduler.said import reasons
from kubedoctor.replay.scheduler.snapshot import ClusterState, NodeInfo

_MISMATCH = unresolvable(reasons.NODE_AFFINITY)
_ENFORCED = unresolvable(reasons.ENFORCED_AFFINITY)


class NodeAffinity:
    """`added` is the affinity that the scheduler's configuration adds to every pod."""

    name = "NodeAffinity"

    def __init__(self, added: CompiledNodeSelector | None = None) -> None:
        self.added = added

    def pre_filter(self, pod: Pod, state: ClusterState) -> Prepared:
        required = required_terms(pod)
        if required is None and self.added is None and pod.spec.node_selector is None:
            return SKIPPED
        node_filter = _Filter(RequiredNodeAffinity(pod), self.added)
        if required is None or not required.node_selector_terms:
            return Prepared(SUCCESS, node_filter)
        names = _named(required.node_selector_terms)
        if names is not None and not names:
            return Prepared(unresolvable(reasons.AFFINITY_CONFLICT))
        return Prepared(SUCCESS, node_filter, names)


def _named(terms: tuple[NodeSelectorTerm, ...]) -> frozenset[str] | None:
    """The nodes that the terms name, if every term names some."""
    names: set[str] = set()
    for term in terms:
        wanted = [
            frozenset(one.values or ())
            for one in term.match_fields or ()
            if one.key == "metadata.name" and one.operator == "In"
        ]
        if not wanted:
            return None
        names |= frozenset.intersection(*wanted)
    return frozenset(names)


class _Filter(NodeFilter):
    def __init__(self, required: RequiredNodeAffinity, added: CompiledNodeSelector | None) -> None:
        self.required = required
        self.added = added

    def check(self, node: NodeInfo) -> Status:
        if self.added is not None and not self.added.matches(node.labels, node.name):
            return _ENFORCED
        return SUCCESS if self.required.allows(node) else _MISMATCH
