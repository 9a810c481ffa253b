"""The scheduling cycle where there are many nodes: each filter runs once for all nodes that are equivalent for it."""

from __future__ import annotations

from collections import Counter
from typing import Final

from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.replay.scheduler.cycle import (
    NodeVerdict,
    Objection,
    PreFiltered,
    SchedulingVerdict,
    histogram,
    left_out,
    objection_with_nominated,
    objections,
    pre_filter,
    schedule,
    unavailable,
)
from kubedoctor.replay.scheduler.framework import NodeFilter
from kubedoctor.replay.scheduler.many.node_classes import Grouping, NodeClasses
from kubedoctor.replay.scheduler.memos import Memo
from kubedoctor.replay.scheduler.plugins.dynamic_resources import unreplayed_claims
from kubedoctor.replay.scheduler.snapshot import ClusterState

_FEW: Final = 32
"""Up to this number of nodes it is not faster."""
Blockers = list[tuple[Objection, ...]]
"""For each node."""
_CLASSES: Final = Memo[None, NodeClasses]()


def schedule_by_classes(pod: Pod, state: ClusterState) -> SchedulingVerdict:
    """Like `schedule`, faster where there are many nodes."""
    if len(state.nodes) <= _FEW:
        return schedule(pod, state)
    return by_classes(pod, state, _CLASSES.kept(state, None, lambda: NodeClasses(state)))


def by_classes(pod: Pod, state: ClusterState, classes: NodeClasses) -> SchedulingVerdict:
    """Like `schedule`, where there are nodes."""
    if pod.spec.scheduling_gates:
        return schedule(pod, state)
    prepared = pre_filter(pod, state)
    if prepared.rejection is not None:
        return schedule(pod, state)
    blockers = _blockers(prepared, classes)
    firsts = [refusals[0] if refusals else None for refusals in blockers]
    _overrule(firsts, pod, state, prepared, classes)
    nodes = tuple(map(NodeVerdict, classes.names, firsts, blockers))
    known, numbers = dict(zip(map(id, firsts), firsts, strict=True)), Counter(map(id, firsts))
    statuses = [(first.status, numbers[key]) for key, first in known.items() if first is not None]
    message = unavailable(len(nodes), histogram(statuses)) if len(statuses) == len(known) else ""
    return SchedulingVerdict(len(nodes), nodes, message=message, unreplayed=unreplayed_claims(pod))


def _blockers(prepared: PreFiltered, classes: NodeClasses) -> Blockers:
    """The blockers of each node: consecutive filters with the same groups of nodes run together."""
    runs: list[tuple[Grouping, list[tuple[str, NodeFilter]]]] = []
    for name, node_filter in prepared.filters:
        grouping = node_filter.alike(classes)
        if not runs or runs[-1][0] is not grouping:
            runs.append((grouping, []))
        runs[-1][1].append((name, node_filter))
    blockers: Blockers = []
    for grouping, run in runs:
        answers = [objections(tuple(run), example) for example in grouping.examples]
        if any(answers):
            more = list(map(answers.__getitem__, grouping.numbers))
            blockers = _added(blockers, more) if blockers else more
    return blockers or [()] * len(classes.nodes)


def _added(some: Blockers, more: Blockers) -> Blockers:
    """The blockers of both; nodes that share their blockers in both share them here."""
    keys = list(zip(map(id, some), map(id, more), strict=True))
    sums = {
        key: first + second
        for key, (first, second) in dict(zip(keys, zip(some, more, strict=True), strict=True)).items()
    }
    return list(map(sums.__getitem__, keys))


def _overrule(
    firsts: list[Objection | None], pod: Pod, state: ClusterState, prepared: PreFiltered, classes: NodeClasses
) -> None:
    """Add the status of nodes that PreFilters leave out, and of those that other pods are nominated to."""
    for number, name in enumerate(classes.names) if state.nominated else ():
        if name in state.nominated:
            firsts[number] = objection_with_nominated(pod, state, prepared.filters, state.nodes[number])
    if prepared.only is not None:
        excluded = left_out(prepared)
        for number, name in enumerate(classes.names):
            if name not in prepared.only:
                firsts[number] = excluded
