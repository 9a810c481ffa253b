"""Why: the incidents of one object in full."""

from __future__ import annotations

from collections.abc import Collection
from functools import partial
from typing import Any, ClassVar

from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.message import Message

from kubedoctor.cluster.grammar.text import visible
from kubedoctor.engine import Report
from kubedoctor.tui import work
from kubedoctor.tui.messages import Failed, Told
from kubedoctor.tui.pages.keys import why_keys
from kubedoctor.tui.rows import Row
from kubedoctor.tui.screens.kept_screen import KeptScreen
from kubedoctor.tui.screens.object_actions import ObjectScreen
from kubedoctor.tui.session import Session
from kubedoctor.tui.widgets.incident_pane import IncidentPane
from kubedoctor.tui.widgets.titles import as_title


class WhyScreen(ObjectScreen, KeptScreen):
    """Examines the object again by itself in a live cluster, and shows everything."""

    CSS_PATH = "why_screen.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,w", "app.pop_screen", "Back"),
    ]
    row: Row | None = None

    @classmethod
    def show(cls, app: App[Any], session: Session, row: Row, report: Report) -> None:
        """Open for an object, with what is known of it."""
        screen = cls.unused(app)
        screen.session, screen.row, screen.report = session, row, report
        screen.open(app)

    def compose(self) -> ComposeResult:
        yield IncidentPane(id="why")

    def draw(self) -> None:
        assert self.row is not None  # opened for one
        assert self.report is not None
        pane = self.query_one(IncidentPane)
        pane.clear()
        pane.border_title = as_title(f"Why · {self.row.ref.title}")
        self._draw_keys(self.row)
        self.work(partial(work.tell, self.session, self.row, self.report, full=True))
        if self.session.live and not self.row.finding:
            self.work(partial(work.focus, self.session, self.row))

    def subject(self) -> Row | None:
        return self.row

    def take(self, message: Message) -> None:
        match message:
            case Told():
                self.query_one(IncidentPane).tell(message.row, message.verdict, message.page)
                self._draw_keys(
                    message.row, {finding.diagnostic.partition("/")[0] for finding in message.verdict.findings}
                )
            case Failed():
                self.notify(visible(str(message.problem), 400, lines=True), severity="warning")

    def forget(self) -> None:
        self.row = self.report = None
        self.query_one(IncidentPane).clear()

    def _draw_keys(self, row: Row, areas: Collection[str] = ()) -> None:
        """The keys, with those of the questions that the areas of its findings point to."""
        questions = [
            question for question in self.session.questions_about(row.ref) if question.key and question.area in areas
        ]
        keys = "".join(f"{question.key} {question.name}  " for question in questions)
        self.query_one(IncidentPane).border_subtitle = as_title(f"esc back  {keys}{why_keys(row.ref.kind)}")
