"""One scheduling cycle of one pod: the scheduler's decision, and all other plugins that would reject the pod.

`pkg/scheduler/schedule_one.go`, `pkg/scheduler/framework/runtime/framework.go`, `framework.FitError`, v1.37.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import Final

import msgspec

from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.replay.scheduler.framework import (
    SUCCESS,
    Code,
    NodeFilter,
    Obstacle,
    Plugin,
    Reason,
    Status,
    Wording,
    failure,
    reason,
    unresolvable,
)
from kubedoctor.replay.scheduler.plugins.dynamic_resources import unreplayed_claims
from kubedoctor.replay.scheduler.plugins.scheduling_gates import NAME as SCHEDULING_GATES
from kubedoctor.replay.scheduler.plugins.scheduling_gates import pre_enqueue
from kubedoctor.replay.scheduler.profile import default_plugins
from kubedoctor.replay.scheduler.snapshot import ClusterState, NodeInfo

PLUGINS: Final = Obstacle("plugins", vague=True)
NO_NODES: Final = Obstacle("no nodes")
WORDINGS: Final = (
    Wording(r"node\(s\) didn't satisfy plugin\(s\) \[(?P<detail>.*)\](?: simultaneously)?", PLUGINS),
    Wording(r"node\(s\) didn't satisfy plugin (?P<detail>\S+)", PLUGINS),
    Wording(r"no nodes available to schedule pods", NO_NODES),
)
"""The wordings of reasons that belong to no plugin."""
_NO_NODES: Final = reason(NO_NODES, "no nodes available to schedule pods")

Filters = tuple[tuple[str, NodeFilter], ...]
"""The plugins that have something to check, in their order."""


class Objection(msgspec.Struct, frozen=True, gc=False):
    """A plugin that rejects the pod; `plugin` is empty where several plugins leave no common node."""

    plugin: str
    status: Status


class NodeVerdict(msgspec.Struct, frozen=True, gc=False):
    """One node. `first` is what the scheduler reports, None if the pod fits; `blockers` are all plugins that reject the
    pod on their own, in plugin order. Where pods nominated to the node are the obstacle, `blockers` does not show
    it."""

    node: str
    first: Objection | None
    blockers: tuple[Objection, ...] = ()

    @property
    def fits(self) -> bool:
        return self.first is None

    @property
    def status(self) -> Status:
        """What the scheduler records for the node."""
        return self.first.status if self.first else SUCCESS


class SchedulingVerdict(msgspec.Struct, frozen=True, dict=True):
    """The result for the pod.

    pre_enqueue: scheduling gates hold it. pre_filter: it is rejected before nodes are examined; `nodes` is empty then.
    message: upstream's text without the part on preemption; empty where a node is feasible or the pod is gated.
    unreplayed: resource claims of the pod, which are not replayed.
    """

    total: int
    nodes: tuple[NodeVerdict, ...] = ()
    pre_enqueue: Objection | None = None
    pre_filter: Objection | None = None
    message: str = ""
    unreplayed: tuple[str, ...] = ()

    @property
    def feasible(self) -> tuple[str, ...]:
        """The names of the nodes that fit the pod."""
        if all(nodes[0].first is not None for nodes in self.alike):
            return ()
        return tuple([node.node for node in self.nodes if node.first is None])

    @property
    def failed(self) -> Objection | None:
        """The plugin that could not decide: the scheduler would report an error of its own."""
        if self.pre_filter is not None and self.pre_filter.status.code is Code.ERROR:
            return self.pre_filter
        firsts = (nodes[0].first for nodes in self.alike)
        return next((first for first in firsts if first is not None and first.status.code is Code.ERROR), None)

    @cached_property
    def alike(self) -> tuple[tuple[NodeVerdict, ...], ...]:
        """All nodes; those that share their objections, as nodes that are equivalent for the filters do, are together."""
        sets: dict[tuple[int, int], list[NodeVerdict]] = {}  # unless the caller knew: see `know_alike`
        for node in self.nodes:
            sets.setdefault((id(node.first), id(node.blockers)), []).append(node)
        return tuple(map(tuple, sets.values()))

    def know_alike(self, sets: Iterable[Sequence[NodeVerdict]]) -> None:
        """Take `alike` from the replay that made the nodes, in the order of the first node of each."""
        vars(self)["alike"] = tuple(map(tuple, sets))


class PreFiltered(msgspec.Struct, frozen=True, gc=False):
    """The result of all PreFilters. `only` are the remaining nodes, None for all; `restricting` the plugins that left
    out others."""

    filters: Filters = ()
    only: frozenset[str] | None = None
    restricting: tuple[str, ...] = ()
    rejection: Objection | None = None


def pre_filter(pod: Pod, state: ClusterState, plugins: Sequence[Plugin] | None = None) -> PreFiltered:
    """Run the PreFilters until one rejects the pod."""
    filters: list[tuple[str, NodeFilter]] = []
    only: frozenset[str] | None = None
    restricting: list[str] = []
    rejection: Objection | None = None
    for plugin in default_plugins(state.release) if plugins is None else plugins:
        prepared = plugin.pre_filter(pod, state)
        status = prepared.status
        if status.code is Code.SKIP:
            continue
        if status.code is Code.ERROR:
            status = failure(f'running PreFilter plugin "{plugin.name}": {status.message}')
        if not status.is_success:
            rejection = Objection(plugin.name, status)
            if status.code is Code.UNSCHEDULABLE:
                continue
            return PreFiltered(tuple(filters), only, tuple(restricting), rejection)
        if prepared.node_filter is not None:
            filters.append((plugin.name, prepared.node_filter))
        if prepared.node_names is not None:
            restricting.append(plugin.name)
            only = prepared.node_names if only is None else only & prepared.node_names
            if not only:
                rejection = Objection("", unresolvable(_none_left_by(sorted(restricting))))
                return PreFiltered(tuple(filters), only, tuple(restricting), rejection)
    return PreFiltered(tuple(filters), only, tuple(sorted(restricting)), rejection)


def objections(filters: Filters, node: NodeInfo) -> tuple[Objection, ...]:
    """All plugins that reject the node, each on its own."""
    refusals = []
    for name, node_filter in filters:
        status = node_filter.check(node)
        if status is not SUCCESS and not status.is_success:
            refusals.append(_objection(name, status))
    return tuple(refusals)


def first_objection(filters: Filters, node: NodeInfo) -> Objection | None:
    """The first plugin that rejects the node."""
    for name, node_filter in filters:
        status = node_filter.check(node)
        if status is not SUCCESS and not status.is_success:
            return _objection(name, status)
    return None


def _objection(plugin: str, status: Status) -> Objection:
    if status.code is Code.ERROR:
        status = failure(f'running "{plugin}" filter plugin: {status.message}')
    return Objection(plugin, status)


def copied(filters: Filters) -> Filters:
    """Filters with counts of their own."""
    return tuple((name, node_filter.copy()) for name, node_filter in filters)


def with_nominated(pod: Pod, state: ClusterState, filters: Filters, node: NodeInfo) -> tuple[Filters, NodeInfo] | None:
    """Filters and node with the nominated pods of equal or higher priority counted as running; None if there are
    none."""
    mine = pod.spec.priority or 0
    added = [
        nominee
        for nominee in state.nominated.get(node.name, ())
        if nominee.priority >= mine and nominee.pod.metadata.uid != pod.metadata.uid
    ]
    if not added:
        return None
    filters = copied(filters)
    for nominee in added:
        node = node.with_pod(nominee)
        for _, node_filter in filters:
            node_filter.count(nominee, node, 1)
    return filters, node


def objection_with_nominated(pod: Pod, state: ClusterState, filters: Filters, node: NodeInfo) -> Objection | None:
    """What the scheduler reports: the pod must fit with and without the pods nominated to the node."""
    fuller = with_nominated(pod, state, filters, node)
    if fuller is not None and (objection := first_objection(*fuller)) is not None:
        return objection
    return first_objection(filters, node)


def schedule(pod: Pod, state: ClusterState, plugins: Sequence[Plugin] | None = None) -> SchedulingVerdict:
    """Which nodes fit the pod, and why the others do not. `plugins` default to the release's own profile."""
    unreplayed = unreplayed_claims(pod)
    total = len(state.nodes)
    gates = pre_enqueue(pod)
    if not gates.is_success:
        return SchedulingVerdict(total, pre_enqueue=Objection(SCHEDULING_GATES, gates), unreplayed=unreplayed)
    if not total:
        return SchedulingVerdict(0, message=_NO_NODES.text, unreplayed=unreplayed)
    prepared = pre_filter(pod, state, plugins)
    if prepared.rejection is not None:
        text = unavailable(total, prepared.rejection.status.message)
        return SchedulingVerdict(total, pre_filter=prepared.rejection, message=text, unreplayed=unreplayed)
    excluded = left_out(prepared)
    nodes = []
    for node in state.nodes:
        blockers = objections(prepared.filters, node)
        if prepared.only is not None and node.name not in prepared.only:
            first: Objection | None = excluded
        else:
            first = blockers[0] if blockers else None
            if node.name in state.nominated:
                first = objection_with_nominated(pod, state, prepared.filters, node)
        nodes.append(NodeVerdict(node.name, first, blockers))
    message = (
        ""
        if any(verdict.fits for verdict in nodes)
        else unavailable(total, histogram((verdict.status, 1) for verdict in nodes))
    )
    return SchedulingVerdict(total, tuple(nodes), message=message, unreplayed=unreplayed)


