"""The scheduling cycle where there are many nodes: each filter runs once for all nodes that are equivalent for it."""

from __future__ import annotations

from collections.abc import Iterator
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
Blockers = tuple[Objection, ...]
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
    numbers, blockers = _blockers(prepared, classes)
    firsts = [refusals[0] if refusals else None for refusals in blockers]
    added: dict[tuple[int, int], int] = {}
    for node, first in _overruled(pod, state, prepared, classes):
        kind = numbers[node]
        if first is firsts[kind]:
            continue
        numbers[node] = added.setdefault((id(first), kind), len(firsts))
        if numbers[node] == len(firsts):
            firsts.append(first)
            blockers.append(blockers[kind])
    first_of, blockers_of = map(firsts.__getitem__, numbers), map(blockers.__getitem__, numbers)
    nodes = tuple(map(NodeVerdict, classes.names, first_of, blockers_of))
    alike: dict[int, list[NodeVerdict]] = {}
    for kind, node_verdict in zip(numbers, nodes, strict=True):
        if kind in alike:
            alike[kind].append(node_verdict)
        else:
            alike[kind] = [node_verdict]
    refused = [(first.status, len(sharing)) for kind, sharing in alike.items() if (first := firsts[kind]) is not None]
    message = unavailable(len(nodes), histogram(refused)) if len(refused) == len(alike) else ""
    verdict = SchedulingVerdict(len(nodes), nodes, message=message, unreplayed=unreplayed_claims(pod))
    verdict.know_alike(alike.values())
    return verdict


def _blockers(prepared: PreFiltered, classes: NodeClasses) -> tuple[list[int], list[Blockers]]:
    """For each node a number, and by these numbers the blockers: consecutive filters with the same groups of nodes run
    together."""
    runs: list[tuple[Grouping, list[tuple[str, NodeFilter]]]] = []
    for name, node_filter in prepared.filters:
        grouping = node_filter.alike(classes)
        if not runs or runs[-1][0] is not grouping:
            runs.append((grouping, []))
        runs[-1][1].append((name, node_filter))
    answers: list[list[Blockers]] = []
    numbers: list[list[int]] = []
    for grouping, run in runs:
        refusals = [objections(tuple(run), example) for example in grouping.examples]
        if any(refusals):
            passing_as_one = [number if refused else -1 for number, refused in enumerate(refusals)]
            answers.append(refusals)
            numbers.append(list(map(passing_as_one.__getitem__, grouping.numbers)))
    keys = list(zip(*numbers, strict=True)) or [()] * len(classes.nodes)
    kinds = {key: number for number, key in enumerate(dict.fromkeys(keys))}
    blockers: list[Blockers] = []
    for key in kinds:
        found: Blockers = ()
        for refusals, number in zip(answers, key, strict=True):
            if number >= 0:
                found += refusals[number]
        blockers.append(found)
    return list(map(kinds.__getitem__, keys)), blockers


def _overruled(
    pod: Pod, state: ClusterState, prepared: PreFiltered, classes: NodeClasses
) -> Iterator[tuple[int, Objection | None]]:
    """The numbers of nodes that PreFilters leave out, and of those that other pods are nominated to, with what the
    scheduler reports there."""
    excluded = left_out(prepared) if prepared.only is not None else None
    for number, name in enumerate(classes.names) if excluded is not None or state.nominated else ():
        if prepared.only is not None and name not in prepared.only:
            yield number, excluded
        elif name in state.nominated:
            yield number, objection_with_nominated(pod, state, prepared.filters, state.nodes[number])
