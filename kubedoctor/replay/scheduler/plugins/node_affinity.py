"""NodeAffinity: node selector and required node affinity (`plugins/nodeaffinity`, v1.37)."""

from __future__ import annotations

from typing import Final

from kubedoctor.cluster.changes import Operation, Path, Step
from kubedoctor.cluster.grammar.nearest import likeness
from kubedoctor.cluster.grammar.selectors import CompiledNodeSelector
from kubedoctor.cluster.kinds.affinity import NodeSelectorRequirement, NodeSelectorTerm
from kubedoctor.cluster.kinds.core import Node
from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.cluster.kinds.references import ref
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
from kubedoctor.replay.scheduler.remedies.edits import Edit, Kind, Remedy, Replaced
from kubedoctor.replay.scheduler.snapshot import ClusterState, NodeInfo
from kubedoctor.replay.scheduler.well_known import HOSTNAME

NODE_AFFINITY: Final = Obstacle("node affinity")
ENFORCED_AFFINITY: Final = Obstacle("enforced affinity")
_REQUIRED: Final[Path] = ("spec", "affinity", "nodeAffinity", "requiredDuringSchedulingIgnoredDuringExecution")
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

    def early_remedies(self, pod: Pod, state: ClusterState, status: Status) -> list[Remedy]:
        remedies = _remedies(pod, state.nodes[0].node) if state.nodes else []
        return [remedy for remedy in remedies if len(remedy) == 1]

    def remedies(self, pod: Pod, state: ClusterState, node: NodeInfo, status: Status) -> list[Remedy]:
        return _remedies(pod, node.node)


def _named(terms: tuple[NodeSelectorTerm, ...]) -> frozenset[str] | None:
    """The nodes that the terms name, if every term names at least one."""
    names: set[str] = set()
    for term in terms:
        name_sets = [
            frozenset(match_field.values or ())
            for match_field in term.match_fields or ()
            if match_field.key == "metadata.name" and match_field.operator == "In"
        ]
        if not name_sets:
            return None
        names |= frozenset.intersection(*name_sets)
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
    """The label keys that the terms read, with the host name where they name nodes."""
    keys = set(pod.spec.node_selector or ())
    required = required_terms(pod)
    for term in (required.node_selector_terms if required else None) or ():
        keys.update(requirement.key for requirement in term.match_expressions or ())
        if term.match_fields:
            keys.add(HOSTNAME)
    return keys


def _remedies(pod: Pod, node: Node) -> list[Remedy]:
    """Require the labels that the node has, or drop the requirement."""
    selector = _about_selector(pod, node)
    terms = _about_terms(pod, node)
    if not terms:
        return selector
    return [(*label_edits, *term_edits) for label_edits in selector or [()] for term_edits in terms]


def _about_selector(pod: Pod, node: Node) -> list[Remedy]:
    wrong = sorted(
        (key, value) for key, value in (pod.spec.node_selector or {}).items() if node.labels.get(key) != value
    )
    corrected: list[Edit] = []
    dropped: list[Edit] = []
    for key, value in wrong:
        path = ("spec", "nodeSelector", key)
        operation = Operation(ref(pod), (Step(path, remove=True),))
        drop = Edit(Kind.DROP_SELECTOR, ref(pod), (operation,), (key,), 4, replaced=(Replaced(key, value, ""),))
        present = node.labels.get(key)
        correct = drop
        if present is not None and key != HOSTNAME:
            operation = Operation(ref(pod), (Step(path, present),))
            weight = 2 - likeness(value, present)
            replaced = (Replaced(key, value, present),)
            correct = Edit(Kind.CORRECT_SELECTOR, ref(pod), (operation,), (key, present), weight, replaced=replaced)
        corrected.append(correct)
        dropped.append(drop)
    if not wrong:
        return []
    return [tuple(corrected), tuple(dropped)] if corrected != dropped else [tuple(dropped)]


def _about_terms(pod: Pod, node: Node) -> list[Remedy]:
    required = required_terms(pod)
    if required is None or CompiledNodeSelector(required.node_selector_terms).matches(node.labels, node.name):
        return []
    remedies: list[Remedy] = []
    for index, term in enumerate(required.node_selector_terms or ()):
        remedies += _about_term(pod, node, index, term)
    operation = Operation(ref(pod), (Step(_REQUIRED, remove=True),))
    remedies.append((Edit(Kind.DROP_AFFINITY, ref(pod), (operation,), ("",), 5),))
    return remedies


def _about_term(pod: Pod, node: Node, index: int, term: NodeSelectorTerm) -> list[Remedy]:
    """The remedies where a single requirement blocks the node."""
    wrong: list[tuple[Path, NodeSelectorRequirement]] = []
    for field, requirements in (("matchExpressions", term.match_expressions), ("matchFields", term.match_fields)):
        for position, requirement in enumerate(requirements or ()):
            if not _holds(requirement, node, fields=field == "matchFields"):
                wrong.append(((*_REQUIRED, "nodeSelectorTerms", index, field, position), requirement))
    if len(wrong) != 1:
        return []
    path, requirement = wrong[0]
    remedies: list[Remedy] = []
    value = node.labels.get(requirement.key)
    values = requirement.values or ()
    if (
        requirement.operator == "In"
        and value is not None
        and "matchExpressions" in path
        and requirement.key != HOSTNAME
    ):
        weight = 2 - max((likeness(candidate, value) for candidate in values), default=0)
        operation = Operation(ref(pod), (Step((*path, "values", "-"), value),))
        remedies.append((Edit(Kind.CORRECT_AFFINITY, ref(pod), (operation,), (requirement.key, value), weight),))
    if len(term.match_expressions or ()) + len(term.match_fields or ()) > 1:
        expression = f"{requirement.key} {requirement.operator} {','.join(values)}".strip()
        operation = Operation(ref(pod), (Step(path, remove=True),))
        replaced = (Replaced(requirement.key, expression, ""),)
        remedies.append((Edit(Kind.DROP_AFFINITY, ref(pod), (operation,), (requirement.key,), 4, replaced=replaced),))
    return remedies


def _holds(requirement: NodeSelectorRequirement, node: Node, *, fields: bool) -> bool:
    alone = (requirement,)
    term = NodeSelectorTerm(match_fields=alone) if fields else NodeSelectorTerm(match_expressions=alone)
    return CompiledNodeSelector((term,)).matches(node.labels, node.name)
