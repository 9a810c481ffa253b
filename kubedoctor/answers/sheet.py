"""The answer to a question, in the shape that every front end renders: words, tables and proven fixes. Pure data."""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec
from msgspec.structs import replace

from kubedoctor.answers.grid import Grid
from kubedoctor.cluster.kinds.references import Ref
from kubedoctor.findings.commands.lines import commands_in_cluster, fixes_in_cluster
from kubedoctor.findings.model import Command, Fix


class Mark(enum.Enum):
    """The sign before a text."""

    YES = "✓"
    NO = "✗"
    UNKNOWN = "?"
    NONE = ""


class Conclusion(enum.Enum):
    """The result of an answer: nothing is wrong, something is wrong, the deciding objects could not be read, or nothing
    was judged. It gives the exit code: 0, 1, 3, 0."""

    WELL = "well"
    TROUBLE = "trouble"
    UNKNOWN = "unknown"
    ACCOUNT = "account"

    @property
    def mark(self) -> Mark:
        """The mark before the verdict."""
        return {"well": Mark.YES, "trouble": Mark.NO, "account": Mark.NONE}.get(self.value, Mark.UNKNOWN)


class Cell(msgspec.Struct, frozen=True):
    """One cell of a table; a mark alone says enough in many."""

    text: str = ""
    mark: Mark = Mark.NONE

    @property
    def shown(self) -> str:
        """The mark and the text."""
        return f"{self.mark.value} {self.text}".strip()


class SheetRow(msgspec.Struct, frozen=True):
    """One cell per column of the table.

    about: the object that the row is about, where it is about a single object.
    parts: the rows that this row sums up; a screen shows these instead, and text and Markdown show the sum.
    detail: a sheet of its own about the row. Both are functions, because most of them are never shown.
    """

    cells: tuple[Cell, ...]
    about: Ref | None = None
    parts: Callable[[], tuple[SheetRow, ...]] | None = None
    detail: Callable[[], Sheet] | None = None

    def in_cluster(self, flags: Sequence[str]) -> SheetRow:
        """The row with parts and a detail whose commands have these flags."""
        parts, detail = self.parts, self.detail
        return replace(
            self,
            parts=(lambda: tuple(part.in_cluster(flags) for part in parts())) if parts is not None else None,
            detail=(lambda: detail().in_cluster(flags)) if detail is not None else None,
        )


class Table(msgspec.Struct, frozen=True):
    """`columns` are the titles; an empty title is allowed."""

    columns: tuple[str, ...]
    rows: tuple[SheetRow, ...]
    title: str = ""

    @property
    def every_row(self) -> tuple[SheetRow, ...]:
        """All rows, with each row that sums up others replaced by those rows."""
        return tuple(part for row in self.rows for part in (row.parts() if row.parts is not None else (row,)))


class Fact(msgspec.Struct, frozen=True):
    """A sentence after a label; consecutive facts with the same label form one block."""

    label: str
    text: str


class Link(msgspec.Struct, frozen=True):
    """A link of the chain from the subject to what decides, in order."""

    text: str
    mark: Mark = Mark.NONE
    about: Ref | None = None


class Sheet(msgspec.Struct, frozen=True):
    """title: the subject of the answer. verdict: the answer itself in some words, read after the title.
    next: commands that look further. gaps: what could not be read or is not replayed.
    data: what a machine reads, beside title, verdict, fixes and gaps: strings, numbers, lists, mappings, Refs, moments. None:
    facts, tables and chain as they are. grid: a picture beside or instead of the tables.
    """

    title: str
    verdict: str
    conclusion: Conclusion
    facts: tuple[Fact, ...] = ()
    tables: tuple[Table, ...] = ()
    chain: tuple[Link, ...] = ()
    fixes: tuple[Fix, ...] = ()
    next: tuple[Command, ...] = ()
    gaps: tuple[str, ...] = ()
    data: Mapping[str, Any] | None = None
    grid: Grid | None = None

    def in_cluster(self, flags: Sequence[str]) -> Sheet:
        """The sheet and those of its rows, with commands that have these flags."""
        if not flags:
            return self
        return replace(
            self,
            fixes=fixes_in_cluster(self.fixes, flags),
            next=commands_in_cluster(self.next, flags),
            tables=tuple(
                replace(table, rows=tuple(row.in_cluster(flags) for row in table.rows)) for table in self.tables
            ),
        )

    @property
    def headline(self) -> str:
        """Title and verdict in one line."""
        return f"{self.title}: {self.verdict}"
