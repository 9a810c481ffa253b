"""The application: it only connects screens and work."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import ClassVar

from rich.cells import cell_len
from textual import events, on
from textual.binding import Binding, BindingType
from textual.notifications import SeverityLevel
from textual.screen import Screen

from kubedoctor.cluster.grammar.text import visible
from kubedoctor.collect.waiting import WAITING
from kubedoctor.problems import BundleProblem, Problem
from kubedoctor.tui import work
from kubedoctor.tui.commands import Show
from kubedoctor.tui.home.clusters_screen import ClusterOpened, ClustersScreen
from kubedoctor.tui.home.time_screen import Renewable
from kubedoctor.tui.home.visits import VisitedPage
from kubedoctor.tui.look import THEMES
from kubedoctor.tui.messages import (
    ContextWanted,
    Failed,
    Opened,
    PageOpened,
    ReportWritten,
    Switched,
    ThemeWanted,
    Waits,
)
from kubedoctor.tui.pages.keys import CLUSTER_KEYS, HELP_TITLE, KEYS, HelpKeys, help_page
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
from kubedoctor.tui.widgets.one_line import Keys
from kubedoctor.tui.widgets.text_view import TextView
from kubedoctor.tui.widgets.themed_app import ThemedApp

NOTICE_SECONDS = 15
BRIEF_SECONDS = 5
"""Notices that stay no longer answer a key: each takes the place of the one before. A pile of them would be laid out
again with each press, and only the last is of use."""
MOST_NOTICE_CELLS = 400
MOST_HOMES = 8
"""Clusters that stay open when others are shown, beside those that were named at the start."""
READY_AFTER = 1.0
"""Seconds after which screens and what is behind the keys are made ready: the first incidents are there before that."""
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
        "home/clusters_screen.tcss",
        "pulses/pulses_screen.tcss",
    ]
    """All at once: with each that is read later, all are read again."""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("question_mark", "help", "Help"),
        Binding("left_curly_bracket", "travel(-1)", "Earlier"),
        Binding("right_curly_bracket", "travel(1)", "Later"),
        Binding("left_square_bracket", "visit(-1)", "Back in the history"),
        Binding("right_square_bracket", "visit(1)", "On in the history"),
    ]

    def __init__(
        self,
        open_session: Callable[[], Session],
        namespace: str | None,
        name: str = "",
        several: Mapping[str, Callable[[], Session]] | None = None,
    ) -> None:
        """`namespace` None: the source's own. `name` is shown while the source is being opened. several: how to open the
        clusters that are shown side by side, by context; then `open_session` is not used."""
        super().__init__()
        self.homes: dict[str, ListScreen] = {}
        self._several = several or {}
        self.problem: Problem | None = None
        self._open_session = open_session
        self._namespace = namespace
        self._name = name

    def on_mount(self) -> None:
        WAITING.announce_to(lambda text: self.post_message(Waits(text)), watched=True)
        if self._several:
            self.push_screen(ClustersScreen(self._several, self.homes))
            self._make_all_ready()
            return
        page = Page()
        page.add(f"Reading {self._name}…" if self._name else "Opening…")
        # Not before that is drawn: both would share one processor, and what is opened would come no sooner.
        TextScreen.show(self, "kubedoctor", page).call_after_refresh(self._open_first)

    def _open_first(self) -> None:
        self.run_worker(InThread(partial(work.open_first, self._open_session, self._namespace), self.post_message))

    @on(Opened)
    def _opened(self, message: Opened) -> None:
        self._show_home(self._home_of(message.session, message.scope))
        self._make_all_ready()
        for problem in self.own.problems:
            self.notify(problem, severity="warning", timeout=NOTICE_SECONDS)
        first, *more = message.session.notice.splitlines() or [""]
        if first:  # the rest may hold a long line that is to be copied
            self.notify(f"{first} Press ? for more." if more else first, timeout=NOTICE_SECONDS)

    def _make_all_ready(self) -> None:
        for number, kind in enumerate((WhyScreen, TextScreen, CopyScreen, QuestionsScreen, SheetScreen), start=1):
            self.set_timer(READY_AFTER + number * READY_EVERY, partial(self._make_ready, kind))
        self.set_timer(READY_AFTER, self._prepare_keys)

    def _prepare_keys(self) -> None:
        self.run_worker(InThread(work.prepare_keys, self.post_message))

    def _make_ready(self, kind: type[KeptScreen]) -> None:
        """Mount and lay out a screen that a key may open: not at the key."""
        self._mount_below(kind.unused(self))

    def _mount_below(self, screen: Screen[None]) -> None:
        """Mount a screen that is not shown."""
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
        if self._several:
            return
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
        home = self._home_of(message.session, message.scope)
        self._show_home(home)
        self._go_on(home, message.then)

    def _go_on(self, home: ListScreen, then: Show | None) -> None:
        if then is not None:
            home.call_later(home.carry_out, then)

    @on(ClusterOpened)
    def _cluster_opened(self, message: ClusterOpened) -> None:
        """It is read at once, also while another is looked at."""
        if message.session is not None:
            self._mount_below(self._home_of(message.session, self._namespace or "", message.context))

    @on(ContextWanted)
    def _context_wanted(self, message: ContextWanted) -> None:
        """What is left stays as it is, and goes on; one that is open is shown as it was left."""
        name = message.name
        if not name:
            while self._several and not isinstance(self.screen, ClustersScreen):
                self.pop_screen()
        elif (home := self.homes.get(name)) is not None:
            self._show_home(home)
            self._go_on(home, message.then)
        elif name in self._several:
            self.notify(f"{visible(name, 100)} is not open yet, or cannot be.", timeout=3)
        elif (session := self.session or next((home.session for home in self.homes.values()), None)) is not None:
            post = home.post_message if (home := self._home) is not None else self.post_message
            self.run_worker(
                InThread(partial(work.switch, session, name, message.then), post), group="switch", exclusive=True
            )

    def _home_of(self, session: Session, scope: str, context: str = "") -> ListScreen:
        """The home of a session: kept when another is shown."""
        name = context or session.source.context
        shown = self._home
        for old in [each for each, home in self.homes.items() if each not in self._several and home is not shown]:
            if len(self.homes) >= MOST_HOMES:
                self._close_home(self.homes.pop(old))
        home = self.homes[name] = ListScreen(session, scope)
        self.install_screen(home, f"home {id(home)}")
        return home

    def _close_home(self, home: ListScreen) -> None:
        self.uninstall_screen(home)
        home.remove()
        self.run_worker(InThread(partial(work.close, home.session), self.post_message))

    def _show_home(self, home: ListScreen) -> None:
        """In place of what is shown; `esc` may have closed the screen of the opening already."""
        while isinstance(self.screen, ListScreen | KeptScreen) and len(self.screen_stack) > 2:
            self.pop_screen()
        if self.screen is home:
            return
        if len(self.screen_stack) > 1 and not isinstance(self.screen, ClustersScreen):
            self.switch_screen(home)
        else:
            self.push_screen(home)

    @property
    def session(self) -> Session | None:
        """That of the home that is shown; None before anything is open, and where clusters are shown side by side."""
        return self._home.session if self._home is not None else None

    @property
    def flags(self) -> tuple[str, ...]:
        return self.session.flags if self.session is not None else ()

    def close_sessions(self) -> None:
        """Close every source."""
        for home in self.homes.values():
            home.session.close()

    def notify(
        self,
        message: str,
        *,
        title: str = "",
        severity: SeverityLevel = "information",
        timeout: float | None = None,
        markup: bool = False,
    ) -> None:
        """Nothing in a message is markup, whatever the caller says: a screen hands on Textual's own default. Only the newest
        is shown: several would hide half of a small screen."""
        text = visible(message, MOST_NOTICE_CELLS, lines=True)
        brief = timeout if timeout is not None and timeout <= BRIEF_SECONDS and severity == "information" else 0.0
        self.call_later(self._notify, text, visible(title), severity, timeout, brief)

    def _notify(self, text: str, title: str, severity: SeverityLevel, timeout: float | None, brief: float) -> None:
        """What is brief stands in the place of the keys, where it has room: there it moves nothing."""
        if self._notifications:
            self.clear_notifications()
        keys = next(iter(self.screen.query(Keys)), None)
        if brief and not title and keys is not None and "\n" not in text and cell_len(text) < keys.size.width:
            keys.say(text, brief)
        else:
            super().notify(text, title=title, severity=severity, timeout=timeout, markup=False)

    def action_help(self) -> None:
        """All keys, from every screen."""
        help_shown = isinstance(self.screen, TextScreen) and self.screen.heading == HELP_TITLE
        groups: HelpKeys = getattr(self.screen, "HELP_KEYS", KEYS)
        if (self.homes or groups is CLUSTER_KEYS) and not help_shown:
            notice = self.session.notice if self.session is not None else ""
            TextScreen.show(self, HELP_TITLE, help_page(notice, groups))

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

    @on(TextView.Followed)
    def _followed(self, message: TextView.Followed) -> None:
        """A link of a page of text; other screens open theirs themselves."""
        if isinstance(self.screen, TextScreen) and (home := self._home) is not None:
            home.show_why(message.about)

    @on(PageOpened)
    def _page_opened(self, message: PageOpened) -> None:
        if (home := self._home) is not None:
            home.note_page(VisitedPage(message.title, message.open))

    def action_help_quit(self) -> None:
        """ctrl-c quits, as in k9s."""
        self.exit()
