"""The list of objects, and the incident of the selected object beside it."""

from __future__ import annotations

from functools import partial
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.reactive import Reactive
from textual.timer import Timer
from textual.widget import Widget

from kubedoctor.cluster import Ref
from kubedoctor.cluster.grammar.text import visible
from kubedoctor.cluster.relations.workloads import WORKLOAD_KINDS, controller_of
from kubedoctor.tui import commands, work
from kubedoctor.tui.columns import columns_of
from kubedoctor.tui.filters import FilterError, keep
from kubedoctor.tui.messages import Aged, Failed, Filtered, Progress, ThemeWanted, Told
from kubedoctor.tui.pages.keys import list_keys
from kubedoctor.tui.rows import EXAMINING, READING, Row, View, VisitedView, empty_text, place_in
from kubedoctor.tui.screens.rows_screen import REPAINT_EVERY, RowsScreen
from kubedoctor.tui.screens.why_screen import WhyScreen
from kubedoctor.tui.session import Freshness, Session
from kubedoctor.tui.widgets.banner import Banner
from kubedoctor.tui.widgets.incident_pane import IncidentPane
from kubedoctor.tui.widgets.panes import Panes
from kubedoctor.tui.widgets.prompt import Prompt
from kubedoctor.tui.widgets.status_bar import StatusBar, currency
from kubedoctor.tui.widgets.titles import as_title, examined_title
from kubedoctor.tui.widgets.virtual_table import VirtualTable

MANY_ROWS = 5_000
"""More rows than this are filtered in a worker."""
READING_AFTER = 0.1
"""Seconds that a list may take before the screen says that it is being read."""
LOOK_AFTER = 0.05
"""Seconds that the cursor must rest on a row before its page is written."""
LOOK_AFTER_TYPING = 0.25
"""As LOOK_AFTER, while a filter is typed."""


