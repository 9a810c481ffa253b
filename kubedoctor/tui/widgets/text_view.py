"""Pages of text: wrapped to the width, coloured by role, scrolled, selected with the mouse."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from kubedoctor.tui.pages.page import Line, Page

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


def as_content(lines: list[Line]) -> Content:
    """Lines as Textual's content. Nothing is parsed as markup."""
    return Content("\n").join(
        Content.assemble(*((piece.text, ROLES[piece.role]) for piece in line)) if line else Content("")
        for line in lines
    )


class TextView(VerticalScroll, can_focus=True):
    """A page that can be scrolled."""

    DEFAULT_CSS = """
    TextView {
        scrollbar-size-vertical: 1;
        scrollbar-gutter: stable;
        overflow-x: hidden;
    }
    """

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
        self._text = Static(markup=False)

    def compose(self) -> ComposeResult:
        yield self._text

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
        width = self.scrollable_content_region.width
        if width > 0 and width != self._drawn:
            self._drawn = width
            self._text.update(as_content(self._page.lines(width)))
