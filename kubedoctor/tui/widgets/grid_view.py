"""A grid of cells under a cursor: titles at the left, numbers of the columns above, and both stay while it is scrolled."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.message import Message
from textual.strip import Strip
from textual.style import Style

from kubedoctor.answers.grid import Grid, GridCell
from kubedoctor.cluster.grammar.text import visible
from kubedoctor.tui.look import STYLES
from kubedoctor.tui.pages.grids import SHADES
from kubedoctor.tui.widgets.line_view import LineView

HEAD = 1
"""Lines above the rows."""
_WIDE, _NARROW = 6, 4
"""Cells of a column with and without the text of its cells."""
_LEAST_TITLE = 16
_EMPTY_GRID = Grid("", (), (), ())


class GridView(LineView, can_focus=True):
    """Draws a grid. The cursor is a cell; it posts where it goes and what is opened."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down,j", "move(1, 0)", "Down", show=False),
        Binding("up,k", "move(-1, 0)", "Up", show=False),
        Binding("right,l", "move(0, 1)", "Right", show=False),
        Binding("left,h", "move(0, -1)", "Left", show=False),
        Binding("home,g", "edge(-1)", "First row", show=False),
        Binding("end,G,shift+g", "edge(1)", "Last row", show=False),
        Binding("enter", "open", "Open", show=False),
    ]

    class Moved(Message):
        """The cursor is on another cell."""

    class Opened(Message):
        """The cell under the cursor was opened."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.grid = _EMPTY_GRID
        self.row = self.column = 0
        self._first = 0

    def show(self, grid: Grid) -> None:
        """Show a grid with the cursor on its first cell that says something."""
        self.grid, self._first = grid, 0
        places = [
            (row, column) for row, cells in enumerate(grid.cells) for column, cell in enumerate(cells) if cell.says
        ]
        self.row, self.column = places[0] if places else (0, 0)
        self.virtual_size = Size(self.scrollable_content_region.width, len(grid.rows) + HEAD)
        self.scroll_home(animate=False)
        self.refresh()

    @property
    def current(self) -> GridCell | None:
        """The cell under the cursor; None where there is none."""
        return self.grid.cells[self.row][self.column] if self.grid.rows and self.grid.columns else None

    def on_resize(self) -> None:
        self.virtual_size = Size(self.scrollable_content_region.width, len(self.grid.rows) + HEAD)
        self._keep_in_view()

    def action_move(self, down: int, right: int) -> None:
        self._go(self.row + down, self.column + right)

    def action_edge(self, way: int) -> None:
        self._go(0 if way < 0 else len(self.grid.rows) - 1, self.column)

    def action_open(self) -> None:
        if self.current is not None:
            self.post_message(self.Opened())

    def on_click(self, event: events.Click) -> None:
        offset = event.get_content_offset(self)
        if offset is None or offset.y < HEAD or offset.x < self._title_width:
            return
        row = int(self.scroll_offset.y) + offset.y - HEAD
        column = self._first + (offset.x - self._title_width) // self._cell_width
        if row < len(self.grid.rows) and column < len(self.grid.columns):
            same = (row, column) == (self.row, self.column)
            self._go(row, column)
            if same and event.chain > 1:
                self.action_open()

    def _go(self, row: int, column: int) -> None:
        if self.current is None:
            return
        self.row = max(0, min(row, len(self.grid.rows) - 1))
        self.column = max(0, min(column, len(self.grid.columns) - 1))
        self._keep_in_view()
        self.refresh()
        self.post_message(self.Moved())

    def _keep_in_view(self) -> None:
        room = self._room
        self._first = max(0, min(self._first, self.column), self.column - room + 1)
        top, height = int(self.scroll_offset.y), max(1, self.size.height - HEAD)
        if not top <= self.row < top + height:
            to = self.row if self.row < top else self.row - height + 1
            self.scroll_to(y=to, animate=False, immediate=True, force=True)

    @property
    def _width(self) -> int:
        return self.scrollable_content_region.width

    @property
    def _room(self) -> int:
        """How many whole columns fit."""
        return max(1, (self._width - self._title_width) // self._cell_width)

    def _visible(self) -> range:
        return range(self._first, min(len(self.grid.columns), self._first + self._room))

    @property
    def _title_width(self) -> int:
        longest = max((cell_len(title) for title in self._titles()), default=0) + 1
        return min(longest, max(_LEAST_TITLE, self._width // 3))

    @property
    def _cell_width(self) -> int:
        fits = self._title_width + len(self.grid.columns) * _WIDE <= self._width
        return _WIDE if fits else _NARROW

    def _titles(self) -> Iterator[str]:
        square = self.grid.is_square
        for number, row in enumerate(self.grid.rows, start=1):
            yield f"{number:>2} {visible(row.title)}" if square else visible(row.title)

    def render_line(self, y: int) -> Strip:
        width = self.content_width
        index = int(self.scroll_offset.y) + y - HEAD
        if y < HEAD:
            pieces = self._head()
        elif index < len(self.grid.rows):
            pieces = self._row(index)
        else:
            pieces = iter(())
        segments = [Segment(text, style.rich_style) for text, style in pieces]
        return Strip(segments).adjust_cell_length(width, self.visual_style.rich_style)

    def _head(self) -> Iterator[tuple[str, Style]]:
        title = "from ↓ to →" if not self._first else "from ↓ to → ‹"
        yield set_cell_size(title, self._title_width), self._style("dim")
        for column in self._visible():
            role = "match" if column == self.column else "dim"
            yield f"{column + 1:^{self._cell_width - 1}}", self._style(role)
            more = column == self._visible()[-1] and column + 1 < len(self.grid.columns)
            yield "›" if more else " ", self._style("dim")

    def _row(self, index: int) -> Iterator[tuple[str, Style]]:
        title = list(self._titles())[index]
        width = self._title_width
        if cell_len(title) >= width:
            title = f"{set_cell_size(title, width - 2)}…"
        here = index == self.row
        yield set_cell_size(title, width), self._style("strong" if here else "")
        for column in self._visible():
            cell = self.grid.cells[index][column]
            text = cell.text if self._cell_width == _WIDE and cell.text else cell.shade.value
            style = self._style(SHADES[cell.shade])
            if here and column == self.column:
                style += Style(reverse=True)
            yield f"{text:^{self._cell_width - 1}}", style
            yield " ", self._style("")

    def _style(self, role: str) -> Style:
        return self.visual_style + Style.parse(STYLES[role])
