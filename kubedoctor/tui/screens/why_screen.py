"""Why: the incidents of one object in full."""

from __future__ import annotations

from functools import partial
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from kubedoctor.cluster.grammar.text import visible
from kubedoctor.engine import Report
from kubedoctor.tui import work
from kubedoctor.tui.messages import Failed, Told
from kubedoctor.tui.rows import Row
from kubedoctor.tui.screens.object_actions import ObjectScreen
from kubedoctor.tui.session import Session
from kubedoctor.tui.threads import InThread
from kubedoctor.tui.widgets.incident_pane import IncidentPane
from kubedoctor.tui.widgets.titles import as_title

SUBTITLE = "x copy  e learn  l logs  p previous  d describe  y yaml"


class WhyScreen(ObjectScreen):
    """Examines the object again by itself in a live cluster, and shows everything."""

    CSS_PATH = "why_screen.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,w", "app.pop_screen", "Back"),
    ]

    def __init__(self, session: Session, row: Row, report: Report) -> None:
        super().__init__()
        self.session = session
        self.row = row
        self.report = self._known = report

    def compose(self) -> ComposeResult:
        pane = IncidentPane(id="why")
        pane.border_title = as_title(f"Why · {self.row.ref.title}")
        pane.border_subtitle = as_title(f"esc back  {SUBTITLE}")
        yield pane

    def on_mount(self) -> None:
        self._run(partial(work.tell, self.session, self.row, self._known, full=True))
        if self.session.live and not self.row.finding:
            self._run(partial(work.focus, self.session, self.row))

    def subject(self) -> Row:
        return self.row

    def _run(self, job: partial[None]) -> None:
        self.run_worker(InThread(job, self.post_message))

    @on(Told)
    def _told(self, message: Told) -> None:
        pane = self.query_one(IncidentPane)
        pane.tell(message.row, message.verdict, message.page)
        areas = {finding.diagnostic.partition("/")[0] for finding in message.verdict.findings}
        questions = [
            question
            for question in self.session.questions_about(self.row.ref)
            if question.key and question.area in areas
        ]
        keys = "".join(f"{question.key} {question.name}  " for question in questions)
        pane.border_subtitle = as_title(f"esc back  {keys}{SUBTITLE}")

    @on(Failed)
    def _failed(self, message: Failed) -> None:
        self.notify(visible(str(message.problem), 400, lines=True), severity="warning")
