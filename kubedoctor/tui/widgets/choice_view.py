"""A list of things to choose from, each with as many lines as it needs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.message import Message
from textual.strip import Strip

from kubedoctor.tui.pages.page import Page
from kubedoctor.tui.widgets.text_view import TextView


class ChoiceView(TextView):
    """Pages below each other, one of them under a cursor."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"choice--cursor"}
    DEFAULT_CSS = "ChoiceView > .choice--cursor { background: $cursor; }"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down,j", "move(1)", "Down", show=False),
        Binding("up,k", "move(-1)", "Up", show=False),
        Binding("home,g", "jump(0)", "First", show=False),
        Binding("end,G,shift+g", "jump(-1)", "Last", show=False),
        Binding("enter", "choose", "Choose", show=False),
    ]

    class Chosen(Message):
        """One of them was chosen, counted from 0."""

        def __init__(self, index: int) -> None:
            super().__init__()
            self.index = index

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.cursor = 0
        self._choices: tuple[Page, ...] = ()
        self._starts: list[int] = []

    def offer(self, choices: Sequence[Page]) -> None:
        """Show these, with the cursor on the first."""
        self._choices, self.cursor, self._starts = tuple(choices), 0, []
        page = Page()
        for choice in choices:
            page.paragraphs += choice.paragraphs
        self.show(page)

    def _draw(self) -> None:
        """Each choice is wrapped by itself, so that it is known which lines are its own."""
        width = self.line_width
        if width <= 0 or width == self._drawn:
            return
        self._drawn = width
        self._lines, self._starts = [], [0]
        for choice in self._choices:
            self._lines += choice.lines(width)
            self._starts.append(len(self._lines))
        self._strips.clear()
        self.virtual_size = Size(width, len(self._lines))
        self.refresh()

    def render_line(self, y: int) -> Strip:
        strip = super().render_line(y)
        line = int(self.scroll_offset.y) + y
        if line in self._lines_of(self.cursor):
            cursor = Style(bgcolor=self.get_component_rich_style("choice--cursor").bgcolor)
            return Strip(Segment.apply_style(strip, post_style=cursor), strip.cell_length)
        return strip

    def action_move(self, by: int) -> None:
        self._highlight(self.cursor + by)

    def action_jump(self, index: int) -> None:
        self._highlight(index % max(1, len(self._choices)))

    def action_choose(self) -> None:
        if self._choices:
            self.post_message(self.Chosen(self.cursor))

    def on_click(self, event: events.Click) -> None:
        offset = event.get_content_offset(self)
        line = int(self.scroll_offset.y) + offset.y if offset is not None else len(self._lines)
        if line < len(self._lines):
            before = self.cursor
            self._highlight(next(n for n, end in enumerate(self._starts[1:]) if line < end))
            if event.chain > 1 and self.cursor == before:
                self.action_choose()

    def _highlight(self, index: int) -> None:
        self.cursor = max(0, min(index, len(self._choices) - 1))
        self.refresh()
        lines = self._lines_of(self.cursor)
        top, height = int(self.scroll_offset.y), self.size.height
        if lines.start < top or lines.stop > top + height:
            to = lines.start if lines.start < top else min(lines.start, lines.stop - height)
            self.scroll_to(y=to, animate=False, immediate=True, force=True)

    def _lines_of(self, index: int) -> range:
        """Its lines; none before the first layout."""
        return range(*self._starts[index : index + 2]) if index + 1 < len(self._starts) else range(0)
