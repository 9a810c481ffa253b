"""Pages of text: wrapped to the width, coloured by role, scrolled, selected with the mouse."""

from __future__ import annotations

import re
import sys
from bisect import bisect_left
from collections.abc import Iterator
from itertools import pairwise
from typing import ClassVar

from rich.cells import cell_len
from rich.segment import Segment
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Region, Size
from textual.message import Message
from textual.selection import Selection
from textual.strip import Strip
from textual.style import Style

from kubedoctor.cluster import Ref
from kubedoctor.tui.look import STYLES
from kubedoctor.tui.pages.page import Line, Page
from kubedoctor.tui.widgets.line_view import LineView, filled


def _spans(pattern: re.Pattern[str] | None, text: str) -> list[tuple[int, int]]:
    """Where it matches, empty matches left out."""
    return [match.span() for match in pattern.finditer(text) if match.end() > match.start()] if pattern else []


class TextView(LineView, can_focus=True):
    """A page that can be scrolled. Lines are rendered when they become visible, and kept."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("j,down", "step(1)", "Down", show=False),
        Binding("k,up", "step(-1)", "Up", show=False),
        Binding("enter", "follow", "Open the link", show=False),
        Binding("g", "scroll_home", "Top", show=False),
        Binding("G,shift+g", "scroll_end", "Bottom", show=False),
        Binding("ctrl+f", "page_down", "Page down", show=False),
        Binding("ctrl+b", "page_up", "Page up", show=False),
    ]

    class Followed(Message):
        """A link was opened."""

        def __init__(self, about: Ref) -> None:
            super().__init__()
            self.about = about

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._links: list[tuple[int, Ref]] = []
        self._link = -1
        self._page = Page()
        self._drawn = -1
        self._lines: list[Line] = []
        self._strips: dict[int, Strip] = {}
        self._styles_by_role: dict[str, Style] = {}
        self._is_painting = False
        self._pattern: re.Pattern[str] | None = None
        self._found: list[int] = []
        self._match = -1

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
        if not stay:
            self._link = -1
        self._draw()
        if at_end:
            self.call_after_refresh(self.scroll_end, animate=False)
        elif not stay:
            self.scroll_home(animate=False)

    def on_resize(self) -> None:
        self._draw()

    # Search

    def search(self, pattern: re.Pattern[str] | None) -> None:
        """Mark what matches; None: nothing."""
        self._pattern, self._match = pattern, -1
        self._find_matches()
        self._strips.clear()
        self.refresh()

    def _find_matches(self) -> None:
        """The lines with a match that is not empty."""
        texts = enumerate("".join(piece.text for piece in line) for line in self._lines) if self._pattern else ()
        self._found = [y for y, text in texts if any(_spans(self._pattern, text))]

    def go_to_match(self, by: int) -> tuple[int, int]:
        """To the next line with a match, the one before (-1) or the first from the top of the view on (0), round and round.
        Which it is, counted from 1, and how many there are."""
        if not self._found:
            return 0, 0
        if self._match in self._found and by:
            place = self._found.index(self._match) + by
        else:
            top = int(self.scroll_offset.y)
            place = bisect_left(self._found, top) - (by < 0)
        place %= len(self._found)
        self._match = self._found[place]
        self._strips.clear()
        self.scroll_to(y=max(0, self._match - self.size.height // 2), animate=False)
        self.refresh()
        return place + 1, len(self._found)

    # Links

    def _find_links(self) -> None:
        """The objects that the page names, by line; the same one in one line counts once."""
        found = ((y, piece.about) for y, line in enumerate(self._lines) for piece in line if piece.about is not None)
        self._links = list(dict.fromkeys(found))
        self._link = min(self._link, len(self._links) - 1)

    def action_step(self, by: int) -> None:
        """To the next link if that is in sight, else by a line."""
        top, height = int(self.scroll_offset.y), self.size.height
        place = self._link + by
        if self._link < 0 or not top <= self._links[self._link][0] < top + height:
            seen = [number for number, (y, _) in enumerate(self._links) if top <= y < top + height]
            place = (seen[0] if by > 0 else seen[-1]) if seen else -1
        if 0 <= place < len(self._links) and top - 1 <= self._links[place][0] <= top + height:
            self._choose(place)
        else:
            self.scroll_relative(y=by, animate=False)

    def _choose(self, place: int) -> None:
        for number in {self._link, place} - {-1}:
            self._strips.pop(self._links[number][0], None)
        self._link = place
        y = self._links[place][0]
        if not int(self.scroll_offset.y) <= y < int(self.scroll_offset.y) + self.size.height:
            self.scroll_relative(y=1 if y >= int(self.scroll_offset.y) + self.size.height else -1, animate=False)
        self.refresh()

    def action_follow(self) -> None:
        if 0 <= self._link < len(self._links):
            self.post_message(self.Followed(self._links[self._link][1]))

    def on_click(self, event: events.Click) -> None:
        """A link under the mouse is opened."""
        offset = event.get_content_offset(self)
        y = int(self.scroll_offset.y) + offset.y if offset is not None else len(self._lines)
        x = offset.x if offset is not None else 0
        for piece in self._lines[y] if y < len(self._lines) else ():
            if 0 <= x < cell_len(piece.text) and piece.about is not None:
                self.post_message(self.Followed(piece.about))
            x -= cell_len(piece.text)

    def _draw(self) -> None:
        width = self.line_width
        if width > 0 and width != self._drawn:
            self._drawn = width
            self._lines = self._page.lines(width)
            self._find_links()
            self._find_matches()
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
        chosen = self._links[self._link] if 0 <= self._link < len(self._links) else None
        if chosen is not None and chosen[0] == index:
            under = Style.parse(STYLES["link-chosen"])
            pieces = (
                (piece.text, self._style(piece.role) + under if piece.about == chosen[1] else self._style(piece.role))
                for piece in self._lines[index]
            )
            segments = [Segment(text, style.rich_style) for text, style in pieces]
            return filled(segments, width, self.visual_style.rich_style)
        segments = [Segment(text, style.rich_style) for text, style in self._styled(index)]
        return filled(segments, width, self.visual_style.rich_style)

    def _styled(self, index: int) -> Iterator[tuple[str, Style]]:
        """The pieces of a line with their styles, cut where a selection begins and ends."""
        span = self.text_selection.get_span(index) if self.text_selection is not None else None
        if span is None:
            yield from self._with_matches(index)
            return
        chosen = Style.from_styles(self.screen.get_component_styles("screen--selection"))
        start, end = span[0], span[1] if span[1] >= 0 else sys.maxsize
        for piece in self._lines[index]:
            style, cuts = self._style(piece.role), (max(start, 0), max(end, 0))
            before, inside, after = piece.text[: cuts[0]], piece.text[cuts[0] : cuts[1]], piece.text[cuts[1] :]
            yield from (each for each in ((before, style), (inside, style + chosen), (after, style)) if each[0])
            start, end = start - len(piece.text), end - len(piece.text)

    def _with_matches(self, index: int) -> Iterator[tuple[str, Style]]:
        """The pieces of a line, cut where a match begins and ends."""
        line = self._lines[index]
        spans = _spans(self._pattern, "".join(piece.text for piece in line)) if index in self._found else []
        if not spans:
            yield from ((piece.text, self._style(piece.role)) for piece in line)
            return
        over = Style.parse(STYLES["match" if index == self._match else "found"])
        cuts = sorted({edge for span in spans for edge in span})
        start = 0
        for piece in line:
            end = start + len(piece.text)
            edges = [start, *(cut for cut in cuts if start < cut < end), end]
            for first, last in pairwise(edges):
                inside = any(begin <= first and last <= stop for begin, stop in spans)
                style = self._style(piece.role)
                yield piece.text[first - start : last - start], style + over if inside else style
            start = end

    def _style(self, role: str) -> Style:
        style = self._styles_by_role.get(role)
        if style is None:
            style = self.visual_style + Style.parse(STYLES[role])
            self._styles_by_role[role] = style
        return style

    def get_selection(self, selection: Selection) -> tuple[str, str] | None:
        text = "\n".join("".join(piece.text for piece in line) for line in self._lines)
        return selection.extract(text), "\n"

    def selection_updated(self, selection: Selection | None) -> None:
        self._strips.clear()
        self.refresh()
