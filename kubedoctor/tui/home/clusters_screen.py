"""The home of several clusters: side by side, each with what is broken in it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.screen import Screen

from kubedoctor.cluster.grammar.text import counted, visible
from kubedoctor.cluster.seen.snapshot import UNKNOWN_TIME
from kubedoctor.engine.health import Health
from kubedoctor.problems import Problem
from kubedoctor.tui import commands
from kubedoctor.tui.home.cluster_rows import CLUSTER_COLUMNS, ClusterRow, cluster_page, cluster_row
from kubedoctor.tui.messages import ContextWanted, Failed, ThemeWanted
from kubedoctor.tui.pages.keys import CLUSTER_KEYS, HelpKeys
from kubedoctor.tui.screens.list_screen import ListScreen
from kubedoctor.tui.session import Session
from kubedoctor.tui.threads import InThread
from kubedoctor.tui.widgets.one_line import Heading, Keys, Rule
from kubedoctor.tui.widgets.prompt import Prompt
from kubedoctor.tui.widgets.text_view import TextView
from kubedoctor.tui.widgets.virtual_table import VirtualTable
from kubedoctor.tui.work import Post

DRAW_EVERY = 0.5
TRY_EVERY = 30.0
"""Seconds until a cluster that could not be read is tried again."""
LEAST_LINES = 3


class ClusterOpened(Message):
    """A session on the cluster of a context, or why there is none."""

    def __init__(self, context: str, session: Session | None, problem: Problem | None = None) -> None:
        super().__init__()
        self.context = context
        self.session = session
        self.problem = problem


def open_cluster(context: str, open_session: Callable[[], Session], post: Post) -> None:
    """Open one; the others do not wait for it."""
    try:
        post(ClusterOpened(context, open_session()))
    except Problem as problem:
        post(ClusterOpened(context, None, problem))


class ClustersScreen(Screen[None]):
    """Draws what the homes of the clusters know, which go on by themselves."""

    CSS_PATH = "clusters_screen.tcss"
    HELP_KEYS: ClassVar[HelpKeys] = CLUSTER_KEYS
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("colon", "ask", "Command", priority=True),
        Binding("right,left,tab", "other_pane", "List or page"),
    ]

    def __init__(self, several: Mapping[str, Callable[[], Session]], homes: Mapping[str, ListScreen]) -> None:
        """several: how to open each. homes: those that are open, by context."""
        super().__init__()
        self._several = several
        self._homes = homes
        self._problems: dict[str, tuple[str, str]] = {}
        self._told: object = None

    def compose(self) -> ComposeResult:
        yield Heading(id="heading")
        yield Rule()
        yield VirtualTable(id="clusters")
        yield Rule(id="below")
        yield TextView(id="incidents")
        yield Keys(id="keys")
        yield Prompt(("ctx", "theme", "help", "quit"), id="prompt")

    def on_mount(self) -> None:
        self.query_one(VirtualTable).focus()
        self.query_one(Keys).offer(
            (("enter", "open"), ("j k", "cluster"), ("tab", "incidents")), ((":", "command"), ("?", "help"))
        )
        for context, open_session in self._several.items():
            job = partial(open_cluster, context, open_session)
            self.run_worker(InThread(job, self.post_message), group=f"open {context}")
        self.draw()
        self.set_interval(DRAW_EVERY, self.draw)
        self.set_interval(TRY_EVERY, self._try_again)

    @on(ClusterOpened)
    def _cluster_opened(self, message: ClusterOpened) -> None:
        if message.problem is not None:
            self._problems[message.context] = (message.problem.what, message.problem.hint)
        self.draw()

    @on(Failed)
    def _failed(self, message: Failed) -> None:
        message.stop()
        self.notify(visible(str(message.problem), 300, lines=True), severity="warning")

    def on_screen_resume(self) -> None:
        self.draw()

    def on_resize(self) -> None:
        self.draw()

    def draw(self) -> None:
        """Show the present state."""
        if not self.query(VirtualTable):  # it is being opened or closed
            return
        rows = tuple(self._row(context) for context in dict.fromkeys((*self._several, *self._homes)))
        table = self.query_one(VirtualTable)
        table.styles.height = 1 + max(LEAST_LINES, min(len(rows), self.size.height // 3))
        now = next((home.session.now() for home in self._homes.values()), None)
        if now is not None or self._problems:
            table.show(rows, CLUSTER_COLUMNS, now or UNKNOWN_TIME)
        broken = sum(int(row.broken or 0) for row in rows)
        subject = f"{counted(len(rows), 'cluster')}, {counted(broken, 'incident')} broken"
        without = [row.health is Health.IDLE for row in rows if not row.broken]
        waiting, unread = without.count(True), without.count(False)
        missing = f", {unread} not read" if unread else ""
        late = f", {waiting} not examined yet" if waiting else ""
        self.query_one(Heading).entitle("Clusters", f"{subject}{missing}{late}", ())
        self._tell()

    def _try_again(self) -> None:
        for home in self._homes.values():
            home.try_again()

    def _row(self, context: str) -> ClusterRow:
        home = self._homes.get(context)
        if home is None:
            return cluster_row(context, None, None, self._problems.get(context), "opening…")
        return cluster_row(context, home.report, home.well, home.problem, home.doing)

    @on(VirtualTable.Highlighted)
    def _tell(self) -> None:
        row = self.query_one(VirtualTable).current
        if row is None:
            return
        home = self._homes.get(row.ref.name)
        report, problem = (home.report, home.problem) if home is not None else (None, self._problems.get(row.ref.name))
        incidents = home.incidents if home is not None else ()
        told = (row.ref, report, problem, incidents)
        if told != self._told:
            same = isinstance(self._told, tuple) and self._told[0] == row.ref
            self._told = told
            self.query_one(TextView).show(cluster_page(report, problem, incidents), stay=same)

    @on(VirtualTable.Opened)
    def _opened(self, message: VirtualTable.Opened) -> None:
        self.post_message(ContextWanted(message.row.ref.name))

    # Keys

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """While the prompt is open, `:` is a letter."""
        return self.is_mounted and not (action == "ask" and self.query_one(Prompt).is_open)

    def action_ask(self) -> None:
        self.query_one(Prompt).ask("command")

    def action_other_pane(self) -> None:
        table, page = self.query_one(VirtualTable), self.query_one(TextView)
        self.set_focus(table if page.has_focus else page)

    @on(Prompt.Closed)
    def _prompt_closed(self) -> None:
        self.set_focus(self.query_one(VirtualTable))

    @on(Prompt.Command)
    def _command(self, message: Prompt.Command) -> None:
        try:
            command = commands.parse(message.text)
        except commands.CommandError as error:
            self.notify(visible(str(error), 300), severity="warning")
            return
        match command:
            case commands.Quit():
                self.app.exit()
            case commands.Help():
                self.call_later(self.app.run_action, "help")
            case commands.Theme(name=name):
                self.post_message(ThemeWanted(name))
            case commands.UseContext(name=name):
                self.post_message(ContextWanted(name))
            case commands.Show(kind="Context"):
                self.notify("enter opens the cluster under the cursor; :ctx NAME opens any other context.", timeout=4)
            case _:
                self.notify("enter opens a cluster; its lists and questions are there.", timeout=3)
