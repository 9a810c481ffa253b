"""A verdict in groups: nodes with the same outcome together, the closest match first."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from itertools import chain
from operator import attrgetter, itemgetter

import msgspec

from kubedoctor.replay.scheduler.cycle import NodeVerdict, Objection, SchedulingVerdict
from kubedoctor.replay.scheduler.framework import Code


class NodeVerdictGroup(msgspec.Struct, frozen=True):
    """Nodes that the same plugins reject for the same reasons, the closest match first. The missing amount of a
    resource may differ. examples: one of those that share their objections, in the same order; empty for all."""

    nodes: tuple[NodeVerdict, ...]
    examples: tuple[NodeVerdict, ...] = ()

    @property
    def first(self) -> Objection | None:
        """What the scheduler reports for the closest of them; None where the pod fits."""
        return self.nodes[0].first

    @property
    def blockers(self) -> tuple[Objection, ...]:
        """The blockers of the closest of them."""
        return objections_of(self.nodes[0])

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(map(_NAME, self.nodes))


def objections_of(node_verdict: NodeVerdict) -> tuple[Objection, ...]:
    """Why the pod does not fit a node: its blockers, or what the scheduler reports where no plugin alone rejects it."""
    first, blockers = node_verdict.first, node_verdict.blockers
    if (
        first is None
        or (blockers and first is blockers[0])
        or any(blocker.plugin == first.plugin for blocker in blockers)
    ):
        return blockers
    return (first, *blockers)


def grouped(verdict: SchedulingVerdict) -> tuple[NodeVerdictGroup, ...]:
    """All nodes, in groups; nodes that fit the pod come first, then the closest matches: by the number of plugins that
    reject, then by how many of them evicting pods would not satisfy, then by the missing part of the requests, then by
    name.
    """
    scales = _Scales()
    groups: dict[Hashable, dict[_Distance, list[tuple[NodeVerdict, ...]]]] = {}
    for alike in verdict.alike:
        outcome, distance = _outcome(alike[0], scales)
        groups.setdefault(outcome, {}).setdefault(distance, []).append(alike)
    ordered = sorted(map(_ordered, groups.values()), key=itemgetter(0))
    return tuple([group for _, group in ordered])


_Distance = tuple[int, int, float]
_NAME = attrgetter("node")


def _ordered(
    by_distance: Mapping[_Distance, list[tuple[NodeVerdict, ...]]],
) -> tuple[tuple[_Distance, str], NodeVerdictGroup]:
    """The place of the group among the others, and the group with its nodes in order."""
    nodes: list[NodeVerdict] = []
    examples: list[NodeVerdict] = []
    for distance in sorted(by_distance):
        sets = by_distance[distance]
        if len(sets) == len(sets[0]) == 1:  # most nodes of a large cluster miss an amount of their own
            nodes.append(sets[0][0])
            examples.append(sets[0][0])
            continue
        nodes += sorted(chain.from_iterable(sets), key=_NAME)
        examples += sorted([min(alike, key=_NAME) for alike in sets], key=_NAME)
    return (min(by_distance), nodes[0].node), NodeVerdictGroup(tuple(nodes), tuple(examples))


def _outcome(node: NodeVerdict, scales: _Scales) -> tuple[Hashable, _Distance]:
    """What nodes of one group share, and how far the pod is from fitting."""
    objections = objections_of(node)
    weights = [scales.weighed(objection) for objection in objections]
    reported = scales.weighed(node.first).reported if node.first else None
    outcome = [reported]
    final, missing = 0, 0.0
    for weight in weights:
        outcome.append(weight.said)
        final += weight.final
        missing += weight.missing
    if objections is not node.blockers:
        del outcome[1]  # said by no plugin alone
    return tuple(outcome), (len(weights), final, missing)


class _Weight(msgspec.Struct, frozen=True, gc=False):
    """reported: equal for objections of the same plugin for the same reasons. said: equal where code and names are the
    same too. final: evicting pods would not satisfy it."""

    reported: int
    said: int
    final: bool
    missing: float


def _part(missing: int, requested: int) -> float:
    """A pod may request more than a float can hold; then all nodes count as equally far."""
    return min(missing, requested << 64) / requested


class _Scales:
    """Weighs each objection once for all nodes that share it, by identity."""

    def __init__(self) -> None:
        self._known: dict[int, _Weight] = {}
        self._numbers: dict[Hashable, int] = {}
        self._same_reasons: dict[tuple[object, ...], tuple[int, int]] = {}

    def weighed(self, objection: Objection) -> _Weight:
        if weight := self._known.get(id(objection)):
            return weight
        status = objection.status
        # Thousands of nodes lack an amount of their own and share the reason itself: it is compared only once.
        same = (objection.plugin, id(status.code), status.named, *map(id, status.reasons))
        numbers = self._same_reasons.get(same)
        if numbers is None:
            numbers = self._same_reasons[same] = self._numbered(objection)
        missing = 0.0
        for short in status.shortages:
            if short.requested:
                missing += _part(short.missing, short.requested)
        weight = self._known[id(objection)] = _Weight(*numbers, status.code is not Code.UNSCHEDULABLE, missing)
        return weight

    def _numbered(self, objection: Objection) -> tuple[int, int]:
        status, number = objection.status, self._numbers.setdefault
        reported = number((objection.plugin, status.reasons), len(self._numbers))
        return reported, number((reported, status.code.value, status.named), len(self._numbers))
