"""The answer to a question: the verdict, its table as a list, and a sheet behind each row."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial
from typing import Any, ClassVar

from textual import on
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.message import Message

from kubedoctor.answers.grid import Grid
from kubedoctor.answers.question import Question
from kubedoctor.answers.sheet import Sheet, SheetRow
from kubedoctor.cluster import Ref
from kubedoctor.engine import Report
from kubedoctor.engine.questions import load_questions
from kubedoctor.tui import work
from kubedoctor.tui.messages import Asked, Failed
from kubedoctor.tui.pages.grids import grid_page, legend
from kubedoctor.tui.pages.page import Page
from kubedoctor.tui.pages.sheets import list_columns, list_rows, list_table, sheet_commands, sheet_page
from kubedoctor.tui.screens.copy_screen import CopyScreen
from kubedoctor.tui.screens.kept_screen import KeptScreen
from kubedoctor.tui.session import Session
from kubedoctor.tui.state.rehearsing import TriedChange
from kubedoctor.tui.widgets.grid_view import HEAD, GridView
from kubedoctor.tui.widgets.one_line import Heading, Keys, Rule, across
from kubedoctor.tui.widgets.text_view import TextView
from kubedoctor.tui.widgets.virtual_table import VirtualTable

_FRAME = 1
"""Lines of the list beside its rows: the titles."""
_LEAST_LINES = 6


class SheetScreen(KeptScreen):
    """Draws a sheet, or asks a question about an object and draws the resulting sheet."""

    CSS_PATH = "sheet_screen.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "app.pop_screen", "Back"),
        Binding("N,shift+n", "sort(True)", "Sort by name"),
        Binding("S,shift+s", "sort(False)", "Closest first"),
        Binding("x", "copy_command", "Copy a command"),
    ]
    session: Session

    def __init__(self) -> None:
        super().__init__()
        self.sheet: Sheet | None = None
        self.by_name = False
        self._heading = ""
        self._rows: tuple[SheetRow, ...] = ()
        self._job: Callable[..., None] | None = None
        self._waiting = ""
        self._stop: threading.Event | None = None

    @classmethod
    def show(cls, app: App[Any], session: Session, sheet: Sheet) -> None:
        """Open with a sheet."""
        cls._open(app, session, sheet.title, sheet, None)

    @classmethod
    def ask(
        cls, app: App[Any], session: Session, question: Question, subject: Ref, words: tuple[str, ...] = ()
    ) -> None:
        """Open and ask; `words` are those of the question's arguments, all of them."""
        job = partial(work.ask_question, session, question, subject, question.choices(words))
        about = subject.title if subject.name else "all namespaces"
        cls._open(app, session, " ".join((question.name, about, *words)), None, job)

    @classmethod
    def rehearse(cls, app: App[Any], session: Session, attempt: TriedChange, report: Report | None) -> None:
        """Open and try a change; to leave the screen ends the work."""
        stop = threading.Event()
        job = partial(work.rehearse, session, attempt, report, stop)
        heading = f"{'Rehearse' if attempt.fix is not None else 'What-if'} {attempt.subject.title}"
        cls._open(app, session, heading, None, job, "Replaying every diagnostic on a changed copy… esc cancels.", stop)

    @classmethod
    def _open(
        cls,
        app: App[Any],
        session: Session,
        heading: str,
        sheet: Sheet | None,
        job: Callable[..., None] | None,
        waiting: str = "Asking…",
        stop: threading.Event | None = None,
    ) -> None:
        screen = cls.unused(app)
        screen._waiting, screen._stop = waiting, stop
        screen.session, screen.sheet, screen.by_name = session, sheet, False
        screen._heading, screen._job = heading, job
        screen.open(app)

    def again(self) -> tuple[str, Callable[[App[Any]], object]] | None:
        if self._stop is not None:
            return None  # what was tried is tried again with r
        given = (self.session, self._heading, self.sheet, self._job, self._waiting)
        return self._heading, lambda app: SheetScreen._open(app, *given)

    def compose(self) -> ComposeResult:
        yield Heading(id="heading")
        yield Rule()
        yield VirtualTable(id="rows")
        yield GridView(id="grid")
        yield Rule(id="below")
        yield TextView(id="page")
        yield Keys(id="keys")

    def draw(self) -> None:
        name, _, subject = self._heading.partition(" ")
        self.query_one(Heading).entitle(name, subject)
        if self.sheet is not None:
            self._show(self.sheet)
        elif self._job is not None:
            self._say(self._waiting)
            self.work(self._job)

    def renew(self, report: Report) -> bool:
        """A question is asked again; what was opened from an answer, or tried, belongs to its moment."""
        if self._job is None or self._stop is not None:
            return False
        self.sheet = None
        return super().renew(report)

    def take(self, message: Message) -> None:
        match message:
            case Asked():
                self._show(message.answered.sheet)
            case Failed():
                self._say(str(message.problem))

    def forget(self) -> None:
        if self._stop is not None:
            self._stop.set()
        self.sheet, self._rows, self._job, self._stop = None, (), None, None
        self.set_class(False, "-grid")
        self._say("")

    def _say(self, text: str) -> None:
        page = Page()
        page.add((text, "dim"))
        self.query_one("#page", TextView).show(page)
        self.set_class(True, "-bare")

    def _show(self, sheet: Sheet) -> None:
        self.sheet = sheet
        if sheet.grid is not None and sheet.grid.rows and sheet.grid.columns:
            self._show_grid(sheet, sheet.grid)
            return
        self.set_class(False, "-grid")
        self.query_one("#below", Rule).show(across)
        table = list_table(sheet)
        self._rows = table.every_row if table is not None else ()
        self.set_class(table is None, "-bare")
        keys = (("enter", "open"), ("x", "copy"), ("shift-s", "closest first"), ("shift-n", "by name"))
        copies = (("x", "copy"),) if sheet_commands(sheet, None) else ()
        self.query_one(Keys).offer(keys if table is not None else copies, (("esc", "back"),))
        self.query_one("#page", TextView).show(sheet_page(sheet))
        self.query_one("#rows" if table is not None else "#page").focus()
        self._draw(stay=False)

    def _show_grid(self, sheet: Sheet, grid: Grid) -> None:
        self.set_class(True, "-grid")
        self.set_class(True, "-bare")
        view = self.query_one(GridView)
        view.styles.height = min(len(grid.rows) + HEAD, max(_LEAST_LINES, self.size.height * 2 // 3))
        view.show(grid)
        self.query_one("#below", Rule).show(lambda width: legend(grid, width))
        self.query_one(Keys).offer((("h j k l", "move"), ("enter", "why"), ("tab", "columns")), (("esc", "back"),))
        self._say_cell(sheet, grid, view)
        view.focus()

    def _say_cell(self, sheet: Sheet, grid: Grid, view: GridView) -> None:
        lines = (grid.rows[view.row], grid.columns[view.column]) if view.current is not None else None
        self.query_one("#page", TextView).show(grid_page(sheet, grid, view.current, lines))

    def _draw(self, *, stay: bool) -> None:
        table = list_table(self.sheet) if self.sheet is not None else None
        if table is not None:
            columns = list_columns(table, self._rows, self.size.width)
            rows = list_rows(self._rows, by_name=self.by_name)
            lines = self.query_one(VirtualTable)
            lines.styles.height = min(len(rows) + _FRAME, max(_LEAST_LINES, self.size.height * 3 // 5))
            lines.show(rows, columns, self.session.now(), stay=stay)

    def on_resize(self) -> None:
        self._draw(stay=True)

    @on(GridView.Moved)
    def _moved(self) -> None:
        if self.sheet is not None and self.sheet.grid is not None:
            self._say_cell(self.sheet, self.sheet.grid, self.query_one(GridView))

    @on(GridView.Opened)
    def _cell_opened(self) -> None:
        """The grid of the cell's own pairs, or the answer about its pair."""
        cell = self.query_one(GridView).current
        if cell is None or self.sheet is None:
            return
        if cell.within is not None:
            grid = cell.within()
            verdict = cell.says.rpartition(": ")[2]
            SheetScreen.show(self.app, self.session, Sheet(grid.title, verdict, self.sheet.conclusion, grid=grid))
        elif (asks := cell.asks) is not None:
            question = next((row for row in load_questions().questions if row.name == asks.question), None)
            if question is not None:
                SheetScreen.ask(self.app, self.session, question, asks.subject, asks.words)

    @property
    def _current(self) -> SheetRow | None:
        line = self.query_one(VirtualTable).current
        return self._rows[int(line.finding)] if line is not None and self._rows else None

    @on(VirtualTable.Opened)
    def _opened(self) -> None:
        row = self._current
        if row is not None and row.detail is not None:
            SheetScreen.show(self.app, self.session, row.detail())

    def action_sort(self, by_name: bool) -> None:
        self.by_name = by_name
        self._draw(stay=True)

    def action_copy_command(self) -> None:
        commands = sheet_commands(self.sheet, self._current) if self.sheet is not None else ()
        if commands:
            CopyScreen.show(self.app, commands)