class ListScreen(RowsScreen):
    """Draws the rows, and goes from view to view."""

    CSS_PATH = "list_screen.tcss"
    focused: Reactive[Widget | None] = Reactive(None, repaint=False)
    """The widgets that lose and get the focus are drawn again, not the whole screen."""
    virtual_size = Reactive(Size(0, 0))
    """Only a layout changes it, and none follows from that."""
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-wide")]  # noqa: RUF012  # Textual declares it as an instance's
    BINDINGS: ClassVar[list[BindingType]] = [
        # With priority, so that keys typed immediately after them reach the prompt.
        Binding("slash", "ask('filter')", "Filter", priority=True),
        Binding("colon", "ask('command')", "Command", priority=True),
        Binding("escape", "back", "Back"),
        *(Binding(str(number), f"namespace({number})", show=False) for number in range(10)),
        Binding("ctrl+z", "faults", "Faults only"),
        Binding("ctrl+w", "wide", "Wide"),
        Binding("N,shift+n", "sort('name')", "Sort by name"),
        Binding("A,shift+a", "sort('age')", "Sort by age"),
        Binding("S,shift+s", "sort('health')", "Sort by health"),
        Binding("w", "why", "Why"),
        Binding("f", "findings", "Findings"),
        Binding("o", "node", "Node"),
        Binding("J,shift+j", "owner", "Owner"),
    ]

    def __init__(self, session: Session, namespace: str) -> None:
        super().__init__(session, namespace)
        self.filter = ""
        self.faults_only = False
        self.wide = False
        self._places: list[VisitedView] = []
        self._next_row: Row | Ref | None = None
        self._freshness: Freshness | None = None
        self._look: Timer | None = None
        self._until_shown: Timer | None = None
        self._shown: View | None = None
        self._shown_of: tuple[Row, ...] = ()
        self._title = ""
        self._keys = ""
        self._examined_title = ""
        self._doing: dict[object, str] = {}

    def compose(self) -> ComposeResult:
        yield StatusBar(id="status")
        yield Banner(id="banner")
        with Panes(id="panes"):
            yield VirtualTable(id="table")
            yield IncidentPane(id="incident")
        yield Prompt(commands.completions(""), id="prompt")

    def on_mount(self) -> None:
        self._table.focus()
        self._table.border_subtitle = as_title("/ filter  : command  ? help")
        pane = self.query_one(IncidentPane)
        pane.clear(READING)
        self.set_class(not self.view.namespace, "-all")
        self._draw_titles()
        self._load()
        if self.session.live:
            self.set_interval(REPAINT_EVERY, self._keep_up)
            self.set_interval(1.0, self._draw_currency)

    @property
    def _table(self) -> VirtualTable:
        return self.query_one(VirtualTable)

    def subject(self) -> Row | None:
        """The row under the cursor; None while a previous list is still shown."""
        return self._table.current if self.is_mounted and self._shown == self.view else None

    # Messages

    @on(Filtered)
    def _filtered(self, message: Filtered) -> None:
        self._listing.add(message.cost)
        if message.before is self.rows and message.filter_text == self.filter:
            self._show(message.rows)

    @on(VirtualTable.Highlighted)
    def _highlighted(self, message: VirtualTable.Highlighted) -> None:
        if message.row is None:
            self._say_empty()
            return
        if self._look is not None:
            self._look.stop()
        typing = self.query_one(Prompt).is_open
        self._look = self.set_timer(LOOK_AFTER_TYPING if typing else LOOK_AFTER, self._tell)

    @on(Told)
    def _told(self, message: Told) -> None:
        current = self._table.current
        if current is not None and (current.ref, current.finding) == (message.row.ref, message.row.finding):
            self._draw_keys(message.row)
            self.query_one(IncidentPane).tell(message.row, message.verdict, message.page)

    @on(Progress)
    def _progress(self, message: Progress) -> None:
        """Say what the newest work does that is not over."""
        if message.doing:
            self._doing[message.work] = message.doing
        else:
            self._doing.pop(message.work, None)
        self.query_one(StatusBar).doing = next(reversed(self._doing.values()), "")

    @on(Aged)
    def _aged(self, message: Aged) -> None:
        self._freshness = message.freshness
        self._draw_currency()

    @on(Failed)
    def _failed(self, message: Failed) -> None:
        self._reading = False
        self.query_one(Banner).say(str(message.problem).replace("\n", " "), "failed")
        if not self.rows or self.report is None:
            self.query_one(IncidentPane).clear(f"{message.problem.what}. {message.problem.hint}")
        self._draw_currency()

    @on(VirtualTable.Opened)
    def _opened(self, message: VirtualTable.Opened) -> None:
        row = message.row
        if self.subject() is None:
            return
        if row.ref.kind == "Namespace":
            self._go(View(namespace=row.ref.name))
        elif row.ref.kind == "Context":
            self._work(partial(work.switch, self.session, row.ref.name), "switch")
        elif row.ref.kind == "Event":
            self._go_to(self.session.involved(row.ref))
        elif row.ref.kind == "Node" and not row.finding:
            self._go(View("Pod", "", row.ref))
        elif row.ref.kind in WORKLOAD_KINDS and not row.finding:
            self._go(View("Pod", row.ref.namespace, row.ref))
        else:
            self.action_why()

    @on(Prompt.Filter)
    def _filter_typed(self, message: Prompt.Filter) -> None:
        self.filter = message.text
        self._apply_filter()

    @on(Prompt.Closed)
    def _prompt_closed(self, message: Prompt.Closed) -> None:
        if message.cancelled and self.query_one(Prompt).mode == "filter":
            self.filter = ""
            self._apply_filter()
        self.set_focus(self._table)

    @on(Prompt.Command)
    def _command(self, message: Prompt.Command) -> None:
        try:
            command = commands.parse(message.text, self.session.extensions.kinds)
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
            case commands.Ask(name=name, words=words):
                self.ask_by_name(name, words, self.view.namespace)
            case commands.UseContext(name=name):
                self._work(partial(work.switch, self.session, name), "switch")
            case commands.Show(kind=kind, namespace=namespace, filter=filter_text):
                scope = self.view.namespace if namespace is None else namespace
                self._go(View(kind, scope), filter_text)

    # Navigation

    def _go(self, view: View, filter_text: str = "", row: Row | Ref | None = None, *, remember: bool = True) -> None:
        """Show another view, with the cursor on `row` if given."""
        if remember:
            self._places.append(VisitedView(self.view, self.filter, self._table.current))
        self.view, self.filter, self._next_row = view, filter_text, row
        self.set_class(not view.namespace or view.kind == "Finding", "-all")
        self.rows = ()
        self._table.follows = False
        scope = view.namespace if view.kind in ("", "Finding") or not self._covers(view) else self._scope
        if scope != self._scope:
            self._scope, self.report = scope, None
        self._load()
        if self._until_shown is not None:
            self._until_shown.stop()
        self._until_shown = self.set_timer(READING_AFTER, self._say_reading)

    def _say_reading(self) -> None:
        """The new list takes some time: what is shown is the previous one."""
        if self._shown != self.view:
            self._show(())

    def _go_to(self, name: Ref | None) -> None:
        """Show an object in the list of its kind."""
        if name is not None:
            self._go(View(name.kind, name.namespace), row=name)

    def _covers(self, view: View) -> bool:
        """Whether the report is about what the view shows."""
        return not self._scope or view.namespace in (self._scope, "")

    def _apply_filter(self) -> None:
        """Where the filter cannot be read, the rows stay as they are. The title changes with the rows: each is drawn with
        all of the list."""
        try:
            if not (self.filter or self.faults_only):
                self._show(self.rows)
            elif len(self.rows) > MANY_ROWS:
                keep((), self.filter)  # whether it can be read at all
                self._work(partial(work.filter_rows, self.rows, self.filter, self.faults_only), "filter")
            else:
                self._show(keep(self.rows, self.filter, self.faults_only))
            self.query_one(Banner).say("", "filter")
        except FilterError as error:
            self._draw_titles()
            self.query_one(Banner).say(str(error), "filter")

    def _show(self, rows: tuple[Row, ...]) -> None:
        self._shown = self.view
        self._draw_titles()
        columns = columns_of(self.view, wide=self.wide)
        key, selected = place_in(self.order), self._shown_of is self.rows
        self._shown_of = self.rows
        self._table.show(rows, columns, self.session.now(), key=key, selected=selected)
        if self._next_row is not None:
            index = self._table.index_of(self._next_row, key)
            if index >= 0 or not self._reading:
                self._table.highlight(max(0, index))
                self._next_row = None
        if not rows:
            self._say_empty()

    def _say_empty(self) -> None:
        text = empty_text(self.view, self.report, filtered=bool(self.rows), refused=self._refused)
        self._draw_keys(None)
        self.query_one(IncidentPane).clear(READING if self._reading else text)

    def _tell(self) -> None:
        row = self.subject()
        if row is None:
            return
        if row.ref.kind == "Context":
            self.query_one(IncidentPane).clear("enter opens the context.")
        elif self.report is None:
            self.query_one(IncidentPane).clear(READING if self._reading else EXAMINING)
        else:
            post = work.wrapping(self.post_message, self.query_one(IncidentPane).line_width)
            self._work(partial(work.tell, self.session, row, self.report), "tell", post)

    # Drawing

    def _draw_titles(self) -> None:
        table, bar = self._table, self.query_one(StatusBar)
        notes = [f"/{self.filter}" if self.filter else "", "faults only" if self.faults_only else ""]
        notes.append(f"sorted by {self.order}" if self.order != "health" else "")
        title = " · ".join(filter(None, (self.view.title, *notes)))
        if self._title != title:  # a title, also the same, draws the whole widget again
            self._title = title
            table.border_title = as_title(title, 80)
        bar.place = (self.session.source.context if self.session.live else "", self.view.namespace or "all namespaces")
        self._draw_examined()

    def _draw_keys(self, row: Row | None) -> None:
        """The keys for the row that the page is about."""
        keys = list_keys(row.ref.kind) if row is not None else ""
        if self._keys != keys:
            self._keys = keys
            self.query_one(IncidentPane).border_subtitle = as_title(keys)

    def _draw_examined(self) -> None:
        """How old the report is: on a large cluster that changes all the time it is older than the rows."""
        title = examined_title(self.report, self.session.now() if self.session.live else None)
        pane = self.query_one(IncidentPane)
        if self._examined_title != title:
            self._examined_title = title
            pane.border_title = as_title(title)

    def _draw_currency(self) -> None:
        self._draw_examined()
        self._table.pass_time(self.session.now())
        self._freshness = self.session.freshness()
        bar = self.query_one(StatusBar)
        bar.currency = currency(self._freshness, self.session.now(), self.session.snapshot.source.name)
        lost = self._freshness.lost
        self.query_one(Banner).say(f"{lost} The data may be out of date; reconnecting." if lost else "", "lost")

    # Keys

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """While the prompt is open, `/` and `:` are letters. A key may come before the widgets are there."""
        return self.is_mounted and not (action == "ask" and self.query_one(Prompt).is_open)

    def action_ask(self, mode: str) -> None:
        self.query_one(Prompt).ask(mode, self.filter if mode == "filter" else "")

    def action_back(self) -> None:
        if self.filter:
            self.filter = ""
            self._apply_filter()
        elif self._places:
            visited = self._places.pop()
            self._go(visited.view, visited.filter, visited.row, remember=False)

    def action_namespace(self, number: int) -> None:
        if number > len(self.namespaces):
            return
        name = self.namespaces[number - 1] if number else ""
        kind = "" if self.view.kind in ("Context", "Namespace", "Node") else self.view.kind
        if name != self.view.namespace:
            self._go(View(kind, name))

    def action_faults(self) -> None:
        self.faults_only = not self.faults_only
        self._apply_filter()

    def action_wide(self) -> None:
        self.wide = not self.wide
        self.set_class(self.wide, "-broad")
        self._apply_filter()

    def action_sort(self, order: str) -> None:
        self.order = order
        self._draw_titles()
        self._sort()

    def action_why(self) -> None:
        row = self.subject()
        if row is not None and self.report is not None:
            WhyScreen.show(self.app, self.session, row, self.report)

    def action_findings(self) -> None:
        if self.view.kind != "Finding":
            self._go(View("Finding", self.view.namespace))

    def action_node(self) -> None:
        row = self.subject()
        if row is not None and row.node:
            self._go(View("Node"), row=Ref("Node", "", row.node))
        else:
            self.notify("Only a scheduled pod has a node. enter lists the pods.", timeout=3)

    def action_owner(self) -> None:
        row = self.subject()
        obj = self.session.snapshot.get(row.ref) if row is not None else None
        owner = controller_of(obj) if obj is not None else None
        if owner is not None:
            self._go_to(owner)
        else:
            self.notify("No owner.", timeout=3)
