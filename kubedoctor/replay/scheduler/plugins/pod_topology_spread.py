"""PodTopologySpread: constraints that must hold, `DoNotSchedule` (`plugins/podtopologyspread`, v1.37).

The scheduler's own default constraints never filter; those of a configuration need the pod's Services and owner, so
`defaults` and `default_selector` are given by the caller.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from functools import partial
from typing import Final

import msgspec
from msgspec.structs import replace

from kubedoctor.cluster.changes import Operation, Path, Step
from kubedoctor.cluster.grammar.selectors import Requirement, Selector, SelectorError, selector_of
from kubedoctor.cluster.grammar.tolerations import untolerated
from kubedoctor.cluster.kinds.affinity import TopologySpreadConstraint
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
    failure,
    reason,
    unresolvable,
    unschedulable,
)
from kubedoctor.replay.scheduler.many.node_classes import Grouping, NodeClasses
from kubedoctor.replay.scheduler.memos import Memo
from kubedoctor.replay.scheduler.plugins import pod_parts
from kubedoctor.replay.scheduler.plugins.required_node_affinity import RequiredNodeAffinity, required_terms
from kubedoctor.replay.scheduler.remedies.edits import Edit, Kind, Remedy
from kubedoctor.replay.scheduler.snapshot import ClusterState, NodeInfo, PodInfo

TOPOLOGY_SPREAD: Final = Obstacle("topology spread")
TOPOLOGY_LABEL: Final = Obstacle("topology label")
_SKEWED: Final = reason(TOPOLOGY_SPREAD, "node(s) didn't match pod topology spread constraints")
_NO_LABEL: Final = reason(
    TOPOLOGY_LABEL, "node(s) didn't match pod topology spread constraints (missing required label)"
)
_NO_DOMAIN: Final = 2**31 - 1
"""The least count where no node is eligible."""
_LOOSE: Final = 1 << 30
"""A skew larger than in any cluster."""
_WISH: Final = "ScheduleAnyway"
_VALUES: Final = Memo[Hashable, dict[str, str]]()
"""The topology values of the nodes on which pods count."""


def _constraints(pod: Pod) -> object:
    return pod.spec.topology_spread_constraints


class _Constraint(msgspec.Struct, frozen=True):
    """`counts_itself`: its selector matches the pod itself."""

    key: str
    max_skew: int
    min_domains: int
    selector: Selector
    honors_affinity: bool
    honors_taints: bool
    counts_itself: int


class PodTopologySpread(Plugin):
    name = "PodTopologySpread"
    reads = (Pod,)
    pod_parts = (
        pod_parts.labels,
        pod_parts.node_selector,
        pod_parts.affinity,
        pod_parts.tolerations,
        _constraints,
    )
    wordings = (
        Wording(r"node\(s\) didn't match pod topology spread constraints \(missing required label\)", TOPOLOGY_LABEL),
        Wording(r"node\(s\) didn't match pod topology spread constraints", TOPOLOGY_SPREAD),
    )

    def __init__(
        self, defaults: tuple[TopologySpreadConstraint, ...] = (), default_selector: Selector | None = None
    ) -> None:
        self.defaults = defaults
        self.default_selector = default_selector

    def pre_filter(self, pod: Pod, state: ClusterState) -> Prepared:
        try:
            constraints = self._constraints(pod)
        except SelectorError as error:
            return Prepared(failure(f"get constraints from pod: {error}"))
        if not constraints:
            return SKIPPED
        return Prepared(SUCCESS, _Filter(pod, constraints, state))

    def remedies(self, pod: Pod, state: ClusterState, node: NodeInfo, status: Status) -> list[Remedy]:
        return _remedies(PodTopologySpread(), pod, state, node)

    def _constraints(self, pod: Pod) -> tuple[_Constraint, ...]:
        own = pod.spec.topology_spread_constraints
        if own:
            return tuple(
                _compiled(constraint, pod) for constraint in own if constraint.when_unsatisfiable == "DoNotSchedule"
            )
        selector = self.default_selector
        if selector is None or selector.is_empty:
            return ()
        return tuple(
            replace(
                _compiled(constraint, pod), selector=selector, counts_itself=int(selector.matches(pod.metadata.labels))
            )
            for constraint in self.defaults
            if constraint.when_unsatisfiable == "DoNotSchedule"
        )


def _compiled(constraint: TopologySpreadConstraint, pod: Pod) -> _Constraint:
    selector = selector_of(constraint.label_selector)
    keys = {key: pod.labels[key] for key in constraint.match_label_keys or () if key in pod.labels}
    if keys and not selector.selects_nothing:
        requirements = [Requirement(key, "=", (value,)) for key, value in keys.items()]
        selector = Selector([*requirements, *selector.requirements])
    return _Constraint(
        key=constraint.topology_key,
        max_skew=constraint.max_skew,
        min_domains=1 if constraint.min_domains is None else constraint.min_domains,
        selector=selector,
        honors_affinity=(constraint.node_affinity_policy or "Honor") == "Honor",
        honors_taints=(constraint.node_taints_policy or "Ignore") == "Honor",
        counts_itself=int(selector.matches(pod.metadata.labels)),
    )


class Domains:
    """How many matching pods each value of a topology key has; `least` is updated as pods are added and removed.

    As upstream's critical paths: the two lowest counts are tracked, so a count that rises above them is not looked up
    again.
    """

    __slots__ = ("counts", "paths")

    def __init__(self, counts: dict[str, int]) -> None:
        self.counts = counts
        self.paths = [("", _NO_DOMAIN), ("", _NO_DOMAIN)]
        for value, count in counts.items():
            self._follow(value, count)

    def copy(self) -> Domains:
        duplicate = Domains({})
        duplicate.counts = dict(self.counts)
        duplicate.paths = list(self.paths)
        return duplicate

    def change(self, value: str, by: int) -> None:
        self.counts[value] = self.counts.get(value, 0) + by
        self._follow(value, self.counts[value])

    @property
    def least(self) -> int:
        return self.paths[0][1]

    def _follow(self, value: str, count: int) -> None:
        first, second = self.paths
        if value == first[0]:
            self.paths[0] = (value, count)
        elif value == second[0]:
            self.paths[1] = (value, count)
        elif count < first[1]:
            self.paths = [(value, count), first]
            return
        elif count < second[1]:
            self.paths[1] = (value, count)
            return
        if self.paths[0][1] > self.paths[1][1]:
            self.paths.reverse()


class _Filter(NodeFilter):
    def __init__(self, pod: Pod, constraints: tuple[_Constraint, ...], state: ClusterState) -> None:
        self.pod = pod
        self.constraints = constraints
        self.affinity = RequiredNodeAffinity(pod)
        self.domains = self._count(state)

    def _count(self, state: ClusterState) -> list[Domains]:
        domains = []
        for constraint in self.constraints:
            values = self._values(constraint, state)
            counts = dict.fromkeys(values.values(), 0)
            living = (
                {} if constraint.selector.is_empty else state.living_per_node(self.pod.namespace, constraint.selector)
            )
            for name, number in living.items():
                if name in values:
                    counts[values[name]] += number
            domains.append(Domains(counts))
        return domains

    def _values(self, constraint: _Constraint, state: ClusterState) -> dict[str, str]:
        """The topology values of the nodes on which pods count; cached for pods with the same node requirements."""
        key = (
            constraint.key,
            frozenset(sibling.key for sibling in self.constraints),
            (self.affinity.labels, required_terms(self.pod)) if constraint.honors_affinity else None,
            (self.pod.spec.tolerations,) if constraint.honors_taints else None,
        )
        memo = _VALUES.of(state)
        if key not in memo:
            memo[key] = {
                node.name: node.labels[constraint.key]
                for node in state.nodes
                if self._has_all_keys(node) and self._eligible(constraint, node)
            }
        return memo[key]

    def _has_all_keys(self, node: NodeInfo) -> bool:
        labels = node.labels
        return all(constraint.key in labels for constraint in self.constraints)

    def _eligible(self, constraint: _Constraint, node: NodeInfo) -> bool:
        """Whether pods on this node count, by the inclusion policies."""
        if constraint.honors_affinity and not self.affinity.allows(node):
            return False
        if not constraint.honors_taints:
            return True
        return untolerated(self.pod.spec.tolerations, node.node.spec.taints) is None

    def check(self, node: NodeInfo) -> Status:
        for constraint, domains in zip(self.constraints, self.domains, strict=True):
            value = node.labels.get(constraint.key)
            if value is None:
                return unresolvable(_NO_LABEL, named=(constraint.key,))
            least = 0 if len(domains.counts) < constraint.min_domains else domains.least
            if domains.counts.get(value, 0) + constraint.counts_itself - least > constraint.max_skew:
                return unschedulable(_SKEWED, named=(f"{constraint.key}={value}",))
        return SUCCESS

    def alike(self, classes: NodeClasses) -> Grouping:
        return classes.by_labels(constraint.key for constraint in self.constraints)

    def copy(self) -> NodeFilter:
        duplicate = _Filter.__new__(_Filter)
        duplicate.pod, duplicate.constraints, duplicate.affinity = self.pod, self.constraints, self.affinity
        duplicate.domains = [domains.copy() for domains in self.domains]
        return duplicate

    def count(self, pod_info: PodInfo, node: NodeInfo, change: int) -> None:
        if pod_info.pod.namespace != self.pod.namespace or not self._has_all_keys(node):
            return
        for constraint, domains in zip(self.constraints, self.domains, strict=True):
            if constraint.selector.matches(pod_info.pod.metadata.labels) and self._eligible(constraint, node):
                domains.change(node.labels[constraint.key], change)


def _remedies(plugin: Plugin, pod: Pod, state: ClusterState, node: NodeInfo) -> list[Remedy]:
    """Allow the necessary skew, or turn the constraints into ScheduleAnyway; two such constraints with one topology key
    are invalid (`ValidateSpreadConstraintNotRepeat`, `pkg/apis/core/validation`, v1.37)."""
    own = pod.spec.topology_spread_constraints or ()
    binding = [index for index, constraint in enumerate(own) if constraint.when_unsatisfiable == "DoNotSchedule"]

    def passes(index: int, skew: int) -> bool:
        """Whether the node passes with that skew for one constraint and any skew for the others."""
        changed = tuple(
            replace(constraint, max_skew=skew if position == index else _LOOSE)
            for position, constraint in enumerate(own)
        )
        trial = replace(pod, spec=replace(pod.spec, topology_spread_constraints=changed))
        return plugin.passes(trial, state, node)

    wrong = [index for index in binding if not passes(index, own[index].max_skew)]
    loosened: list[Edit] = []
    for index in wrong:
        if passes(index, _LOOSE):
            skew = _least(own[index].max_skew + 1, partial(passes, index))
            loosened.append(
                _relax(pod, index, own[index], "maxSkew", skew, 2 + min(skew - own[index].max_skew, 100) / 100)
            )
    remedies = [tuple(loosened)] if len(loosened) == len(wrong) else []
    wishes = [constraint.topology_key for constraint in own if constraint.when_unsatisfiable == _WISH]
    wishes += [own[index].topology_key for index in wrong]
    if len(wishes) == len(set(wishes)):
        remedies.append(tuple(_relax(pod, index, own[index], "whenUnsatisfiable", _WISH, 4) for index in wrong))
    return remedies


def _relax(
    pod: Pod, index: int, constraint: TopologySpreadConstraint, field: str, value: int | str, weight: float
) -> Edit:
    """A ScheduleAnyway constraint may not have `minDomains` (`validateMinDomains`, `pkg/apis/core/validation`,
    v1.37)."""
    path: Path = ("spec", "topologySpreadConstraints", index)
    steps: tuple[Step, ...] = (Step((*path, field), value),)
    if value == _WISH and constraint.min_domains is not None:
        steps += (Step((*path, "minDomains"), remove=True),)
    operation = Operation(ref(pod), steps)
    return Edit(Kind.RELAX_SPREAD, ref(pod), (operation,), (constraint.topology_key, field, str(value)), weight)


def _least(start: int, passes: Callable[[int], bool]) -> int:
    """The lowest number from `start` on that passes."""
    width = 1
    while not passes(start + width - 1):
        width *= 2
    least, most = start, start + width - 1
    while least < most:
        middle = (least + most) // 2
        if passes(middle):
            most = middle
        else:
            least = middle + 1
    return least
