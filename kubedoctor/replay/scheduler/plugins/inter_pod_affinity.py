"""InterPodAffinity: required affinity and anti-affinity between pods, both ways (`plugins/interpodaffinity`, v1.37)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from msgspec.structs import replace

from kubedoctor.cluster.changes import Operation, Path, Step
from kubedoctor.cluster.grammar.selectors import SelectorError
from kubedoctor.cluster.kinds.affinity import PodAffinity, PodAffinityTerm
from kubedoctor.cluster.kinds.core import Namespace
from kubedoctor.cluster.kinds.meta import KubernetesObject
from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.cluster.kinds.references import ref
from kubedoctor.replay.scheduler.framework import (
    OTHER,
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
    unschedulable,
)
from kubedoctor.replay.scheduler.many.node_classes import Grouping, NodeClasses
from kubedoctor.replay.scheduler.plugins import pod_parts
from kubedoctor.replay.scheduler.plugins.affinity_terms import AffinityTerm, compiled, terms_of, with_namespaces
from kubedoctor.replay.scheduler.plugins.selector_errors import parsing_problem
from kubedoctor.replay.scheduler.remedies.deleting import delete_pods
from kubedoctor.replay.scheduler.remedies.edits import Because, Edit, Kind, Remedy
from kubedoctor.replay.scheduler.snapshot import ClusterState, NodeInfo, PodInfo
from kubedoctor.replay.scheduler.well_known import HOSTNAME

Counts = dict[tuple[str, str], int]
"""Matching pods by topology key and value; never zero."""

POD_AFFINITY: Final = Obstacle("pod affinity")
POD_ANTI_AFFINITY: Final = Obstacle("pod anti-affinity")
EXISTING_ANTI_AFFINITY: Final = Obstacle("existing anti-affinity")
_AFFINITY: Final = unresolvable(reason(POD_AFFINITY, "node(s) didn't match pod affinity rules"))
_ANTI_AFFINITY: Final = unschedulable(reason(POD_ANTI_AFFINITY, "node(s) didn't match pod anti-affinity rules"))
_EXISTING: Final = unschedulable(
    reason(EXISTING_ANTI_AFFINITY, "node(s) didn't satisfy existing pods anti-affinity rules")
)


class InterPodAffinity(Plugin):
    name = "InterPodAffinity"
    reads = (Pod, Namespace)
    pod_parts = (pod_parts.labels, pod_parts.affinity)
    wordings = (
        Wording(r"node\(s\) didn't match pod affinity rules", POD_AFFINITY),
        Wording(r"node\(s\) didn't match pod anti-affinity rules", POD_ANTI_AFFINITY),
        Wording(r"node\(s\) didn't satisfy existing pods anti-affinity rules", EXISTING_ANTI_AFFINITY),
    )

    def decides_by(self, kind: type[KubernetesObject], pod: Pod, state: ClusterState) -> bool:
        return kind is not Namespace or _finds_by_namespace_labels(pod, state)

    def pre_filter(self, pod: Pod, state: ClusterState) -> Prepared:
        affinity = pod.spec.affinity
        try:
            terms = compiled(pod, affinity.pod_affinity) if affinity else ()
            anti_affinity_terms = compiled(pod, affinity.pod_anti_affinity) if affinity else ()
        except SelectorError as error:
            return Prepared(unresolvable(reason(OTHER, f"parsing pod: {parsing_problem(pod) or error}")))
        terms = tuple(with_namespaces(term, state.namespaces) for term in terms)
        anti_affinity_terms = tuple(with_namespaces(term, state.namespaces) for term in anti_affinity_terms)
        existing: Counts = {}
        labels = state.namespace_labels(pod.namespace)
        for term, values in state.anti_affinity.items():
            if values and term.matches(pod, labels):
                for value, count in values.items():
                    pair = (term.topology_key, value)
                    existing[pair] = existing.get(pair, 0) + count
        if not existing and not terms and not anti_affinity_terms:
            return SKIPPED
        against: Counts = {}
        for term in anti_affinity_terms:
            for pair, count in state.matching_one(term).items():
                against[pair] = against.get(pair, 0) + count
        near = dict(state.matching_all(terms)) if terms else {}
        return Prepared(SUCCESS, _Filter(pod, labels, terms, anti_affinity_terms, near, against, existing))

    def remedies(self, pod: Pod, state: ClusterState, node: NodeInfo, status: Status) -> list[Remedy]:
        return _remedies(self, pod, state, node)


def _finds_by_namespace_labels(pod: Pod, state: ClusterState) -> bool:
    """The pod selects others by the labels of their namespaces, or anti-affinity of others selects it by those of its
    own."""
    affinity = pod.spec.affinity
    own = (*terms_of(pod, affinity.pod_affinity), *terms_of(pod, affinity.pod_anti_affinity)) if affinity else ()
    if any(term.asks_for_labels for term in own):
        return True
    nominated = (term for there in state.nominated.values() for info in there for term in info.anti_affinity)
    return any(
        term.asks_for_labels and pod.namespace not in term.namespaces and term.selector.matches(pod.metadata.labels)
        for term in (*state.anti_affinity, *nominated)
    )


def _matches_all(terms: tuple[AffinityTerm, ...], pod: Pod) -> bool:
    return bool(terms) and all(term.matches(pod, {}) for term in terms)


def _change(counts: Counts, node: NodeInfo, key: str, by: int) -> None:
    value = node.labels.get(key)
    if value is None:
        return
    count = counts.get((key, value), 0) + by
    if count:
        counts[key, value] = count
    else:
        counts.pop((key, value), None)


class _Filter(NodeFilter):
    """near: pods that match all affinity terms. against: pods that match an anti-affinity term. existing: pods whose own
    anti-affinity excludes this pod."""

    def __init__(
        self,
        pod: Pod,
        namespace_labels: Mapping[str, str],
        affinity_terms: tuple[AffinityTerm, ...],
        anti_affinity_terms: tuple[AffinityTerm, ...],
        near: Counts,
        against: Counts,
        existing: Counts,
    ) -> None:
        self.pod = pod
        self.namespace_labels = namespace_labels
        self.affinity_terms, self.anti_affinity_terms = affinity_terms, anti_affinity_terms
        self.near, self.against, self.existing = near, against, existing
        self.matches_itself = _matches_all(affinity_terms, pod)

    def check(self, node: NodeInfo) -> Status:
        labels = node.labels
        if self.affinity_terms and not self._has_matching_pods(node):
            return _AFFINITY
        if self.against and any(
            (term.topology_key, labels.get(term.topology_key)) in self.against for term in self.anti_affinity_terms
        ):
            return _ANTI_AFFINITY
        if self.existing and any(pair in self.existing for pair in labels.items()):
            return _EXISTING
        return SUCCESS

    def _has_matching_pods(self, node: NodeInfo) -> bool:
        """Whether matching pods exist; the first pod of a group with affinity to itself may go to any node that has the
        topology labels."""
        together = True
        for term in self.affinity_terms:
            value = node.labels.get(term.topology_key)
            if value is None:
                return False
            if self.near.get((term.topology_key, value), 0) <= 0:
                together = False
        return together or (not self.near and self.matches_itself)

    def alike(self, classes: NodeClasses) -> Grouping:
        return classes.by_label_values((*self.near, *self.against, *self.existing))

    def copy(self) -> NodeFilter:
        return _Filter(
            self.pod,
            self.namespace_labels,
            self.affinity_terms,
            self.anti_affinity_terms,
            dict(self.near),
            dict(self.against),
            dict(self.existing),
        )

    def count(self, pod_info: PodInfo, node: NodeInfo, change: int) -> None:
        for term in pod_info.anti_affinity:
            if term.matches(self.pod, self.namespace_labels):
                _change(self.existing, node, term.topology_key, change)
        if _matches_all(self.affinity_terms, pod_info.pod):
            for term in self.affinity_terms:
                _change(self.near, node, term.topology_key, change)
        for term in self.anti_affinity_terms:
            if term.matches(pod_info.pod, {}):
                _change(self.against, node, term.topology_key, change)


def _remedies(plugin: Plugin, pod: Pod, state: ClusterState, node: NodeInfo) -> list[Remedy]:
    """Drop the blocking terms, or narrow them to one node each; terms of other pods are removed only with those
    pods."""
    remedies: list[Remedy] = []
    wrong: list[tuple[Path, PodAffinityTerm]] = []
    for path, term, alone in _terms(pod):
        if not _own_terms_pass(plugin, alone, state, node):
            wrong.append((path, term))
    ours = tuple(_drop_term(pod, path, term) for path, term in wrong)
    bare = _with_terms(pod, None, None)
    unwilling = (
        [pod_info.pod for pod_info in _unwilling(bare, state, node)] if not plugin.passes(bare, state, node) else []
    )
    away = delete_pods(unwilling, Because.ANTI_AFFINITY) if unwilling else [()]
    for last in away:
        if ours or last:
            remedies.append((*ours, *last))
            narrowed = tuple(
                _narrow_term(pod, path, term) if "podAntiAffinity" in path and term.topology_key != HOSTNAME else drop
                for (path, term), drop in zip(wrong, ours, strict=True)
            )
            if narrowed != ours:
                remedies.append((*narrowed, *last))
    return remedies


def _own_terms_pass(plugin: Plugin, alone: Pod, state: ClusterState, node: NodeInfo) -> bool:
    """Whether a pod's own terms allow the node, ignoring the terms of other pods."""
    node_filter = plugin.pre_filter(alone, state).node_filter
    if node_filter is None:
        return True
    status = node_filter.check(node)
    return status.is_success or status.has(EXISTING_ANTI_AFFINITY)


