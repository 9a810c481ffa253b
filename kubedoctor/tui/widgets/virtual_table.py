"""A list of any length: only visible lines are rendered."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from datetime import datetime
from itertools import accumulate, compress, count, repeat
from operator import is_
from typing import Any, ClassVar, NamedTuple

from msgspec.structs import replace
from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Region, Size
from textual.message import Message
from textual.strip import Strip

from kubedoctor.cluster import Ref
from kubedoctor.tui.columns import ListColumn, fit
from kubedoctor.tui.pages.page import Line
from kubedoctor.tui.rows import Row
from kubedoctor.tui.widgets.line_view import LineView, filled
from kubedoctor.tui.widgets.row_form import ROW_CLASSES, ROW_CSS, RowForm, cell, under_cursor

MARK = 5  # cells: the cursor, the mark between two spaces, a space
GAP = 1
LEAST_NAME = 16
MOST_KEPT_LINES = 2000
NEAR = 50  # rows


class _Drawn(NamedTuple):
    row: Row
    ages: tuple[str, ...]
    strips: list[Strip]


class VirtualTable(LineView, can_focus=True):
    """Rows of health mark and columns, with a cursor. Lines are rendered when they become visible, and cached until
    they change."""

    COMPONENT_CLASSES: ClassVar[set[str]] = ROW_CLASSES
    DEFAULT_CSS = ROW_CSS
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down,j", "move(1)", "Down", show=False),
        Binding("up,k", "move(-1)", "Up", show=False),
        Binding("pagedown,ctrl+f", "page(1)", "Page down", show=False),
        Binding("pageup,ctrl+b", "page(-1)", "Page up", show=False),
        Binding("home,g", "jump(0)", "First", show=False),
        Binding("end,G,shift+g", "jump(-1)", "Last", show=False),
        Binding("enter", "open", "Open", show=False),
    ]

    class Highlighted(Message):
        """The cursor is on another row, or its row changed; None where there are no rows."""

        def __init__(self, row: Row | None) -> None:
            super().__init__()
            self.row = row

    class Opened(Message):
        """A row was opened."""

        def __init__(self, row: Row) -> None:
            super().__init__()
            self.row = row

    class Resized(Message):
        """It has another size."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.rows: Sequence[Row] = ()
        self.cursor = 0
        self.follows = False
        """Whether the cursor follows its object: a person has moved it."""
        self.below = 0
        """How many rows below the cursor are kept in view with it."""
        self._columns: tuple[ListColumn, ...] = ()
        self._fitting: tuple[ListColumn, ...] = ()
        self._widths: tuple[int, ...] = ()
        self._now: datetime | None = None
        self._measured = 0
        self._lines: dict[int, _Drawn] = {}
        self._form: RowForm | None = None
        self._starts: list[int] | None = None
        self._titles: list[Line] = []
        self._plain: Style | None = None
        self._styles_of_lines: tuple[Style, ...] = ()
        self._styles_of_parts: dict[str, Style] = {}
        self._longest: dict[str, int] = {}

    @property
    def current(self) -> Row | None:
        """The row under the cursor."""
        return self.rows[self.cursor] if self.rows else None

    def show(
        self,
        rows: Sequence[Row],
        columns: tuple[ListColumn, ...],
        now: datetime,
        *,
        stay: bool = True,
        key: Callable[[Row], Any] | None = None,
        selected: bool = False,
        form: RowForm | None = None,
    ) -> None:
        """Show these rows, in columns or in a form; the cursor stays on its object if that is still there and `stay` is true, and on the first row
        until a person has moved it. key: by which the rows are sorted. selected: they were selected of the same
        rows as those before."""
        before, rows_before, cursor_before, top = self.current, self.rows, self.cursor, int(self.scroll_offset.y)
        self.rows, self._now = rows, now
        others = columns != self._columns or form is not self._form
        if others:
            self._columns, self._form = columns, form
            self._longest.clear()
            self._measure()
        others |= self._arrange()
        self.follows = self.follows and stay
        if not self.follows:
            self.cursor = 0
        elif before is not None:
            self.cursor = self._index_after(before, key, selected)
        self.cursor = max(0, min(self.cursor, len(rows) - 1))
        self._follow()
        if self._has_outgrown():
            self._measure()
            others = True
        if others or int(self.scroll_offset.y) != top:
            self.refresh()
        else:
            self._repaint_changed(rows_before, cursor_before)
        if before != self.current or not stay:
            self.post_message(self.Highlighted(self.current))

    def pass_time(self, now: datetime) -> None:
        """The present moment: ages that read differently now are drawn again."""
        self._now = now
        for index in self._visible():
            line = self._lines.get(index)
            if line is not None and line.ages != self._ages(line.row):
                self._repaint(index)

    def _arrange(self) -> bool:
        """How many lines each row has; whether any row stands elsewhere than before."""
        before = self._starts
        self._starts = None
        if self._form is not None:
            self._starts = list(accumulate(self._form.arrange(self.rows, self.size), initial=0))
            self._titles = self._form.titles(max(1, self.scrollable_content_region.width - 1))
        if before != self._starts:
            self._lines.clear()
        self.virtual_size = Size(self.size.width, self._top(len(self.rows)) + self.head)
        return before != self._starts

    @property
    def head(self) -> int:
        """The lines above the rows."""
        return len(self._titles) if self._form is not None else 1

    def _top(self, index: int) -> int:
        """The first line of a row, counted without the head."""
        return index if self._starts is None else self._starts[index]

    def _index_at(self, line: int) -> int:
        """The row that a line belongs to; past the last row none, but a number that is too large."""
        return line if self._starts is None else bisect_right(self._starts, line) - 1

    def _visible(self) -> range:
        top = int(self.scroll_offset.y)
        last = self._index_at(top + self.size.height - self.head - 1)
        return range(self._index_at(top), min(last + 1, len(self.rows)))

    def _repaint_changed(self, before: Sequence[Row], cursor: int) -> None:
        """Draw the visible lines again whose rows are not the same objects as before."""
        top = int(self.scroll_offset.y)
        for index in range(self._index_at(top), self._index_at(top + self.size.height - self.head) + 1):
            row, old = (rows[index] if index < len(rows) else None for rows in (self.rows, before))
            if row is not old or (cursor != self.cursor and index in (cursor, self.cursor)):
                self._repaint(index)

    def _index_after(self, row: Row, key: Callable[[Row], Any] | None, selected: bool) -> int:
        """The index in the new rows of the object that had the cursor: searched close to the cursor first."""
        last, cursor, same = len(self.rows) - 1, self.cursor, (row.ref, row.finding)
        for index in range(max(0, cursor - NEAR), min(last, cursor + NEAR) + 1):
            if (self.rows[index].ref, self.rows[index].finding) == same:
                return index
        index = self.index_of(row, key, selected)
        return index if index >= 0 else cursor

    def index_of(self, target: Row | Ref, key: Callable[[Row], Any] | None = None, selected: bool = False) -> int:
        """The index of an object, -1 if it has no row. Of many rows it is found quickly where its row, as it was, tells
        its place. key, selected: see `show`."""
        rows = self.rows
        if isinstance(target, Ref):
            return next((index for index, row in enumerate(rows) if row.ref == target), -1)
        same = (target.ref, target.finding)
        if key is not None:
            index = bisect_left(rows, key(target), key=key)
            if index < len(rows) and (rows[index].ref, rows[index].finding) == same:
                return index
            if selected:  # it is the same row, and has no other place
                return -1
        for index in compress(count(), map(is_, rows, repeat(target))):
            return index
        if selected:
            return -1
        others = [index for index, row in enumerate(rows) if row.ref == target.ref]
        return next((index for index in others if rows[index].finding == target.finding), (others or [-1])[0])

    def highlight(self, index: int) -> None:
        """Put the cursor on a row, counted from 0, and bring it into view; from then on it follows its object."""
        if not self.rows:
            return
        self.follows = True
        index = max(0, min(len(self.rows) - 1, index))
        if index == self.cursor:
            return
        before, self.cursor = self.cursor, index
        top = int(self.scroll_offset.y)
        self._follow()
        if int(self.scroll_offset.y) == top:
            self._repaint(before)
            self._repaint(index)
        self.post_message(self.Highlighted(self.current))

    def _follow(self) -> None:
        if not self.rows:
            return
        top, height = int(self.scroll_offset.y), max(1, self.size.height - self.head)
        first = self._top(self.cursor)
        end = self._top(min(len(self.rows), self.cursor + 1 + self.below))
        if first < top:
            self.scroll_to(y=first, animate=False, immediate=True, force=True)
        elif end > top + height:
            self.scroll_to(y=min(first, end - height), animate=False, immediate=True, force=True)

    def _repaint(self, index: int) -> None:
        if not 0 <= index < len(self.rows):
            first, end = index, index + 1
            if self._starts is not None:
                return
        else:
            first, end = self._top(index), self._top(index + 1)
        top = int(self.scroll_offset.y)
        y, end = max(self.head, first - top + self.head), min(self.size.height, end - top + self.head)
        if y < end:
            self.refresh(Region(0, y, self.size.width, end - y))

    def mark_active(self) -> None:
        self._repaint(self.cursor)

    def action_move(self, by: int) -> None:
        self.highlight(self.cursor + by)

    def action_page(self, by: int) -> None:
        lines = by * max(1, self.size.height - self.head - 1)
        goal = min(max(0, self._top(self.cursor) + lines), self._top(len(self.rows)) - 1) if self.rows else 0
        index = self._index_at(goal)
        self.highlight(index if index != self.cursor else self.cursor + by)

    def action_jump(self, index: int) -> None:
        self.highlight(index if index >= 0 else len(self.rows) - 1)

    def action_open(self) -> None:
        if self.current is not None:
            self.post_message(self.Opened(self.current))

    def on_click(self, event: events.Click) -> None:
        offset = event.get_content_offset(self)
        line = int(self.scroll_offset.y) + offset.y - self.head if offset is not None else -1
        index = self._index_at(line) if offset is not None and offset.y >= self.head else -1
        if not 0 <= index < len(self.rows):
            return
        if event.chain > 1 and index == self.cursor:
            self.action_open()
        else:
            self.highlight(index)

    def on_resize(self) -> None:
        if self.scrollable_content_region.width != self._measured:
            self._measure()
        if self._arrange():
            self.refresh()
        self._follow()
        self.post_message(self.Resized())

    def notify_style_update(self) -> None:
        self._plain = None
        super().notify_style_update()

    def _restyle(self) -> Style:
        """The style of the cells. Where a style is another now, the lines are made again; the border alone may be."""
        parts = {part: self.get_component_rich_style(part) for part in sorted(self.COMPONENT_CLASSES)}
        styles = (plain := self.rich_style, *parts.values())
        if styles != self._styles_of_lines:
            self._styles_of_lines, self._styles_of_parts = styles, parts
            self._lines.clear()
        return plain

    def _has_outgrown(self) -> bool:
        """Whether a row that is now visible has a longer text than those before, in a column that fits its texts."""
        outgrown, now, columns = False, self._now, [column for column in self._columns if column.fits]
        for index in self._visible():
            row, line = self.rows[index], self._lines.get(index)
            if now is None or (line is not None and line.row is row):
                continue
            for column in columns:
                size = min(column.width, cell_len(column.text(row, now)))
                if size > self._longest.get(column.title, 0 if column.hollow else len(column.title)):
                    self._longest[column.title], outgrown = size, True
        return outgrown

    def _measure(self) -> None:
        """Choose the columns that have room."""
        self._lines.clear()
        self._measured = self.scrollable_content_region.width
        columns = tuple(
            replace(column, width=max(self._longest.get(column.title, 0), len(column.title))) if column.fits else column
            for column in self._columns
            if not column.hollow or self._longest.get(column.title)
        )
        self._fitting, self._widths = fit(columns, self._measured - MARK, GAP, LEAST_NAME)

    def render_lines(self, crop: Region) -> list[Strip]:
        if self._has_outgrown():  # where it was scrolled, all lines are drawn
            self._measure()
        return super().render_lines(crop)

    def render_line(self, y: int) -> Strip:
        width = self.content_width
        if width != self._measured:
            self._measure()
        plain = self._plain = self._plain or self._restyle()  # Textual computes it at each call
        if y < self.head:
            return self._title(y, width, plain)
        line = int(self.scroll_offset.y) + y - self.head
        index = self._index_at(line)
        if index >= len(self.rows):
            return Strip.blank(width, plain)
        row, now = self.rows[index], self._now
        assert now is not None  # rows and their time are set together
        drawn = self._lines.get(index)
        if drawn is None or drawn.row is not row or drawn.ages != self._ages(row):
            if len(self._lines) > MOST_KEPT_LINES:
                self._lines.clear()
            strips = self._strips(row, now, width, plain)
            drawn = self._lines[index] = _Drawn(row, self._ages(row), strips)
        place = line - self._top(index)
        if place >= len(drawn.strips):  # the air below a row
            return Strip.blank(width, plain)
        strip = drawn.strips[place]
        return self._under_cursor(strip, plain) if index == self.cursor else strip

    def _title(self, y: int, width: int, plain: Style) -> Strip:
        if self._form is not None:
            return self._painted(self._titles[y], width, plain)
        style = self._styles_of_parts["table--header"]
        titles = (
            cell(column.title, size, column.right, ends=False)
            for column, size in zip(self._fitting, self._widths, strict=True)
        )
        return filled([Segment(" " * MARK + " ".join(titles), style)], width, style)

    def _under_cursor(self, strip: Strip, plain: Style) -> Strip:
        ground = self._styles_of_parts["table--cursor"]
        bar = self._styles_of_parts["table--focus"] if self.is_active or self.has_focus else ground
        return under_cursor(strip, plain, ground, bar)

    def _ages(self, row: Row) -> tuple[str, ...]:
        """What of a row changes with time alone."""
        now = self._now
        assert now is not None  # rows and their time are set together
        if self._form is not None:
            return self._form.ages(row, now)
        return tuple(column.text(row, now) for column in self._fitting if column.ages)

    def _strips(self, row: Row, now: datetime, width: int, plain: Style) -> list[Strip]:
        if self._form is not None:
            return [self._painted(line, width, plain) for line in self._form.lines(row, now, width - 1)]
        health = row.health.value
        mark = self._styles_of_parts[f"table--{health}"]
        segments = [Segment(" ", plain), Segment(f" {row.health.symbol} ", mark), Segment(" ", plain)]
        gap = ""
        for column, size in zip(self._fitting, self._widths, strict=True):
            role = column.role if health != "idle" or column.role else "dim"
            text = gap + cell(column.text(row, now), size, column.right, ends=column.ends)
            gap = " " * GAP
            segments.append(Segment(text, self.paint(role)))
        return [filled(segments, width, plain)]

    def _painted(self, line: Line, width: int, plain: Style) -> Strip:
        segments = [Segment(" ", plain), *(Segment(piece.text, self.paint(piece.role)) for piece in line)]
        return filled(segments, width, plain)
