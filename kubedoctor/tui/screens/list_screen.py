"""The home: incidents and workloads, every other list, and the page about the selected row."""

from __future__ import annotations

from functools import partial
from typing import ClassVar

from msgspec.structs import replace
from textual import events, on
from textual.binding import Binding, BindingType
from textual.timer import Timer

from kubedoctor.cluster import Ref
from kubedoctor.cluster.grammar.text import visible
from kubedoctor.cluster.relations.workloads import WORKLOAD_KINDS, controller_of
from kubedoctor.tui import commands, work
from kubedoctor.tui.columns import INCIDENT_COLUMNS, sorted_by
from kubedoctor.tui.filters import FilterError, keep
from kubedoctor.tui.home.sorting_screen import SortingScreen
from kubedoctor.tui.home.visits import VisitedList
from kubedoctor.tui.messages import ContextWanted, Filtered, ThemeWanted, Told
from kubedoctor.tui.rows import EXAMINING, READING, Row, View, is_order, known_row, next_tab, place_in
from kubedoctor.tui.screens.places import place_of
from kubedoctor.tui.screens.rows_screen import LOOK_EVERY, REPAINT_EVERY
from kubedoctor.tui.screens.why_screen import WhyScreen
from kubedoctor.tui.session import Session
from kubedoctor.tui.state.time_machine import go_to, leave
from kubedoctor.tui.texts.saving import save, table_lines
from kubedoctor.tui.threads import InThread
from kubedoctor.tui.widgets.banner import Banner
from kubedoctor.tui.widgets.one_line import Tab
from kubedoctor.tui.widgets.prompt import Prompt
from kubedoctor.tui.widgets.text_view import TextView
from kubedoctor.tui.widgets.virtual_table import VirtualTable

MANY_ROWS = 5_000
"""More rows than this are filtered in a worker."""
READING_AFTER = 0.1
"""Seconds that a list may take before the screen says that it is being read."""
LOOK_AFTER, LOOK_AFTER_TYPING = 0.05, 0.25
"""Seconds that the cursor must rest on a row before its page is written; the second while a filter is typed."""
HOME = "Finding"


