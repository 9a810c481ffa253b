"""Nodes that a pod might go to, as rows and columns of a list, and as pages. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from kubedoctor.answers.placement.node import NodeSheet, node_sheet
from kubedoctor.answers.placement.outcome import agreement_lines, preemption_lines
from kubedoctor.answers.placement.table import PlacementTable, node_table
from kubedoctor.cluster import Ref
from kubedoctor.cluster.grammar.text import visible
from kubedoctor.engine.placement import Placement
from kubedoctor.engine.placement_words import fix_line, headline
from kubedoctor.tui.columns import ListColumn
from kubedoctor.tui.health import Health
from kubedoctor.tui.incidents import EFFECTS, Copyable
from kubedoctor.tui.pages import Page
from kubedoctor.tui.rows import Row, searchable

NARROWEST_CELL = 14
WIDEST_CELL = 60
FOR_NAME = 24
TICK = "✓"
BY_DISTANCE = "distance"
BY_NAME = "name"


def grid(
    placement: Placement, order: str = BY_DISTANCE, width: int = 120
) -> tuple[tuple[Row, ...], tuple[ListColumn, ...]]:
    """A row for each node, nearest first or by name, and a column for each filter that objects to any.

    width: that of the screen, in cells.
    """
    if placement.last is None:
        return (), (_name(),)
    table = node_table(placement.last.groups)
    rows = [_row(one.nodes[0], one.cells) for one in table.rows]
    if order == BY_NAME:
        rows.sort(key=lambda row: row.ref.name)
    return tuple(rows), _columns(table, width)


def _row(name: str, cells: tuple[str, ...]) -> Row:
    objecting = sum(1 for cell in cells if cell)
    health = (Health.HEALTHY, Health.DEGRADED)[objecting] if objecting < 2 else Health.BROKEN
    about = Ref("Node", "", name)
    return Row(ref=about, health=health, status=str(objecting), search=searchable(about, *cells))


def _name() -> ListColumn:
    return ListColumn("NODE", 0, lambda row, _: visible(row.ref.name, 253))


def _columns(table: PlacementTable, width: int) -> tuple[ListColumn, ...]:
    """The filters in their order; those that object to the fewest nodes yield first where there is no room."""
    objecting = [sum(1 for row in table.rows if row.cells[place]) for place in range(len(table.filters))]
    fewest_first = sorted(range(len(objecting)), key=lambda place: objecting[place])
    share = (width - FOR_NAME) // max(1, len(table.filters)) - 2
    widest = min(WIDEST_CELL, max(NARROWEST_CELL, share))
    columns = []
    for place, title in enumerate(table.filters):
        cells = {row.nodes[0]: row.cells[place] for row in table.rows}
        needed = max(len(title), *(len(cell) for cell in cells.values()))
        yields = len(objecting) - fewest_first.index(place)
        columns.append(ListColumn(title, min(widest, needed), _Cell(cells), yields=yields))
    return (_name(), ListColumn("NO", 2, lambda row, _: row.status, right=True), *columns)


class _Cell:
    """What one filter says to each node."""

    def __init__(self, cells: Mapping[str, str]) -> None:
        self._cells = cells

    def __call__(self, row: Row, now: datetime) -> str:
        return visible(self._cells.get(row.ref.name) or TICK, 200)


def placement_page(placement: Placement, name: str = "") -> Page:
    """The pod's verdict; with a node, that one in full."""
    page = Page()
    page.add((placement.pod.title, "strong"), " ", headline(placement))
    if name and placement.last is not None:
        sheet = node_sheet(placement.last, name)
        if sheet is not None:
            _add_sheet(page, sheet)
            return page
    answer = placement.before
    if answer is not None:
        for said in agreement_lines(answer):
            page.add((said, "dim"), indent=2)
        if not answer.verdict.feasible:
            for said in preemption_lines(answer):
                page.add(("preemption ", "dim"), said, indent=2)
    for text in placement.autoscaler:
        page.add(("autoscaler ", "dim"), text, indent=2)
    for fix in placement.fixes:
        page.add(fix_line(fix), indent=2)
        if fix.command:
            page.add((fix.command, "command"), indent=4, right=EFFECTS[fix.effect])
    for text in placement.not_seen:
        page.add(("not seen ", "dim"), text, indent=2)
    return page


def _add_sheet(page: Page, sheet: NodeSheet) -> None:
    page.heading(f"Node {sheet.node} {'would take it' if sheet.fits else 'does not take it'}")
    for one in sheet.objections:
        page.add(("✗ ", "broken"), (one.short, "strong"), f"  {one.filter}", indent=2, hang=4)
        page.add((", ".join(one.reasons), "dim"), indent=4)
    page.heading("Resources")
    for line in sheet.resources:
        short = line.missing > 0
        page.add(
            ("✗ " if short else "✓ ", "broken" if short else "healthy"),
            f"{line.resource}: asked ",
            (line.text(line.asked), "value"),
            f", free {line.text(line.free)}; used {line.text(line.used)} of {line.text(line.allocatable)}",
            *([(f"; lacks {line.text(line.missing)}", "broken")] if short else []),
            indent=2,
            hang=4,
        )
    if sheet.taints:
        page.heading("Taints")
    for taint in sheet.taints:
        fine = bool(taint.toleration) or not taint.forbids
        answer = f"tolerated by {taint.toleration}" if taint.toleration else "not tolerated"
        mark = ("✓ ", "healthy") if fine else ("✗ ", "broken")
        page.add(mark, (taint.taint, "value"), f"  {answer}", indent=2, hang=4)
    if sheet.labels:
        page.heading("Labels wanted")
    for label in sheet.labels:
        there = "no such label" if label.present is None else f"the node has {label.present!r}"
        mark = ("✓ ", "healthy") if label.met else ("✗ ", "broken")
        page.add(mark, (label.wanted, "value"), f"  {there}", indent=2, hang=4)


def placement_commands(placement: Placement, node: str = "") -> tuple[Copyable, ...]:
    """What can be copied: the fixes, then what looks closer."""
    found = [Copyable(fix.command, fix.summary, EFFECTS[fix.effect]) for fix in placement.fixes if fix.command]
    pod = placement.pod
    if node:
        found.append(Copyable(Ref("Node", "", node).describe_command, "the node", "reads only"))
        line = f"kubedoctor why-pending {pod.name}{pod.namespace_flag} --node {node}"
        found.append(Copyable(line, "this node in full", "reads only"))
    found.append(Copyable(pod.describe_command, f"the {pod.short_kind}", "reads only"))
    return tuple(found)
