"""A page on a screen of its own: description, YAML, logs, users, lesson, help."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, ClassVar

from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.message import Message

from kubedoctor.cluster.grammar.text import visible
from kubedoctor.engine import Report
from kubedoctor.tui.messages import Failed, PageMade
from kubedoctor.tui.pages.page import Page
from kubedoctor.tui.screens.kept_screen import KeptScreen
from kubedoctor.tui.texts.saving import save
from kubedoctor.tui.texts.search_screen import SearchScreen
from kubedoctor.tui.threads import InThread
from kubedoctor.tui.widgets.one_line import Heading, Keys, Rule
from kubedoctor.tui.widgets.prompt import Prompt
from kubedoctor.tui.widgets.text_view import TextView


class TextScreen(SearchScreen, KeptScreen):
    """Shows a page, or runs the work that writes one and shows the result."""

    CSS_PATH = "text_screen.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "leave", "Back"),
        Binding("c", "copy", "Copy the text"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self.heading = ""
        self._page = Page()
        self._job: Callable[..., None] | None = None
        self._stays = False

    @classmethod
    def show(
        cls, app: App[Any], title: str, page: Page | None = None, work: Callable[..., None] | None = None
    ) -> TextScreen:
        """Open with a page, or with the work that writes it."""
        screen = cls.unused(app)
        screen.heading, screen._page, screen._job = visible(title, 200), page or Page(), work
        screen.open(app)
        return screen

    def again(self) -> tuple[str, Callable[[App[Any]], object]]:
        title, page, job = self.heading, self._page, self._job
        return title, lambda app: TextScreen.show(app, title, page, job)

    def compose(self) -> ComposeResult:
        yield Heading(id="heading")
        yield Rule()
        yield TextView(id="text")
        yield Keys(id="keys")
        yield Prompt((), id="prompt")

    def draw(self) -> None:
        self._show(self.heading, self._page)
        if self._job is not None:
            self.work(self._job)

    def renew(self, report: Report) -> bool:
        """At the same place of the page; a page that no work has written is of no moment."""
        if self._job is None:
            return True
        self._turn, self._stays = object(), True
        self.work(self._job)
        return True

    def take(self, message: Message) -> None:
        match message:
            case PageMade():
                self._show(message.title, message.page, at_end=message.at_end)
            case Failed():
                page = Page()
                page.add((message.problem.what, "degraded"))
                page.add(message.problem.hint)
                self._show(self.heading, page)

    def forget(self) -> None:
        self._page, self._job, self._stays = Page(), None, False
        self.stop_searching()
        self.query_one(TextView).show(self._page)

    def _show(self, title: str, page: Page, *, at_end: bool = False) -> None:
        name, _, subject = title.partition(" ")
        self.query_one(Heading).entitle(name, subject)
        self.query_one(Keys).offer(
            (("j k", "scroll"), ("/", "search"), ("c", "copy the text"), ("ctrl-s", "save"), ("esc", "back")), ()
        )
        self.query_one(TextView).show(page, stay=self._stays, at_end=at_end)

    def action_leave(self) -> None:
        """The first press ends a search."""
        if not self.stop_searching():
            self.app.pop_screen()

    def action_save(self) -> None:
        lines = self._text.page.plain.splitlines()
        self.app.run_worker(InThread(partial(save, self.heading, "txt", lambda: lines), self.app.post_message))

    def action_copy(self) -> None:
        self.app.copy_to_clipboard(self.query_one(TextView).page.plain)
        self.notify("Copied.", timeout=2)
