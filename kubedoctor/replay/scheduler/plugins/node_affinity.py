"""NodeAffinity: node selector and required node affinity (`plugins/nodeaffinity`, v1.37)."""

from __future__ import annotations

from typing import Final

from kubedoctor.cluster.grammar.selectors import CompiledNodeSelector
from kubedoctor.cluster.kinds.affinity import NodeSelectorTerm
from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.replay.scheduler.framework import (
    SKIPPED,
    SUCCESS,
    NodeFilter,
    Obstacle,
    Plugin,
    Prepared,
    Status,
    Wording,
    reason,
    unresolvable,
)
from kubedoctor.replay.scheduler.many.node_classes import Grouping, NodeClasses
from kubedoctor.replay.scheduler.plugins import pod_parts
from kubedoctor.replay.scheduler.plugins.required_node_affinity import RequiredNodeAffinity, required_terms
from kubedoctor.replay.scheduler.snapshot import ClusterState, NodeInfo
from kubedoctor.replay.scheduler.well_known import HOSTNAME

NODE_AFFINITY: Final = Obstacle("node affinity")
ENFORCED_AFFINITY: Final = Obstacle("enforced affinity")
_MISMATCH: Final = unresolvable(reason(NODE_AFFINITY, "node(s) didn't match Pod's node affinity/selector"))
_ENFORCED: Final = unresolvable(reason(ENFORCED_AFFINITY, "node(s) didn't match scheduler-enforced node affinity"))
_CONFLICT: Final = unresolvable(reason(NODE_AFFINITY, "pod affinity terms conflict"))


class NodeAffinity(Plugin):
    """`added` is the affinity that the scheduler's configuration adds to every pod."""

    name = "NodeAffinity"
    pod_parts = (pod_parts.node_selector, pod_parts.affinity)
    wordings = (
        Wording(r"node\(s\) didn't match Pod's node affinity(?:/selector)?", NODE_AFFINITY),
        Wording(r"node\(s\) didn't match node selector", NODE_AFFINITY),
        Wording(r"pod affinity terms conflict", NODE_AFFINITY),
        Wording(r"node\(s\) didn't match scheduler-enforced node affinity", ENFORCED_AFFINITY),
    )
    left_out_as = NODE_AFFINITY

    def __init__(self, added: CompiledNodeSelector | None = None) -> None:
        self.added = added

    def pre_filter(self, pod: Pod, state: ClusterState) -> Prepared:
        required = required_terms(pod)
        if required is None and self.added is None and pod.spec.node_selector is None:
            return SKIPPED
        node_filter = _Filter(pod, self.added)
        if required is None or not required.node_selector_terms:
            return Prepared(SUCCESS, node_filter)
        names = _named(required.node_selector_terms)
        if names is not None and not names:
            return Prepared(_CONFLICT)
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
    def __init__(self, pod: Pod, added: CompiledNodeSelector | None) -> None:
        self.pod = pod
        self.required = RequiredNodeAffinity(pod)
        self.added = added

    def check(self, node: NodeInfo) -> Status:
        if self.added is not None and not self.added.matches(node.labels, node.name):
            return _ENFORCED
        return SUCCESS if self.required.allows(node) else _MISMATCH

    def alike(self, classes: NodeClasses) -> Grouping:
        return classes.each if self.added is not None else classes.by_labels(_label_keys(self.pod))


def _label_keys(pod: Pod) -> set[str]:
    """With the host name where the node itself is meant."""
    keys = set(pod.spec.node_selector or ())
    required = required_terms(pod)
    for term in (required.node_selector_terms if required else None) or ():
        keys.update(one.key for one in term.match_expressions or ())
        if term.match_fields:
            keys.add(HOSTNAME)
    return keys
