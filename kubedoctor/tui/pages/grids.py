"""What stands below a grid: the legend, the cell under the cursor in words, and the titles of the columns. Pure."""

from __future__ import annotations

from kubedoctor.answers.grid import Grid, GridCell, GridLine, Shade
from kubedoctor.answers.sheet import Sheet
from kubedoctor.tui.look import LINE
from kubedoctor.tui.pages.ink import crop, ink, size
from kubedoctor.tui.pages.page import Line, Page, Piece
from kubedoctor.tui.pages.sheets import add_remarks

SHADES = {
    Shade.FULL: "key",
    Shade.PART: "noted",
    Shade.MIXED: "degraded",
    Shade.EMPTY: "dim",
    Shade.BLANK: "",
}
"""The role of each shade's colour."""
_MOST_MEMBERS = 12


def grid_page(sheet: Sheet, grid: Grid, cell: GridCell | None, lines: tuple[GridLine, GridLine] | None) -> Page:
    """lines: the row and the column of the cell."""
    page = Page()
    if cell is not None and cell.says:
        page.add((f"{cell.shade.value} ", "key"), (cell.says, "strong"), hang=2)
    elif cell is not None:
        page.add(("not asked about: the same workload, or two ends elsewhere", "dim"))
    for way, line in zip(("from", "to"), lines or (), strict=False):
        if line.members:
            page.add((f"{way} ", "dim"), _members(line), indent=2, hang=4)
    page.blank()
    page.add((sheet.title, "strong"), f": {sheet.verdict}", hang=2)
    if grid.note:
        page.add((grid.note, "dim"))
    if not grid.is_square:
        page.heading("Columns")
        for number, column in enumerate(grid.columns, start=1):
            page.add((f"{number:>3}  ", "dim"), column.title, indent=0, hang=5)
    page.blank()
    add_remarks(page, sheet)
    return page


def legend(grid: Grid, width: int) -> Line:
    """What the signs mean, in a rule."""
    signs = [(Piece(f" {shade.value}", SHADES[shade]), ink(f" {meaning} ", "dim")) for shade, meaning in grid.shades]
    line: Line = (Piece(LINE * 2, "rule"), *(piece for sign in signs for piece in sign))
    return crop((*line, Piece(LINE * max(0, width - size(line)), "rule")), width)


def _members(line: GridLine) -> str:
    more = len(line.members) - _MOST_MEMBERS
    return ", ".join(line.members[:_MOST_MEMBERS]) + (f" and {more} more" if more > 0 else "")
