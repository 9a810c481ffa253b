"""The line between the list and the page about a row."""

from __future__ import annotations

from rich.segment import Segment
from textual.geometry import Size
from textual.reactive import Reactive
from textual.strip import Strip

from kubedoctor.tui.look import LINE, WALL
from kubedoctor.tui.pages.page import Line, Piece
from kubedoctor.tui.widgets.line_view import Painting


class Wall(Painting):
    """Upright beside the page; above it a rule with the title of the page."""

    virtual_size = Reactive(Size(0, 0))
    """Only a layout changes it, and none follows from that."""
    _title: Line = ()

    def entitle(self, title: Line) -> None:
        """The title, which is drawn where the line is above the page."""
        if title != self._title:
            self._title = title
            self.refresh()

    def render_line(self, y: int) -> Strip:
        width = self.size.width
        if width <= 1:
            return Strip([Segment(WALL, self.paint("rule"))], 1)
        pieces = (Piece(LINE * 2, "rule"), Piece(" "), *self._title, Piece(" "))
        segments = [Segment(piece.text, self.paint(piece.role)) for piece in pieces]
        return Strip([*segments, Segment(LINE * width, self.paint("rule"))]).crop(0, width)
