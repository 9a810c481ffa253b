"""Pages of text: wrapped to the width, coloured by role, scrolled, selected with the mouse."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import ClassVar

from rich.segment import Segment
from textual.binding import Binding, BindingType
from textual.geometry import Region, Size
from textual.selection import Selection
from textual.strip import Strip
from textual.style import Style

from kubedoctor.tui.pages.page import Line, Page
from kubedoctor.tui.widgets.line_view import LineView

ROLES = {
    "": "",
    "heading": "bold $text-primary",
    "strong": "bold",
    "dim": "$quiet",
    "path": "$text-accent",
    "value": "bold",
    "command": "$text-secondary",
    "key": "bold $text-primary",
    "match": "reverse",
    "broken": "bold $text-error",
    "degraded": "bold $text-warning",
    "noted": "bold $text-accent",
    "healthy": "$text-success",
    "idle": "$quiet",
}


class TextView(LineView, can_focus=True):
    """A page that can be scrolled. Lines are rendered when they become visible, and kept."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("j", "scroll_down", "Down", show=False),
        Binding("k", "scroll_up", "Up", show=False),
        Binding("g", "scroll_home", "Top", show=False),
        Binding("G,shift+g", "scroll_end", "Bottom", show=False),
        Binding("ctrl+f", "page_down", "Page down", show=False),
        Binding("ctrl+b", "page_up", "Page up", show=False),
    ]

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._page = Page()
        self._drawn = -1
        self._lines: list[Line] = []
        self._strips: dict[int, Strip] = {}
        self._styles_by_role: dict[str, Style] = {}
        self._is_painting = False

    @property
    def allow_select(self) -> bool:
        """The text can be selected with the mouse, although containers cannot."""
        return True

    @property
    def line_width(self) -> int:
        """The cells of a line; 0 before the first layout."""
        return self.scrollable_content_region.width

    @property
    def page(self) -> Page:
        """The shown page."""
        return self._page

    def show(self, page: Page, *, stay: bool = False, at_end: bool = False) -> None:
        """Show a page from its top, or at the previous scroll position."""
        self._page = page
        self._drawn = -1
        self._draw()
        if at_end:
            self.call_after_refresh(self.scroll_end, animate=False)
        elif not stay:
            self.scroll_home(animate=False)

    def on_resize(self) -> None:
        self._draw()

    def _draw(self) -> None:
        width = self.line_width
        if width > 0 and width != self._drawn:
            self._drawn = width
            self._lines = self._page.lines(width)
            self._strips.clear()
            self.virtual_size = Size(width, len(self._lines))
            self.refresh()

    def notify_style_update(self) -> None:
        self._styles_by_role.clear()
        self._strips.clear()
        super().notify_style_update()

    def render_lines(self, crop: Region) -> list[Strip]:
        """Without the places that only the mouse needs: each makes a style of its own, and a new style is dear to draw."""
        self._is_painting = True
        try:
            return super().render_lines(crop)
        finally:
            self._is_painting = False

    def render_line(self, y: int) -> Strip:
        width = self.content_width
        index = int(self.scroll_offset.y) + y
        if index >= len(self._lines):
            return Strip.blank(width, self.visual_style.rich_style)
        strip = self._strips.get(index)
        if strip is None:
            strip = self._strips[index] = self._strip(index, width)
        return strip if self._is_painting else strip.apply_offsets(0, index)

    def _strip(self, index: int, width: int) -> Strip:
        segments = [Segment(text, style.rich_style) for text, style in self._styled(index)]
        return Strip(segments).adjust_cell_length(width, self.visual_style.rich_style)

    def _styled(self, index: int) -> Iterator[tuple[str, Style]]:
        """The pieces of a line with their styles, cut where a selection begins and ends."""
        span = self.text_selection.get_span(index) if self.text_selection is not None else None
        if span is None:
            yield from ((piece.text, self._style(piece.role)) for piece in self._lines[index])
            return
        chosen = Style.from_styles(self.screen.get_component_styles("screen--selection"))
        start, end = span[0], span[1] if span[1] >= 0 else sys.maxsize
        for piece in self._lines[index]:
            style, cuts = self._style(piece.role), (max(start, 0), max(end, 0))
            before, inside, after = piece.text[: cuts[0]], piece.text[cuts[0] : cuts[1]], piece.text[cuts[1] :]
            yield from (each for each in ((before, style), (inside, style + chosen), (after, style)) if each[0])
            start, end = start - len(piece.text), end - len(piece.text)

    def _style(self, role: str) -> Style:
        style = self._styles_by_role.get(role)
        if style is None:
            style = self.visual_style + Style.parse(ROLES[role])
            self._styles_by_role[role] = style
        return style

    def get_selection(self, selection: Selection) -> tuple[str, str] | None:
        text = "\n".join("".join(piece.text for piece in line) for line in self._lines)
        return selection.extract(text), "\n"

    def selection_updated(self, selection: Selection | None) -> None:
        self._strips.clear()
        self.refresh()
