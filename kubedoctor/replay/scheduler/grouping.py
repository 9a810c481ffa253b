"""A verdict put in order: nodes with the same outcome together, the nearest misses first."""

from __future__ import annotations

from collections.abc import Hashable

import msgspec

from kubedoctor.replay.scheduler.cycle import NodeVerdict, Objection, Verdict
from kubedoctor.replay.scheduler.framework import Code


class NodeGroup(msgspec.Struct, frozen=True):
    """Nodes to which the same plugins object for the same reasons, the nearest miss first. How much of a resource a
    node lacks may differ."""

    nodes: tuple[NodeVerdict, ...]

    @property
    def first(self) -> Objection | None:
        """What the scheduler reports for the nearest of them; None where the pod fits."""
        return self.nodes[0].first

    @property
    def blockers(self) -> tuple[Objection, ...]:
        """All that objects to the nearest of them."""
        return objections_of(self.nodes[0])

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(one.node for one in self.nodes)


def objections_of(one: NodeVerdict) -> tuple[Objection, ...]:
    """What keeps the pod from a node: its blockers, and what the scheduler reports where no plugin alone objects."""
    if one.first is None or any(each.plugin == one.first.plugin for each in one.blockers):
        return one.blockers
    return (one.first, *one.blockers)


def distance(one: NodeVerdict) -> tuple[int, int, float, str]:
    """Sorts nodes by how near they come to taking the pod.

    First by the number of plugins that object, then by how many of them other pods' leaving would not content, then by
    what is missing as a part of what is asked for; the name decides between equals.
    """
    found = objections_of(one)
    final = sum(each.status.code is not Code.UNSCHEDULABLE for each in found)
    missing = sum(
        short.missing / short.requested for each in found for short in each.status.shortages if short.requested
    )
    return len(found), final, missing, one.node


def grouped(verdict: Verdict) -> tuple[NodeGroup, ...]:
    """All nodes, in groups; nodes that take the pod come first."""
    groups: dict[Hashable, list[NodeVerdict]] = {}
    for one in sorted(verdict.nodes, key=distance):
        groups.setdefault(_outcome(one), []).append(one)
    return tuple(NodeGroup(tuple(nodes)) for nodes in groups.values())


def _outcome(one: NodeVerdict) -> Hashable:
    reported = (one.first.plugin, one.first.status.reasons) if one.first else None
    return reported, tuple(
        (each.plugin, each.status.code, each.status.reasons, each.status.named) for each in one.blockers
    )
