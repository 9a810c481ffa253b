"""A page on a screen of its own: description, YAML, logs, users, lesson, help."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import Screen

from kubedoctor.cluster.grammar.text import visible
from kubedoctor.tui.messages import Failed, PageMade
from kubedoctor.tui.pages.page import Page
from kubedoctor.tui.threads import InThread
from kubedoctor.tui.widgets.text_view import TextView
from kubedoctor.tui.widgets.titles import as_title


class TextScreen(Screen[None]):
    """Shows a page, or runs the work that writes one and shows the result."""

    CSS_PATH = "text_screen.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "app.pop_screen", "Back"),
        Binding("c", "copy", "Copy the text"),
    ]

    def __init__(self, title: str, page: Page | None = None, work: Callable[..., None] | None = None) -> None:
        super().__init__()
        self.heading = visible(title, 200)
        self._made = page
        self._work = work

    def compose(self) -> ComposeResult:
        view = TextView(id="text")
        view.border_title = as_title(self.heading)
        view.border_subtitle = as_title("esc back  c copy")
        yield view

    def on_mount(self) -> None:
        if self._made is not None:
            self.query_one(TextView).show(self._made)
        elif self._work is not None:
            self.run_worker(InThread(self._work, self.post_message))

    @on(PageMade)
    def _page(self, message: PageMade) -> None:
        view = self.query_one(TextView)
        view.border_title = as_title(message.title, 200)
        view.show(message.page, at_end=message.at_end)

    @on(Failed)
    def _failed(self, message: Failed) -> None:
        page = Page()
        page.add((message.problem.what, "degraded"))
        page.add(message.problem.hint)
        self.query_one(TextView).show(page)

    def action_copy(self) -> None:
        self.app.copy_to_clipboard(self.query_one(TextView).page.plain)
        self.notify("Copied.", timeout=2)
