"""Nodes and what objects to each, as a table: short enough for a cell, the nearest node first."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

from kubedoctor.cluster.quantities import format_bytes, format_milli, parse_quantity
from kubedoctor.replay.scheduler import reasons
from kubedoctor.replay.scheduler.cycle import NodeVerdict, Objection, default_plugins
from kubedoctor.replay.scheduler.framework import Code, Shortage
from kubedoctor.replay.scheduler.grouping import NodeGroup, objections_of

_MEBI: Final = 1 << 20
PRE_FILTER: Final = "PreFilter"
"""The column of what several plugins decide together, before nodes are looked at."""
_ORDER: Final = {plugin.name: place for place, plugin in enumerate(default_plugins(reasons.LATEST))}
_WORDS: Final = {
    reasons.CORDONED: "cordoned",
    reasons.NODE_NAME: "is not the node it names",
    reasons.NODE_AFFINITY: "labels do not match",
    reasons.ENFORCED_AFFINITY: "not allowed by the scheduler's own affinity",
    reasons.HOST_PORTS: "host port in use",
    reasons.TOO_MANY_PODS: "no room for one pod more",
    reasons.DISK_CONFLICT: "disk in use",
    reasons.CLAIM_IN_USE: "claim in use by another pod",
    reasons.VOLUME_LIMIT: "too many volumes",
    reasons.VOLUME_BIND: "no volume to bind",
    reasons.VOLUME_SPACE: "too little storage",
    reasons.VOLUME_MISSING: "its volume is gone",
    reasons.VOLUME_ZONE: "volume in another zone",
    reasons.SPREAD: "spread: too many there",
    reasons.SPREAD_LABEL: "spread: label missing",
    reasons.POD_AFFINITY: "no pod it must be with",
    reasons.POD_ANTI_AFFINITY: "a pod it avoids",
    reasons.EXISTING_ANTI_AFFINITY: "a pod there avoids it",
    reasons.NODE_FEATURES: "lacks a feature",
    "node(s) had volume node affinity conflict": "volume is elsewhere",
    "node(s) didn't match PersistentVolume's node affinity": "volume is elsewhere",
}


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


def group_table(groups: Sequence[NodeGroup]) -> PlacementTable:
    """A row for each group, in the order given."""
    filters = _filters(objection for group in groups for objection in group.blockers)
    return PlacementTable(filters, tuple(_row(group.nodes, filters) for group in groups))


def node_table(groups: Sequence[NodeGroup]) -> PlacementTable:
    """A row for each node, in the order of the groups."""
    filters = _filters(objection for group in groups for objection in group.blockers)
    return PlacementTable(filters, tuple(_row((one,), filters) for group in groups for one in group.nodes))


def _filters(objections: Iterable[Objection]) -> tuple[str, ...]:
    return tuple(sorted({plugin_title(one) for one in objections}, key=lambda name: (_ORDER.get(name, -1), name)))


def plugin_title(objection: Objection) -> str:
    """The column that an objection belongs to."""
    return objection.plugin or PRE_FILTER


def _row(nodes: Sequence[NodeVerdict], filters: tuple[str, ...]) -> PlacementRow:
    by_filter = [{plugin_title(each): each for each in objections_of(one)} for one in nodes]
    cells = tuple(
        short_reason(*(found[name] for found in by_filter if name in found)) if name in by_filter[0] else ""
        for name in filters
    )
    return PlacementRow(tuple(one.node for one in nodes), cells)


def short_reason(*same: Objection) -> str:
    """What one plugin objects, in a few words; of several nodes, the span of what they lack."""
    first = same[0].status
    if first.shortages:
        return ", ".join(
            _shortage([each.status.shortages[place] for each in same if len(each.status.shortages) > place])
            for place in range(len(first.shortages))
        )
    named = ", ".join(first.named)
    if named and same[0].plugin == "TaintToleration":
        return f"taint {named}"
    words = ", ".join(_WORDS.get(reason) or reason.removeprefix("node(s) ") for reason in first.reasons)
    words = words or ("cannot be decided" if first.code is Code.ERROR else "objects")
    return f"{words}: {named}" if named and named not in words else words


def whole_reason(objection: Objection) -> str:
    """What keeps the pod from all nodes at once, in the scheduler's words and with what it is about."""
    about = [name for name in objection.status.named if name not in objection.status.message]
    return objection.status.message + (f" ({', '.join(about)})" if about else "")


def _shortage(same: Sequence[Shortage]) -> str:
    one = same[0]
    if one.resource == "pods":
        return f"is full: {one.capacity} pods"
    least, most = min(each.missing for each in same), max(each.missing for each in same)
    span = (
        amount(one.resource, least)
        if least == most
        else f"{amount(one.resource, least)} to {amount(one.resource, most)}"
    )
    small = ", too small" if all(each.beyond for each in same) else ""
    return f"lacks {span} {one.resource}{small}"


def amount(resource: str, number: int) -> str:
    """As people write it: cpu comes in thousandths, memory and storage in bytes. Nothing is rounded by more than 1Mi."""
    if resource == "cpu":
        return format_milli(number)
    if resource not in ("memory", "ephemeral-storage") and not resource.startswith("hugepages-"):
        return str(number)
    short = format_bytes(number)
    exact = abs(number) < _MEBI or parse_quantity(short).value() == number
    return short if exact else f"{-(-number // _MEBI)}Mi"