def histogram(statuses: Iterable[tuple[Status, int]]) -> str:
    """Reasons with their number of nodes, in upstream's order: as texts. Each status has its number of nodes."""
    counts: dict[str, int] = {}
    for status, nodes in statuses:
        for part in status.reasons:
            counts[part.text] = counts.get(part.text, 0) + nodes
    return ", ".join(sorted(f"{count} {text}" for text, count in counts.items()))


def counted_reasons(verdict: SchedulingVerdict) -> tuple[Reason, ...]:
    """The reasons in `SchedulingVerdict.message`, each with its number of nodes; None where it applies to the pod as a
    whole."""
    if not verdict.message:
        return ()
    if not verdict.total:
        return (_NO_NODES,)
    if verdict.pre_filter is not None:
        return verdict.pre_filter.status.reasons
    return counted((nodes[0].status, len(nodes)) for nodes in verdict.alike)


def counted(statuses: Iterable[tuple[Status, int]]) -> tuple[Reason, ...]:
    """Distinct reasons with their number of nodes; each status has its own."""
    counts: dict[Reason, int] = {}
    for status, nodes in statuses:
        for part in status.reasons:
            counts[part] = counts.get(part, 0) + nodes
    return tuple([Reason(count, part.obstacle, part.detail, part.text) for part, count in counts.items()])


def left_out(prepared: PreFiltered) -> Objection:
    """The status of nodes that PreFilters leave out."""
    plugins = " ".join(prepared.restricting)
    return Objection("", unresolvable(reason(PLUGINS, f"node(s) didn't satisfy plugin(s) [{plugins}]", plugins)))


def _none_left_by(plugins: list[str]) -> Reason:
    """The rejection where the plugins leave no common node."""
    names = " ".join(plugins)
    if len(plugins) == 1:
        return reason(PLUGINS, f"node(s) didn't satisfy plugin {names}", names)
    return reason(PLUGINS, f"node(s) didn't satisfy plugin(s) [{names}] simultaneously", names)


def unavailable(total: int, why: str) -> str:
    """The scheduler's message."""
    return f"0/{total} nodes are available: {why}." if why else f"0/{total} nodes are available:"
