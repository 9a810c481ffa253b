"""Sheets in the forms of the terminal UI: a page, a list, and commands to copy. Pure, the same for every question."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import partial

from rich.cells import cell_len

from kubedoctor.answers.sheet import Cell, Mark, Sheet, SheetRow, Table
from kubedoctor.cluster import Ref
from kubedoctor.cluster.grammar.text import visible
from kubedoctor.engine.health import Health
from kubedoctor.engine.words import EFFECTS
from kubedoctor.tui.columns import ListColumn
from kubedoctor.tui.look import DOT
from kubedoctor.tui.pages.incidents import Copyable
from kubedoctor.tui.pages.ink import beside, blanks, flowing, ink, middle, pad
from kubedoctor.tui.pages.page import Line, Page, Piece
from kubedoctor.tui.rows import Row, searchable

NARROWEST_CELL = 14
WIDEST_CELL = 60
FOR_NAME = 24
ALIGNED_FROM = 3
"""Columns from which a table on a page is drawn in columns."""
WIDE, WIDEST_ALIGNED = 100, 44
ROLES = {Mark.YES: "healthy", Mark.NO: "broken", Mark.UNKNOWN: "degraded", Mark.NONE: "dim"}


def list_table(sheet: Sheet) -> Table | None:
    """The table that is shown as a list: the last one with rows that can be opened."""
    return next((table for table in reversed(sheet.tables) if any(row.detail for row in table.every_row)), None)


def list_rows(rows: Sequence[SheetRow], *, by_name: bool = False) -> tuple[Row, ...]:
    """A line for each row, in the order of the table or by name. `finding` is the index of the row in `rows`."""
    lines = [_list_row(index, row) for index, row in enumerate(rows)]
    return tuple(sorted(lines, key=lambda line: line.ref.name)) if by_name else tuple(lines)


def _list_row(index: int, row: SheetRow) -> Row:
    refused = sum(1 for cell in row.cells if cell.mark is Mark.NO)
    health = (Health.HEALTHY, Health.DEGRADED)[refused] if refused < 2 else Health.BROKEN
    about = row.about or Ref("Row", "", row.cells[0].text)
    search = searchable(about, *(cell.text for cell in row.cells))
    return Row(ref=about, health=health, status=str(refused), search=search, finding=str(index))


def list_columns(table: Table, rows: Sequence[SheetRow], width: int) -> tuple[ListColumn, ...]:
    """The table's columns on a screen of a width in cells; those with the fewest ✗ are dropped first where there is no
    room."""
    first, *others = table.columns
    name = ListColumn(first.upper(), 0, _CellText(rows, 0, bare=True))
    if not others:
        return (name,)
    refused = [sum(1 for row in rows if row.cells[index].mark is Mark.NO) for index in range(1, len(table.columns))]
    fewest_first = sorted(range(len(others)), key=lambda index: refused[index])
    share = (width - FOR_NAME) // len(others) - 2
    widest = min(WIDEST_CELL, max(NARROWEST_CELL, share))
    columns = []
    for index, title in enumerate(others):
        needed = max(len(title), *(len(_bare(row.cells[index + 1])) for row in rows))
        text = _CellText(rows, index + 1, bare=True)
        columns.append(ListColumn(title, min(widest, needed), text, yields=len(others) - fewest_first.index(index)))
    return (name, ListColumn("NO", 2, lambda row, _: row.status, right=True), *columns)


class _CellText:
    """The text of one column of a list."""

    def __init__(self, rows: Sequence[SheetRow], index: int, *, bare: bool) -> None:
        self._rows, self._index, self._bare = rows, index, bare

    def __call__(self, row: Row, now: datetime) -> str:
        return visible(_bare(self._rows[int(row.finding)].cells[self._index]), 253)


def _bare(cell: Cell) -> str:
    """The text of a cell without its mark: in a list only rejections have a text."""
    return cell.text or cell.mark.value


def sheet_page(sheet: Sheet) -> Page:
    """A sheet without the table that is shown as a list."""
    page, listed = Page(), list_table(sheet)
    mark = sheet.conclusion.mark
    page.add((f"{mark.value} ".lstrip(), ROLES[mark]), (sheet.title, "strong"), f": {sheet.verdict}", hang=2)
    _add_facts(page, sheet)
    for step in sheet.chain:
        page.add((f"{step.mark.value or '·'} ", ROLES[step.mark]), step.text, indent=2, hang=4)
    for table in sheet.tables:
        if table is not listed:
            _add_table(page, table)
    for fix in sheet.fixes:
        page.add(("✓ " if fix.verified else "· ", "healthy" if fix.verified else "dim"), fix.summary, indent=2, hang=4)
        if fix.command:
            page.add((fix.command, "command"), indent=4, right=EFFECTS[fix.effect])
    _add_gaps(page, sheet)
    return page


def add_remarks(page: Page, sheet: Sheet) -> None:
    """The facts, and what was not checked."""
    _add_facts(page, sheet)
    _add_gaps(page, sheet)


def _add_facts(page: Page, sheet: Sheet) -> None:
    for fact in sheet.facts:
        page.add((f"{fact.label} ", "dim"), fact.text, indent=2, hang=4)


def _add_gaps(page: Page, sheet: Sheet) -> None:
    for gap in sheet.gaps:
        page.add(("not checked ", "dim"), gap, indent=2, hang=4)


def _add_table(page: Page, table: Table) -> None:
    """A paragraph for each row: the first cell, then the others after their titles; cells without a title come last."""
    if len(table.columns) >= ALIGNED_FROM and all(table.columns):
        page.blank()
        page.picture(partial(_aligned, table))
        return
    page.heading(table.title or table.columns[0].capitalize())
    for row in table.rows:
        first, *cells = row.cells
        mark = _mark_of(row)
        texts = [
            (f"{title} {cell.text}" if title else cell.text, cell.mark)
            for title, cell in zip(table.columns[1:], cells, strict=True)
            if cell.text
        ]
        page.add(
            (f"{mark.value or '·'} ", ROLES[mark]),
            (first.text, "value"),
            *((f"  {text}", "broken" if tone is Mark.NO else "") for text, tone in texts),
            indent=2,
            hang=4,
        )


def _mark_of(row: SheetRow) -> Mark:
    """Of its first cell; else what any cell objects decides."""
    marks = [cell.mark for cell in row.cells if cell.mark is not Mark.NONE]
    if row.cells[0].mark is Mark.NONE and Mark.NO in marks:
        return Mark.NO
    return marks[0] if marks else Mark.NONE


def _told(row: SheetRow, column: int) -> str:
    """A cell; the mark of the first stands before the row already."""
    return row.cells[column].shown if column else row.cells[column].text


def _tone(row: SheetRow, column: int, last: int, quiet: str) -> str:
    if column and row.cells[column].mark is Mark.NO:
        return "broken"
    return "faint" if column < last else quiet


def _aligned(table: Table, width: int) -> list[Line]:
    """The rows below each other in columns; the last one is wrapped, the others are cut in their middle."""
    *others, last = range(len(table.columns))
    most = WIDEST_ALIGNED if width >= WIDE else NARROWEST_CELL + NARROWEST_CELL // 2
    needed = [max(len(table.columns[n]), *(cell_len(visible(_told(row, n))) for row in table.rows)) for n in others]
    widths = [min(most, cells) for cells in needed]
    indent = 2 + sum(widths) + 2 * len(widths)
    heads = [f"{table.columns[n].upper():<{cells}}  " for n, cells in zip(others, widths, strict=True)]
    lines: list[Line] = [
        (*blanks(2), *(Piece(head, "faint") for head in heads), ink(table.columns[last].upper(), "faint"))
    ]
    for row in table.rows:
        mark = _mark_of(row)
        quiet = "" if mark is not Mark.NONE else "dim"
        cells = [
            (*pad((Piece(middle(visible(_told(row, n)), size), _tone(row, n, others[-1], quiet)),), size + 2),)
            for n, size in zip(others, widths, strict=True)
        ]
        lead = (Piece(f"{mark.value or DOT} ", ROLES[mark]), *(piece for cell in cells for piece in cell))
        lines += beside(lead, flowing([ink(row.cells[last].text)], width - indent))
    return lines


def sheet_commands(sheet: Sheet, row: SheetRow | None = None) -> tuple[Copyable, ...]:
    """The commands to copy: the fixes, then those about the row under the cursor, then those about the subject."""
    commands = [Copyable(fix.command, fix.summary, EFFECTS[fix.effect]) for fix in sheet.fixes if fix.command]
    closer = row.detail().next if row is not None and row.detail is not None else ()
    commands += [Copyable(command.line, command.why, EFFECTS[command.effect]) for command in (*closer, *sheet.next)]
    return tuple({command.line: command for command in reversed(commands)}.values())[::-1]
