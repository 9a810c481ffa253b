"""Nodes and what objects to each, as a table: short enough for a cell, the nearest node first."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

from kubedoctor.answers.placement.reasons import group_reasons, plugin_title
from kubedoctor.replay.scheduler import profile
from kubedoctor.replay.scheduler.cycle import NodeVerdict, Objection
from kubedoctor.replay.scheduler.many.grouping import NodeVerdictGroup

_ORDER: Final = {plugin.name: place for place, plugin in enumerate(profile.PLUGINS)}


class PlacementRow(msgspec.Struct, frozen=True):
    """Nodes with the same outcome. `cells` go with the table's filters; an empty one passes."""

    nodes: tuple[str, ...]
    cells: tuple[str, ...]

    @property
    def fits(self) -> bool:
        """Nothing objects."""
        return not any(self.cells)


class PlacementTable(msgspec.Struct, frozen=True):
    """`filters` are the plugins that object to any node, in their order."""

    filters: tuple[str, ...]
    rows: tuple[PlacementRow, ...]


def group_table(groups: Sequence[NodeVerdictGroup]) -> PlacementTable:
    """A row for each group, in the order given."""
    filters = _filters(objection for group in groups for objection in group.blockers)
    return PlacementTable(filters, tuple(_row(group.nodes, filters) for group in groups))


def node_table(groups: Sequence[NodeVerdictGroup]) -> PlacementTable:
    """A row for each node, in the order of the groups."""
    filters = _filters(objection for group in groups for objection in group.blockers)
    return PlacementTable(filters, tuple(_row((one,), filters) for group in groups for one in group.nodes))


def _filters(objections: Iterable[Objection]) -> tuple[str, ...]:
    return tuple(sorted({plugin_title(one) for one in objections}, key=lambda name: (_ORDER.get(name, -1), name)))


def _row(nodes: Sequence[NodeVerdict], filters: tuple[str, ...]) -> PlacementRow:
    found = group_reasons(NodeVerdictGroup(tuple(nodes)))
    return PlacementRow(tuple(one.node for one in nodes), tuple(found.get(name, "") for name in filters))
