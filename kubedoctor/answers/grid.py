"""A matrix as data: every front end draws it from this, as SVG, as a page of keys or as a table."""

from __future__ import annotations

import enum
from collections.abc import Callable
from typing import Final

import msgspec

from kubedoctor.cluster.kinds.references import Ref


class Shade(enum.Enum):
    """What a cell says at a glance; the value is its sign where there is no colour."""

    FULL = "●"
    PART = "◐"
    MIXED = "◌"
    EMPTY = "·"
    BLANK = " "


MEANINGS: Final = (
    (Shade.FULL, "every port"),
    (Shade.PART, "some ports"),
    (Shade.MIXED, "some pairs of the two groups"),
    (Shade.EMPTY, "no connection"),
)
"""The legend, in the order in which it is drawn."""


class GridLine(msgspec.Struct, frozen=True):
    """A row or a column. members: the titles of all that it stands for, where it stands for several. group: lines of one group
    stand together; here the namespace."""

    title: str
    group: str = ""
    about: Ref | None = None
    members: tuple[str, ...] = ()


class PairAsked(msgspec.Struct, frozen=True):
    """The question that explains a cell: `words` are those of its arguments."""

    question: str
    subject: Ref
    words: tuple[str, ...]


class GridCell(msgspec.Struct, frozen=True):
    """text: short, inside of the cell. says: the whole sentence. asks: what explains the cell. within: the cell's own grid,
    where its pairs differ; a function, because most of them are never shown."""

    shade: Shade
    text: str = ""
    says: str = ""
    asks: PairAsked | None = None
    within: Callable[[], Grid] | None = None


BLANK_CELL: Final = GridCell(Shade.BLANK)


class Grid(msgspec.Struct, frozen=True):
    """`cells[row][column]`. note: what was folded or left out, as a sentence; empty where nothing was."""

    title: str
    rows: tuple[GridLine, ...]
    columns: tuple[GridLine, ...]
    cells: tuple[tuple[GridCell, ...], ...]
    note: str = ""

    @property
    def shades(self) -> tuple[tuple[Shade, str], ...]:
        """The part of the legend that the grid needs."""
        used = {cell.shade for row in self.cells for cell in row}
        return tuple((shade, meaning) for shade, meaning in MEANINGS if shade in used)

    @property
    def is_square(self) -> bool:
        """Whether rows and columns are the same, in the same order."""
        return [row.title for row in self.rows] == [column.title for column in self.columns]
