"""What the list screen draws beside its rows: header, tabs, rule, keys, and the page where there are no rows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta
from functools import cache
from itertools import islice

from textual import on
from textual.app import ComposeResult
from textual.geometry import Size
from textual.reactive import Reactive
from textual.widget import Widget

from kubedoctor.cluster.grammar.durations import human_duration
from kubedoctor.cluster.grammar.text import capitalised
from kubedoctor.cluster.kinds.resources import kind_from_word
from kubedoctor.engine.health import Health
from kubedoctor.tui.home.empty import empty_text
from kubedoctor.tui.home.time_screen import TimeScreen
from kubedoctor.tui.incidents.incident_rows import IncidentRow, incident_counts
from kubedoctor.tui.look import THEME_NAMES
from kubedoctor.tui.messages import Aged, Failed, Progress
from kubedoctor.tui.pages.ink import ink
from kubedoctor.tui.pages.keys import list_keys
from kubedoctor.tui.pages.page import Line
from kubedoctor.tui.pages.states import MOST_NOT_WELL, examining_page, no_incidents_page, problem_page
from kubedoctor.tui.prompted.completing import CommandSuggester, KnownWords
from kubedoctor.tui.rows import BACKWARDS, EXAMINING, READING, TABS, Row, View, counts
from kubedoctor.tui.session import Session
from kubedoctor.tui.widgets.banner import Banner
from kubedoctor.tui.widgets.incident_form import IncidentForm
from kubedoctor.tui.widgets.incident_pane import IncidentPane
from kubedoctor.tui.widgets.one_line import Keys, TabRule, Tabs
from kubedoctor.tui.widgets.panes import Panes
from kubedoctor.tui.widgets.prompt import Prompt
from kubedoctor.tui.widgets.status_bar import GOOD, StatusBar, currency
from kubedoctor.tui.widgets.themed_app import ThemedApp
from kubedoctor.tui.widgets.virtual_table import VirtualTable
from kubedoctor.tui.widgets.wall import Wall

BESIDE_FROM, AIRY_FROM = 112, 30
"""Columns from which the page stands beside the list, and lines from which there are empty ones in it."""
LEAST_LINES, LEAST_LINES_OF_TABLE = 6, 8
"""Rows of a list above its page, where there are so many."""
NOT_WELL = (Health.BROKEN, Health.DEGRADED)
EXAMINED_STEP = 10
"""Seconds: a title that changes is drawn again."""


class DrawnList(TimeScreen):
    """Draws; what keys do is the list screen's own."""

    focused: Reactive[Widget | None] = Reactive(None, repaint=False)
    """The widgets that lose and get the focus are drawn again, not the whole screen."""
    virtual_size = Reactive(Size(0, 0))
    """Only a layout changes it, and none follows from that."""
    HORIZONTAL_BREAKPOINTS = [(0, "-stacked"), (BESIDE_FROM, "-beside")]  # noqa: RUF012  # an instance's in Textual
    VERTICAL_BREAKPOINTS = [(0, "-tight"), (AIRY_FROM, "-airy")]  # noqa: RUF012  # an instance's in Textual

    def __init__(self, session: Session, namespace: str) -> None:
        super().__init__(session, namespace)
        self.filter = ""
        self.faults_only = False
        self.form = IncidentForm()
        self._numbers: dict[str, int] = {}
        self._told_kind: str | None = None
        self._unfolded: tuple[str, tuple[IncidentRow, ...]] = ("", ())
        self._problem: tuple[str, str] | None = None
        self._doing: dict[object, str] = {}
        self._incidents: tuple[Row, ...] = ()
        self.wide = False
        """Whether a list has all its columns, and the whole width."""
        self._is_bare = False
        """Whether the page has the whole screen."""

    def compose(self) -> ComposeResult:
        yield StatusBar(id="status")
        yield Banner(id="banner")
        yield Tabs(id="tabs")
        yield TabRule(id="rule")
        with Panes(id="panes"):
            yield VirtualTable(id="table")
            yield Wall(id="wall")
            yield IncidentPane(id="incident")
        yield Keys(id="keys")
        yield Prompt(CommandSuggester(self._known()), id="prompt")

    def _aliases(self) -> Iterable[str]:
        return self.app.own.aliases if isinstance(self.app, ThemedApp) else ()

    def _known(self) -> KnownWords:
        """What the words of a command are completed to."""
        session = self.session
        long = ("Pod", "Event")  # of these only the rows that are there

        def names(word: str) -> Iterable[str]:
            row = kind_from_word(word.lower())
            if row is None or row.kind in long:
                return sorted({one.ref.name for one in self.rows if row is not None and one.ref.kind == row.kind})
            return sorted({obj.metadata.name for obj in session.snapshot.of_kind(row.kind)})

        @cache
        def contexts() -> tuple[str, ...]:
            return tuple(row.ref.name for row in session.rows(View("Context"), None, "health"))

        return KnownWords(
            kinds=lambda: (*self._aliases(), *(kind.plural for kind in session.extensions.kinds)),
            namespaces=lambda: self.namespaces,
            contexts=contexts,
            themes=lambda: THEME_NAMES,
            names=names,
        )

    @property
    def _table(self) -> VirtualTable:
        return self.query_one(VirtualTable)

    @property
    def _pane(self) -> IncidentPane:
        return self.query_one(IncidentPane)

    @property
    def problem(self) -> tuple[str, str] | None:
        """Why nothing can be read, and what to try; None where something was."""
        return self._problem if self.report is None else None

    def try_again(self) -> None:
        """Read again what could not be read."""
        if self.problem is not None and not self._reading:
            self._load()

    @property
    def doing(self) -> str:
        """What the newest work does that is not over."""
        return next(reversed(self._doing.values()), "")

    @property
    def well(self) -> int | None:
        """How many workloads are well; None where they were not read."""
        bar = next(iter(self.query(StatusBar)), None)  # none while it is being opened or closed
        numbers = bar.counts if bar is not None else None
        return sum(numbers.get(health, 0) for health in GOOD) if numbers is not None else None

    @property
    def incidents(self) -> tuple[Row, ...]:
        """The incidents of the last report, the worst first."""
        return self._incidents

    @property
    def tight(self) -> bool:
        """Whether there is no room for empty lines."""
        return self.size.height < AIRY_FROM

    @property
    def _stacked(self) -> bool:
        return self.size.width < BESIDE_FROM

    # Messages that change only what is drawn

    @on(Progress)
    def _progress(self, message: Progress) -> None:
        """Say what the newest work does that is not over."""
        if message.doing:
            self._doing[message.work] = message.doing
        else:
            self._doing.pop(message.work, None)
        for bar in self.query(StatusBar):  # none while it is being opened or closed
            bar.doing = next(reversed(self._doing.values()), "")
        if self._is_bare and self.report is None:
            self._say_empty()

    @on(Aged)
    def _aged(self, message: Aged) -> None:
        self._draw_currency()

    @on(Failed)
    def _failed(self, message: Failed) -> None:
        self._reading = False
        self._problem = (message.problem.what, message.problem.hint)
        self.query_one(Banner).say(str(message.problem).replace("\n", " "), "failed")
        if self._is_bare:
            self._say_empty()
        elif not self.rows or self.report is None:
            self._pane.clear(f"{message.problem.what}. {message.problem.hint}")
        self._draw_currency()

    @on(Panes.Activated)
    def _activated(self) -> None:
        self._draw_tabs()
        self._draw_keys(self._table.current)

    @on(VirtualTable.Resized)
    def _resized(self) -> None:
        self._draw_tabs()

    # The lines around the list

    def _draw_titles(self) -> None:
        bar = self.query_one(StatusBar)
        bar.place = (self.session.source.context if self.session.live else "", self.view.namespace or "all namespaces")
        self._draw_tabs()

    def _draw_tabs(self) -> None:
        tabs, pane = self.query_one(Tabs), self._pane
        notes = [f"/{self.filter}" if self.filter else "", "faults only" if self.faults_only else ""]
        backwards = " backwards" if self.order.startswith(BACKWARDS) else ""
        notes.append(f"sorted by {self.order.removeprefix(BACKWARDS)}{backwards}" if self.order != "health" else "")
        notes.append("" if self.session.is_past else self.session.served.lack(self.view))
        kind = self.view.kind if self.view.owner is None and self.view.kind in dict(TABS) else None
        title: Line = (ink("Why", "name" if pane.is_active else "dim"), ink(self._age_of_report(), "faint"))
        alone = self._stacked or self._is_bare or pane.has_class("-broad")
        wall = 0 if alone else self._table.region.width
        tabs.tell(kind, self._numbers, self.view.title, " · ".join(filter(None, notes)), wall, (ink("  "), *title))
        self.query_one(TabRule).mark(tabs.active, wall)
        self.query_one(Wall).entitle(title)

    def _age_of_report(self) -> str:
        """How old the report is: on a large cluster that changes all the time it is older than the rows."""
        if self.report is None or not self.session.live:
            return ""
        seconds = (self.session.now() - self.report.taken_at).total_seconds()
        age = max(0, int(seconds)) // EXAMINED_STEP * EXAMINED_STEP
        return f"  examined {human_duration(timedelta(seconds=age))} ago" if age else "  examined just now"

    def _draw_keys(self, row: Row | None) -> None:
        """The keys for the row that the page is about."""
        in_tree = isinstance(row, IncidentRow) and bool(row.lead)
        kind = row.ref.kind if row is not None else ""
        fixes = self._pane.is_active
        self.query_one(Keys).offer(list_keys(self.view, kind, in_tree=in_tree, in_pane=fixes, empty=row is None))

    def _draw_currency(self) -> None:
        if not all(self.query(part) for part in (StatusBar, Banner, Tabs, VirtualTable, IncidentPane)):
            return  # It is being closed: its parts go one by one.
        self._draw_tabs()
        self._table.pass_time(self.session.now())
        freshness = self.session.freshness()
        bar = self.query_one(StatusBar)
        self._listing.stale |= self.view.kind == "Finding" and bool(self.session.proofs.every(self.session.now()))
        bar.state, bar.currency = currency(freshness, self.session.now(), self.session.snapshot.source.name)
        lost = freshness.lost
        banner = self.query_one(Banner)
        banner.say(f"{lost} The data may be out of date; reconnecting." if lost else "", "lost")
        busy = f"{capitalised(freshness.strain)}. What is shown may be late." if freshness.strain else ""
        banner.say(busy, "strained")
        back = "the end" if self.session.source.snapshot.closed else "the present"
        banner.say(f"{freshness.past}. {{ earlier, }} later, esc to {back}." if freshness.past else "", "past")

    def _show_moment(self) -> None:
        moment = self.session.machine.moment
        self.set_class(moment is not None, "-past")
        if isinstance(self.app, ThemedApp):
            self.app.moment_shown = f"{moment.at:%H:%M:%S}" if moment is not None else ""
        self._draw_currency()

    def _draw_counts(self, workloads: dict[Health, int] | None) -> None:
        """The numbers of the header and of the tabs."""
        bar = self.query_one(StatusBar)
        if workloads is not None:
            bar.counts = workloads
            self._numbers[""] = sum(workloads.values())
            if self._refused and not self._numbers[""]:  # not seen is not none
                del self._numbers[""]
        if self.report is None:
            bar.incidents, bar.gaps, bar.suppressed = None, 0, 0
            self._numbers.pop("Finding", None)
        else:
            at_home = self.view.kind == "Finding"
            if at_home:
                self._incidents = self.rows
            bar.incidents = counts(self.rows) if at_home else incident_counts(self.report, self.view.namespace)
            bar.gaps = len({gap.why for gap in self.report.not_checked}) + len(self.report.problems)
            bar.suppressed = len(self.report.suppressed)
            self._numbers["Finding"] = sum(
                number for health, number in bar.incidents.items() if health is not Health.HEALTHY
            )
        if "Node" in self.session.snapshot.kinds():
            self._numbers["Node"] = len(self.session.snapshot.of_kind("Node"))
        self._draw_tabs()

    def _forget_counts(self) -> None:
        """The numbers are of another namespace than what is shown now."""
        bar = self.query_one(StatusBar)
        bar.incidents, bar.counts, bar.gaps = None, None, 0
        self._numbers.pop("Finding", None)
        self._numbers.pop("", None)

    # The list and the page where there are no rows

    def _arrange(self, rows: Sequence[Row]) -> None:
        """The height of the list above its page."""
        table = self._table
        in_tree = table.has_class("-tree") and any(isinstance(row, IncidentRow) and row.lead for row in rows)
        table.below = int(in_tree)
        is_table = self.view.kind != "Finding"
        table.set_class(is_table, "-table")  # of the screen, it would restyle all widgets
        for widget in (table, self.query_one(Wall), self._pane):
            widget.set_class(self.wide and is_table and bool(rows), "-broad")
        if not self._stacked:
            if table.styles.inline.has_rule("height"):
                table.styles.height = None
            return
        if self._is_bare:
            table.styles.height = 0
            return
        height = self.size.height
        most = max(LEAST_LINES, height // 5) if self.view.kind == "Finding" else max(LEAST_LINES_OF_TABLE, height // 3)
        if in_tree:
            most = max(LEAST_LINES_OF_TABLE, height // 3)
        lines = 1 + max(1, min(most, len(rows)))
        if table.styles.height is None or table.styles.height.value != lines:
            table.styles.height = lines

    def _with_tree(self, rows: tuple[Row, ...]) -> tuple[Row, ...]:
        """The rows with the tree of the unfolded incident below it."""
        finding, tree = self._unfolded
        in_tree = bool(tree) and self.view.kind == "Finding"
        self._table.set_class(in_tree, "-tree")
        if not tree or self.view.kind != "Finding":
            return rows
        place = next((number for number, row in enumerate(rows, start=1) if row.finding == finding), 0)
        return (*rows[:place], *tree, *rows[place:]) if place else rows

    @property
    def _has_no_incidents(self) -> bool:
        """Whether the home has none to list: not those that are still on their way."""
        return self.view.kind == "Finding" and not self.rows and (self.report is None or not self._rows_are_due)

    def _set_bare(self, *, bare: bool) -> None:
        """Whether the page has the whole screen."""
        if self._is_bare is not bare:
            self._is_bare = bare
            for widget in (self._table, self.query_one(Wall)):
                widget.set_class(bare, "-bare")
            self._arrange(self._table.rows)

    def _say_empty(self) -> None:
        """No rows: what that means."""
        self._draw_keys(None)
        pane = self._pane
        bare = self._has_no_incidents
        self._set_bare(bare=bare)
        self._draw_tabs()
        if not bare:
            text = empty_text(self.view, self.report, filtered=bool(self.rows), refused=self._refused)
            pane.clear(READING if self._rows_are_due else text)
        elif self._problem is not None and self.report is None:
            pane.state(problem_page(*self._problem), self._problem)
        elif self.report is None:
            doing = next(reversed(self._doing.values()), "")
            number = self._numbers.get("", 0)
            some = self._some
            not_well = sum(some.counts[health] for health in NOT_WELL) if some is not None else 0
            worst = (row for row in some.rows if row.health in NOT_WELL) if some is not None else iter(())
            rows = tuple(islice(worst, MOST_NOT_WELL))
            pane.state(examining_page(doing, number, not_well, rows), (EXAMINING, doing, number, not_well, rows))
        else:
            number = self._numbers.get("", 0)
            page = no_incidents_page(self.report, self.view.namespace, number, self._refused)
            pane.state(page, (self.report, self.view, number, self._refused))