def _terms(pod: Pod) -> Iterator[tuple[Path, PodAffinityTerm, Pod]]:
    """The required terms, each with a copy of the pod that has only this term."""
    affinity = pod.spec.affinity
    for field, part in (
        ("podAffinity", affinity.pod_affinity if affinity else None),
        ("podAntiAffinity", affinity.pod_anti_affinity if affinity else None),
    ):
        required = part.required_during_scheduling_ignored_during_execution if part else None
        for index, term in enumerate(required or ()):
            path: Path = ("spec", "affinity", field, "requiredDuringSchedulingIgnoredDuringExecution", index)
            only = PodAffinity(required_during_scheduling_ignored_during_execution=(term,))
            alone = _with_terms(pod, only, None) if field == "podAffinity" else _with_terms(pod, None, only)
            yield path, term, alone


def _with_terms(pod: Pod, near: PodAffinity | None, apart: PodAffinity | None) -> Pod:
    if pod.spec.affinity is None:
        return pod
    affinity = replace(pod.spec.affinity, pod_affinity=near, pod_anti_affinity=apart)
    return replace(pod, spec=replace(pod.spec, affinity=affinity))


def _unwilling(pod: Pod, state: ClusterState, node: NodeInfo) -> list[PodInfo]:
    """Placed pods whose anti-affinity excludes the pod from the node."""
    labels = state.namespace_labels(pod.namespace)
    keys = {
        term.topology_key: node.labels.get(term.topology_key)
        for term in state.anti_affinity
        if term.matches(pod, labels)
    }
    return [
        info
        for other_node in state.nodes
        if any(value is not None and other_node.labels.get(key) == value for key, value in keys.items())
        for info in other_node.pods
        if any(
            term.matches(pod, labels)
            and node.labels.get(term.topology_key) is not None
            and other_node.labels.get(term.topology_key) == node.labels.get(term.topology_key)
            for term in info.anti_affinity
        )
    ]


def _drop_term(pod: Pod, path: Path, term: PodAffinityTerm) -> Edit:
    operation = Operation(ref(pod), (Step(path, remove=True),))
    return Edit(Kind.RELAX_POD_AFFINITY, ref(pod), (operation,), (term.topology_key, ""), 5, names=_field(path))


def _narrow_term(pod: Pod, path: Path, term: PodAffinityTerm) -> Edit:
    operation = Operation(ref(pod), (Step((*path, "topologyKey"), HOSTNAME),))
    return Edit(Kind.RELAX_POD_AFFINITY, ref(pod), (operation,), (term.topology_key, HOSTNAME), 4, names=_field(path))


def _field(path: Path) -> tuple[str]:
    """`podAffinity` or `podAntiAffinity`."""
    return (str(path[2]),)
