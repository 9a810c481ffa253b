"""Nodes and what each filter objects to them: short enough for a cell of a table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from kubedoctor.answers.placement.reasons import group_reasons, plugin_title
from kubedoctor.replay.scheduler import profile
from kubedoctor.replay.scheduler.cycle import NodeVerdict
from kubedoctor.replay.scheduler.many.grouping import NodeVerdictGroup

_ORDER: Final = {plugin.name: place for place, plugin in enumerate(profile.PLUGINS)}


def filters_of(groups: Sequence[NodeVerdictGroup]) -> tuple[str, ...]:
    """The plugins that object to any node, in the scheduler's order."""
    titles = {plugin_title(objection) for group in groups for objection in group.blockers}
    return tuple(sorted(titles, key=lambda title: (_ORDER.get(title, -1), title)))


def passing_cells(nodes: Sequence[NodeVerdict], filters: Sequence[str]) -> tuple[str, ...]:
    """What each filter objects to nodes with one outcome; empty where it passes them."""
    found = group_reasons(NodeVerdictGroup(tuple(nodes)))
    return tuple(found.get(name, "") for name in filters)
