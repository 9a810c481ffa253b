"""One scheduling cycle of one pod: what the scheduler decides, and everything else that would object.

`pkg/scheduler/schedule_one.go`, `pkg/scheduler/framework/runtime/framework.go`, `framework.FitError`, v1.37.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

import msgspec

from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.replay.scheduler.framework import SUCCESS, Code, NodeFilter, Plugin, Status, failure, unresolvable
from kubedoctor.replay.scheduler.plugins.dynamic_resources import DynamicResources, unreplayed_claims
from kubedoctor.replay.scheduler.plugins.inter_pod_affinity import InterPodAffinity
from kubedoctor.replay.scheduler.plugins.node_affinity import NodeAffinity
from kubedoctor.replay.scheduler.plugins.node_declared_features import NodeDeclaredFeatures
from kubedoctor.replay.scheduler.plugins.node_name import NodeName
from kubedoctor.replay.scheduler.plugins.node_ports import NodePorts
from kubedoctor.replay.scheduler.plugins.node_resources_fit import NodeResourcesFit
from kubedoctor.replay.scheduler.plugins.node_unschedulable import NodeUnschedulable
from kubedoctor.replay.scheduler.plugins.node_volume_limits import NodeVolumeLimits
from kubedoctor.replay.scheduler.plugins.pod_topology_spread import PodTopologySpread
from kubedoctor.replay.scheduler.plugins.scheduling_gates import NAME as SCHEDULING_GATES
from kubedoctor.replay.scheduler.plugins.scheduling_gates import pre_enqueue
from kubedoctor.replay.scheduler.plugins.taint_toleration import TaintToleration
from kubedoctor.replay.scheduler.plugins.volume_binding import VolumeBinding
from kubedoctor.replay.scheduler.plugins.volume_restrictions import VolumeRestrictions
from kubedoctor.replay.scheduler.plugins.volume_zone import VolumeZone
from kubedoctor.replay.scheduler.said import reasons
from kubedoctor.replay.scheduler.said.reasons import SchedulerRelease
from kubedoctor.replay.scheduler.snapshot import ClusterState, NodeInfo

Filters = tuple[tuple[str, NodeFilter], ...]
"""The plugins that have something to check, in their order."""


class Objection(msgspec.Struct, frozen=True, gc=False):
    """A plugin that says no; `plugin` is empty where several plugins' nodes do not meet."""

    plugin: str
    status: Status


class NodeVerdict(msgspec.Struct, frozen=True, gc=False):
    """One node. `first` is what the scheduler reports, None if the pod fits; `blockers` are all plugins that object on
    their own, in plugin order. Where pods nominated to the node are the obstacle, `blockers` does not show it."""

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


