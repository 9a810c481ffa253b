"""The application: it only connects screens and work."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import ClassVar

from textual import events, on
from textual.binding import Binding, BindingType
from textual.notifications import SeverityLevel

from kubedoctor.cluster.grammar.text import visible
from kubedoctor.collect.waiting import WAITING
from kubedoctor.problems import BundleProblem, Problem
from kubedoctor.tui import work
from kubedoctor.tui.home.time_screen import Renewable
from kubedoctor.tui.home.visits import VisitedPage
from kubedoctor.tui.look import THEMES
from kubedoctor.tui.messages import Failed, Opened, PageOpened, ReportWritten, Switched, ThemeWanted, Waits
from kubedoctor.tui.pages.keys import HELP_TITLE, help_page
from kubedoctor.tui.pages.page import Page
from kubedoctor.tui.screens.copy_screen import CopyScreen
from kubedoctor.tui.screens.kept_screen import KeptScreen
from kubedoctor.tui.screens.list_screen import ListScreen
from kubedoctor.tui.screens.questions_screen import QuestionsScreen
from kubedoctor.tui.screens.sheet_screen import SheetScreen
from kubedoctor.tui.screens.text_screen import TextScreen
from kubedoctor.tui.screens.why_screen import WhyScreen
from kubedoctor.tui.session import Session
from kubedoctor.tui.threads import InThread
from kubedoctor.tui.widgets.themed_app import ThemedApp

NOTICE_SECONDS = 15
MOST_NOTICE_CELLS = 400
READY_EVERY = 0.5
"""Seconds from one screen that is made ready to the next."""


class KubedoctorApp(ThemedApp):
    """Opens on what is broken, by cause."""

    TITLE = "kubedoctor"
    ENABLE_COMMAND_PALETTE = False
    CSS_PATH = [  # noqa: RUF012  # Textual declares it as an instance's
        *(
            f"screens/{name}.tcss"
            for name in ("list_screen", "why_screen", "text_screen", "sheet_screen", "choice_screen", "dialog")
        ),
        "logs/log_screen.tcss",
    ]
    """All at once: with each that is read later, all are read again."""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("question_mark", "help", "Help"),
        Binding("left_curly_bracket", "travel(-1)", "Earlier"),
        Binding("right_curly_bracket", "travel(1)", "Later"),
        Binding("left_square_bracket", "visit(-1)", "Back in the history"),
        Binding("right_square_bracket", "visit(1)", "On in the history"),
    ]

    def __init__(self, open_session: Callable[[], Session], namespace: str | None, name: str = "") -> None:
        """`namespace` None: the source's own. `name` is shown while the source is being opened."""
        super().__init__()
        self.session: Session | None = None
        self.problem: Problem | None = None
        self._open_session = open_session
        self._namespace = namespace
        self._name = name

    def on_mount(self) -> None:
        WAITING.announce_to(lambda text: self.post_message(Waits(text)), watched=True)
        page = Page()
        page.add(f"Reading {self._name}…" if self._name else "Opening…")
        TextScreen.show(self, "kubedoctor", page)
        self.run_worker(InThread(partial(work.open_first, self._open_session, self._namespace), self.post_message))

    @on(Opened)
    def _opened(self, message: Opened) -> None:
        self.session = message.session
        self._show_list(ListScreen(message.session, message.scope))
        for number, kind in enumerate((WhyScreen, TextScreen, CopyScreen, QuestionsScreen, SheetScreen), start=1):
            self.set_timer(number * READY_EVERY, partial(self._make_ready, kind))
        self.set_timer(READY_EVERY / 2, self._prepare_questions)
        first, *more = message.session.notice.splitlines() or [""]
        if first:  # the rest may hold a long line that is to be copied
            self.notify(f"{first} Press ? for more." if more else first, timeout=NOTICE_SECONDS)

    def _prepare_questions(self) -> None:
        self.run_worker(InThread(work.prepare_questions, self.post_message))

    def _make_ready(self, kind: type[KeptScreen]) -> None:
        """Mount and lay out a screen that a key may open: not at the key."""
        screen = kind.unused(self)
        if not screen.is_running:
            self._get_screen(screen)
            screen.stack_updates += 1  # a screen that was never opened is not laid out
            screen.post_message(events.Resize(self.size, self.size))

    @on(Waits)
    def _waits(self, message: Waits) -> None:
        self.notify(f"{message.text[:1].upper()}{message.text[1:]}.", timeout=NOTICE_SECONDS, markup=False)

    @on(ReportWritten)
    def _written(self, message: ReportWritten) -> None:
        self.notify(message.text, timeout=NOTICE_SECONDS)

    @on(Failed)
    def _failed(self, message: Failed) -> None:
        """Handles failures to open or read the source; others are shown by the screens."""
        if self.session is None or isinstance(message.problem, BundleProblem):
            self.problem = message.problem
            self.exit()

    @on(ThemeWanted)
    def _theme_wanted(self, message: ThemeWanted) -> None:
        name = message.name
        if name in self.available_themes:
            self.theme = self.kept.chosen.theme = name
            self.kept.keep()
        else:
            own = [theme.name for theme in THEMES]
            other_themes = sorted(set(self.available_themes) - set(own))
            self.notify(f"Themes: {', '.join(own)}; also {', '.join(other_themes)}", timeout=8)

    @on(Switched)
    def _switched(self, message: Switched) -> None:
        before, self.session = self.session, message.session
        if before is not None:
            self.run_worker(InThread(partial(work.close, before), self.post_message))
        self._show_list(ListScreen(self.session, message.scope))

    def _show_list(self, screen: ListScreen) -> None:
        """In place of the screen on top; `esc` may have closed that of the opening already."""
        if len(self.screen_stack) > 1:
            self.switch_screen(screen)
        else:
            self.push_screen(screen)

    def notify(
        self,
        message: str,
        *,
        title: str = "",
        severity: SeverityLevel = "information",
        timeout: float | None = None,
        markup: bool = False,
    ) -> None:
        """Nothing in a message is markup, whatever the caller says: a screen hands on Textual's own default."""
        text = visible(message, MOST_NOTICE_CELLS, lines=True)
        super().notify(text, title=visible(title), severity=severity, timeout=timeout, markup=False)

    def action_help(self) -> None:
        """All keys, from every screen."""
        help_shown = isinstance(self.screen, TextScreen) and self.screen.heading == HELP_TITLE
        if self.session is not None and not help_shown:
            TextScreen.show(self, HELP_TITLE, help_page(self.session.notice))

    def action_travel(self, by: int) -> None:
        """To another moment, from a page that can be made of it too."""
        if (home := self._home) is not None and (self.screen is home or isinstance(self.screen, Renewable)):
            home.action_travel(by)

    def action_visit(self, by: int) -> None:
        """Through what was visited; a dialog is closed first."""
        if (home := self._home) is not None and (self.screen is home or isinstance(self.screen, Renewable)):
            home.action_visit(by)

    @property
    def _home(self) -> ListScreen | None:
        return next((screen for screen in self.screen_stack if isinstance(screen, ListScreen)), None)

    @on(PageOpened)
    def _page_opened(self, message: PageOpened) -> None:
        if (home := self._home) is not None:
            home.note_page(VisitedPage(message.title, message.open))

    def action_help_quit(self) -> None:
        """ctrl-c quits, as in k9s."""
        self.exit()