class ListScreen(SortingScreen):
    """Goes from view to view, and opens what is under the cursor."""

    CSS_PATH = "list_screen.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        # With priority, so that keys typed immediately after them reach the prompt.
        Binding("slash", "ask('filter')", "Filter", priority=True),
        Binding("colon", "ask('command')", "Command", priority=True),
        Binding("escape,minus", "back", "Back"),
        Binding("tab", "switch(1)", "Next tab"),
        Binding("shift+tab", "switch(-1)", "Previous tab"),
        Binding("right,left", "other_pane", "List or page"),
        *(Binding(str(number), f"digit({number})", show=False) for number in range(10)),
        Binding("ctrl+z", "faults", "Faults only"),
        Binding("ctrl+w", "wide", "Wide"),
        Binding("w", "why", "Why"),
        Binding("ctrl+s", "save", "Save the list"),
        Binding("f", "findings", "Incidents"),
        Binding("o", "node", "Node"),
        Binding("J,shift+j", "owner", "Owner"),
    ]

    def __init__(self, session: Session, namespace: str) -> None:
        super().__init__(session, namespace)
        self.view = View(HOME, namespace)
        self._next_row: Row | Ref | None = None
        self._look: Timer | None = None
        self._until_shown: Timer | None = None
        self._shown: View | None = None
        self._shown_of: tuple[Row, ...] = ()
        self._rows_of_tabs: dict[View, Row] = {}

    def on_mount(self) -> None:
        self.order = self._order_of(self.view)
        self.wide = self._kept.chosen.wide
        self._table.focus()
        self._draw_titles()
        self._draw_currency()
        self._say_empty()
        self._load()
        if self.session.live:
            self._beat = self.set_interval(REPAINT_EVERY, self._keep_up)
            self.set_interval(LOOK_EVERY, self._pass_time)

    def _pass_time(self) -> None:
        self._draw_currency()
        self._keep_up()
        self.read_columns()

    def on_resize(self, _: events.Resize) -> None:
        if self.is_mounted:
            self._arrange(self._table.rows)
            if self.subject() is not None and self.report is not None:
                self._tell()

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
        self.opened_fix = 1
        if message.row is None:
            self._say_empty()
            return
        if self._look is not None:
            self._look.stop()
        typing = self.query_one(Prompt).is_open
        self._look = self.set_timer(LOOK_AFTER_TYPING if typing else LOOK_AFTER, self._tell)

    @on(Told)
    def _told(self, message: Told) -> None:
        current = None if self._is_outdated(message) else self._table.current
        if current is not None and (current.ref, current.finding) == (message.row.ref, message.row.finding):
            self._pane.tell(message.row, message.verdict, message.page)
            self._draw_keys(message.row)

    @on(Tab)
    def _tab_chosen(self, message: Tab) -> None:
        self._go(View(message.kind, self.view.namespace))

    @on(TextView.Followed)
    def _followed(self, message: TextView.Followed) -> None:
        """A link of the page."""
        self.show_why(message.about)

    def show_why(self, name: Ref) -> None:
        """The page of any object."""
        if self.report is not None:
            WhyScreen.show(self.app, self.session, known_row(name, self.session.snapshot), self.report)

    @on(VirtualTable.Opened)
    def _opened(self, message: VirtualTable.Opened) -> None:
        row = message.row
        if self.subject() is None:
            return
        if self.view.kind == HOME:
            self._open_incident(row)
        elif row.ref.kind == "Namespace":
            self._go(View(namespace=row.ref.name))
        elif row.ref.kind == "Context":
            self.filter = ""
            self.action_back()  # the list of contexts is no place to come back to
            self.post_message(ContextWanted(row.ref.name))
        elif row.ref.kind == "Event":
            self._go_to(self.session.involved(row.ref))
        elif row.ref.kind == "Node":
            self._go(View("Pod", "", row.ref))
        elif row.ref.kind in WORKLOAD_KINDS or self.session.has_selector(row.ref):
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
            self.carry_out(commands.parse(self.written_out(message.text), self.session.extensions.kinds))
        except commands.CommandError as error:
            self.notify(visible(str(error), 300), severity="warning")

    def carry_out(self, command: commands.Command) -> None:
        """Do what was typed."""
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
                self.post_message(ContextWanted(name))
            case commands.Moment(text=text):
                self._travel(partial(go_to, text) if text else leave)
            case commands.Suppressions():
                self.show_suppressed()
            case commands.Pulses():
                self.show_pulses()
            case commands.Lesson(words=words):
                self.show_lesson(words)
            case commands.Show(context=context) if context:
                self.post_message(ContextWanted(context, replace(command, context="")))
            case commands.Show():
                self._go(*place_of(command, self.view.namespace, self.session.snapshot))

    # Navigation

    def _go(self, view: View, filter_text: str = "", row: Row | Ref | None = None, *, remember: bool = True) -> None:
        """Show another view, with the cursor on `row` if given."""
        if remember:
            self._places.append(VisitedList(self.view, self.filter, self._table.current))
        visited = VisitedList(view, filter_text, row if isinstance(row, Row) else None)
        self.enter_list(visited, remember=remember)
        before, self.view = self.view, view
        self.order = self._order_of(view)
        if view.namespace != before.namespace:
            self._forget_counts()
        self.filter, self._next_row = filter_text, row
        self.rows = ()
        self._table.follows = False
        if not self._covers(view):
            self._scope, self.report = view.namespace, None
        if not self._is_being_read(view):
            self._load()
        else:
            self._examining.stale |= self.report is None
            if self._some is not None and self._some.view == view:
                self._take(self._some.rows, self._some.counts, self._some.order)
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
        if not self._scope or view.namespace == self._scope:
            return True
        return not view.namespace and view.kind not in ("", HOME)

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
        rows = self._with_tree(rows)
        home = self.view.kind == HOME
        self._set_bare(bare=self._has_no_incidents)
        self._arrange(rows)
        self._draw_titles()
        columns = sorted_by(self.shown_columns(wide=self.wide), self._order_of_rows)
        by_itself = self.view.kind not in (HOME, "Context") and is_order(self._order_of_rows)
        key = place_in(self._order_of_rows) if by_itself else None
        selected, self._shown_of = self._shown_of is self.rows, self.rows
        form = self.form if home else None
        self._table.show(rows, columns, self.session.now(), key=key, selected=selected, form=form)
        if self._next_row is not None:
            index = self._table.index_of(self._next_row, key)
            if index >= 0 or not self._reading:
                self._table.highlight(max(0, index))
                self._next_row = None
        if not rows:
            self._say_empty()

    def _tell(self) -> None:
        row = self.subject()
        if row is None:
            return
        if row.ref.kind == "Context":
            self._pane.clear("enter opens the context.")
        elif self.report is None:
            self._pane.clear(READING if self._reading else EXAMINING)
        else:
            post = work.wrapping(self.post_message, self._pane.line_width)
            job = partial(work.tell, self.session, row, self.report, tight=self.tight, opened=self.opened_fix)
            self._work(job, "tell", post)

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
        elif self.session.is_past and len(self._places) <= self._places_before:
            self._travel(leave)
        elif self._places:
            visited = self._places.pop()
            self._go(visited.view, visited.filter, visited.row, remember=False)
        elif self.view.kind != HOME:
            self._go(View(HOME, self.view.namespace), remember=False)
        else:
            self.post_message(ContextWanted())

    def action_switch(self, step: int) -> None:
        """To the next tab or the one before, each with its cursor; in another list to the page and back."""
        kind = next_tab(self.view, step)
        if kind is None:
            self.action_other_pane()
            return
        if (row := self.subject()) is not None and self._table.follows:
            self._rows_of_tabs[self.view] = row
        other = View(kind, self.view.namespace)
        self._go(other, row=self._rows_of_tabs.get(other), remember=False)

    def action_other_pane(self) -> None:
        """Keys go to the page, or back to the list."""
        if self.wide and self._pane.has_class("-broad"):
            self.action_wide()
        self.set_focus(self._table if self._pane.is_active else self._pane)

    def action_digit(self, number: int) -> None:
        """A fix while the page has the keys, else a namespace."""
        if not self._pane.is_active:
            self.action_namespace(number)
        elif number:
            self.opened_fix = number
            self._tell()

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
        self.wide = self._kept.chosen.wide = not self.wide
        self._kept.keep()
        self._apply_filter()

    def action_save(self) -> None:
        rows, columns, now = self._table.rows, self.shown_columns(wide=True), self.session.now()
        if self.view.kind == HOME:
            columns = INCIDENT_COLUMNS
        job = partial(save, self.view.title, "csv", lambda: table_lines(rows, columns, now))
        self.app.run_worker(InThread(job, self.app.post_message))

    def action_why(self) -> None:
        row = self.subject()
        if row is not None and self.report is not None:
            WhyScreen.show(self.app, self.session, row, self.report)

    def action_findings(self) -> None:
        if self.view.kind != HOME:
            self._go(View(HOME, self.view.namespace))

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
