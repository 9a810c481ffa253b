"""How rows are drawn: forms of several lines, cells of columns, and the row under the cursor."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from typing import Protocol

from rich.cells import set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual.geometry import Size
from textual.strip import Strip

from kubedoctor.tui.look import CURSOR
from kubedoctor.tui.pages.page import Line
from kubedoctor.tui.rows import Row

ROW_CSS = """
    VirtualTable {
        & > .table--header { color: $faint; }
        & > .table--cursor { background: $cursor; }
        & > .table--focus { color: $act; background: $cursor; text-style: bold; }
        & > .table--broken { color: $bad; background: $bad-tint; text-style: bold; }
        & > .table--degraded { color: $warn; background: $warn-tint; text-style: bold; }
        & > .table--noted { color: $act; text-style: bold; }
        & > .table--healthy { color: $good; }
        & > .table--idle { color: $muted; }
    }
"""
ROW_CLASSES = {
    "table--header",
    "table--cursor",
    "table--focus",
    "table--broken",
    "table--degraded",
    "table--noted",
    "table--healthy",
    "table--idle",
}
"""Parts that a style sheet gives a colour: the titles, the cursor, and the mark by health."""
LEAST_WITH_END = 9
MOST_OF_END = 6  # a hyphen and the five characters that a pod's name ends with


class RowForm(Protocol):
    """Draws rows of one or more lines, for which columns are not enough."""

    def arrange(self, rows: Sequence[Row], size: Size) -> list[int]:
        """How many lines each row has."""

    def titles(self, width: int) -> list[Line]:
        """The lines above all rows."""

    def ages(self, row: Row, now: datetime) -> tuple[str, ...]:
        """What of a row changes with time alone."""

    def lines(self, row: Row, now: datetime, width: int) -> list[Line]:
        """A row, without the cell of the cursor."""


def under_cursor(strip: Strip, plain: Style, ground: Style, bar: Style) -> Strip:
    """A row with a bar at its left and a background; what has a background of its own keeps it."""
    over = Style(bgcolor=ground.bgcolor)
    segments = [
        Segment(text, style + over if style.bgcolor == plain.bgcolor else style)
        for text, style, _ in strip.crop(1)
        if style is not None
    ]
    return Strip([Segment(CURSOR, bar), *segments], strip.cell_length)


@lru_cache(maxsize=4096)
def cell(text: str, width: int, right: bool, *, ends: bool) -> str:
    """Exactly `width` cells; truncated text ends with `…`, or with `ends` has it before its end."""
    if text.isascii():
        if len(text) > width and ends and width >= LEAST_WITH_END:
            end = min(MOST_OF_END, width // 3)
            return f"{text[: width - 1 - end]}…{text[-end:]}"
        if len(text) > width:
            return text[: width - 1] + "…"
        return text.rjust(width) if right else text.ljust(width)
    fitted = set_cell_size(text, width)
    if fitted.rstrip() != text and not text.startswith(fitted.rstrip()):
        return fitted
    if len(fitted.rstrip()) < len(text):
        return set_cell_size(fitted, max(0, width - 1)) + "…"
    return " " * (len(fitted) - len(text)) + text if right else fitted