class SchedulingVerdict(msgspec.Struct, frozen=True, gc=False):
    """What becomes of the pod.

    pre_enqueue: gates hold it back. pre_filter: it is turned away before nodes are looked at; `nodes` is empty then.
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
        """The names of the nodes that take the pod."""
        return tuple(one.node for one in self.nodes if one.first is None)

    @property
    def failed(self) -> Objection | None:
        """The plugin that could not decide: the scheduler would report an error of its own."""
        if self.pre_filter is not None and self.pre_filter.status.code is Code.ERROR:
            return self.pre_filter
        return next((one.first for one in self.nodes if one.first and one.first.status.code is Code.ERROR), None)


class PreFiltered(msgspec.Struct, frozen=True, gc=False):
    """The result of all PreFilters. `only` are the nodes in question, None for all; `restricting` the plugins that
    left others out."""

    filters: Filters = ()
    only: frozenset[str] | None = None
    restricting: tuple[str, ...] = ()
    rejection: Objection | None = None


def default_plugins(release: SchedulerRelease) -> tuple[Plugin, ...]:
    """The filter plugins of the default profile in their order."""
    first: tuple[Plugin, ...] = (NodeUnschedulable(), NodeName())
    last: tuple[Plugin, ...] = (NodeDeclaredFeatures(),) if release.declared_features else ()
    return (
        *(reversed(first) if release.node_name_first else first),
        TaintToleration(),
        NodeAffinity(),
        NodePorts(),
        NodeResourcesFit(),
        VolumeRestrictions(),
        NodeVolumeLimits(),
        VolumeBinding(),
        VolumeZone(),
        PodTopologySpread(),
        InterPodAffinity(),
        DynamicResources(),
        *last,
    )


def pre_filter(pod: Pod, state: ClusterState, plugins: Sequence[Plugin] | None = None) -> PreFiltered:
    """Run every PreFilter until one turns the pod away for good."""
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
                rejection = Objection("", unresolvable(reasons.no_node_left_by(sorted(restricting))))
                return PreFiltered(tuple(filters), only, tuple(restricting), rejection)
    return PreFiltered(tuple(filters), only, tuple(sorted(restricting)), rejection)


def objections(filters: Filters, node: NodeInfo) -> tuple[Objection, ...]:
    """All plugins that object to the node, each on its own."""
    found = []
    for name, node_filter in filters:
        status = node_filter.check(node)
        if status is not SUCCESS and not status.is_success:
            found.append(_objection(name, status))
    return tuple(found)


def first_objection(filters: Filters, node: NodeInfo) -> Objection | None:
    """The first plugin that objects."""
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
    return tuple((name, one.copy()) for name, one in filters)


def with_nominated(pod: Pod, state: ClusterState, filters: Filters, node: NodeInfo) -> tuple[Filters, NodeInfo] | None:
    """Filters and node as if the pods nominated to the node ran there that this one must give way to; None if there
    are none."""
    mine = pod.spec.priority or 0
    added = [
        one
        for one in state.nominated.get(node.name, ())
        if one.priority >= mine and one.pod.metadata.uid != pod.metadata.uid
    ]
    if not added:
        return None
    filters = copied(filters)
    for one in added:
        node = node.with_pod(one)
        for _, node_filter in filters:
            node_filter.count(one, node, 1)
    return filters, node


def objection_with_nominated(pod: Pod, state: ClusterState, filters: Filters, node: NodeInfo) -> Objection | None:
    """What the scheduler reports: the pod must fit with and without the pods nominated to the node."""
    fuller = with_nominated(pod, state, filters, node)
    if fuller is not None and (found := first_objection(*fuller)) is not None:
        return found
    return first_objection(filters, node)


def schedule(pod: Pod, state: ClusterState, plugins: Sequence[Plugin] | None = None) -> SchedulingVerdict:
    """Which nodes take the pod, and what objects at the others. `plugins` default to the release's own profile."""
    unreplayed = unreplayed_claims(pod)
    total = len(state.nodes)
    gates = pre_enqueue(pod)
    if not gates.is_success:
        return SchedulingVerdict(total, pre_enqueue=Objection(SCHEDULING_GATES, gates), unreplayed=unreplayed)
    if not total:
        return SchedulingVerdict(0, message=reasons.NO_NODES, unreplayed=unreplayed)
    prepared = pre_filter(pod, state, plugins)
    if prepared.rejection is not None:
        text = unavailable(total, prepared.rejection.status.message)
        return SchedulingVerdict(total, pre_filter=prepared.rejection, message=text, unreplayed=unreplayed)
    left_out = Objection("", unresolvable(reasons.excluded_by(list(prepared.restricting))))
    nodes = []
    for node in state.nodes:
        blockers = objections(prepared.filters, node)
        if prepared.only is not None and node.name not in prepared.only:
            first: Objection | None = left_out
        else:
            first = blockers[0] if blockers else None
            if node.name in state.nominated:
                first = objection_with_nominated(pod, state, prepared.filters, node)
        nodes.append(NodeVerdict(node.name, first, blockers))
    message = "" if any(one.fits for one in nodes) else unavailable(total, histogram(one.status for one in nodes))
    return SchedulingVerdict(total, tuple(nodes), message=message, unreplayed=unreplayed)


def histogram(statuses: Iterable[Status]) -> str:
    """Reasons with the number of nodes that gave them, in upstream's order: as texts."""
    counts = Counter(reason for status in statuses for reason in status.reasons)
    return ", ".join(sorted(f"{count} {reason}" for reason, count in counts.items()))


def unavailable(total: int, why: str) -> str:
    """The scheduler's own sentence."""
    return f"0/{total} nodes are available: {why}." if why else f"0/{total} nodes are available:"
