"""Why: the incidents of one object in full."""

from __future__ import annotations

from functools import partial
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import Screen

from kubedoctor.cluster.text import visible
from kubedoctor.engine import Report
from kubedoctor.tui import work
from kubedoctor.tui.incidents import lesson_page
from kubedoctor.tui.messages import Failed, Told
from kubedoctor.tui.rows import Row
from kubedoctor.tui.screens.copy_screen import CopyScreen, commands_of
from kubedoctor.tui.screens.text_screen import TextScreen
from kubedoctor.tui.session import Session
from kubedoctor.tui.threads import in_thread
from kubedoctor.tui.widgets.incident_pane import IncidentPane


class WhyScreen(Screen[None]):
    """Examines the object once more by itself where it is live, and tells everything."""

    CSS_PATH = "why_screen.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,w", "app.pop_screen", "Back"),
        Binding("x", "copy", "Copy a command"),
        Binding("e", "lesson", "Lesson"),
        Binding("l", "logs(False)", "Logs"),
        Binding("p", "logs(True)", "Previous logs"),
        Binding("d", "describe", "Describe"),
        Binding("y", "yaml", "YAML"),
    ]

    def __init__(self, session: Session, row: Row, report: Report) -> None:
        super().__init__()
        self.session = session
        self.row = row
        self.report = report

    def compose(self) -> ComposeResult:
        pane = IncidentPane(id="why")
        pane.border_title = f"Why · {visible(self.row.ref.title, 120)}"
        pane.border_subtitle = "esc back  x copy  e learn  l logs  p previous  d describe  y yaml"
        yield pane

    def on_mount(self) -> None:
        self._run(partial(work.tell, self.session, self.row, self.report, full=True))
        if self.session.live and not self.row.finding:
            self._run(partial(work.focus, self.session, self.row))

    def _run(self, job: partial[None]) -> None:
        self.run_worker(in_thread(job, self.post_message))

    @on(Told)
    def _told(self, message: Told) -> None:
        self.query_one(IncidentPane).tell(message.row, message.verdict, message.page)

    @on(Failed)
    def _failed(self, message: Failed) -> None:
        self.notify(visible(str(message.problem), 400, lines=True), severity="warning", markup=False)

    def action_copy(self) -> None:
        verdict = self.query_one(IncidentPane).verdict
        self.app.push_screen(CopyScreen(commands_of(verdict, self.row)))

    def action_lesson(self) -> None:
        verdict = self.query_one(IncidentPane).verdict
        if verdict is not None and verdict.causes:
            code = verdict.causes[0].code
            self.app.push_screen(TextScreen(code, lesson_page(code, self.session.catalogue)))

    def action_logs(self, previous: bool) -> None:
        self._text("Log", partial(work.show_logs, self.session, self.row.ref, previous))

    def action_describe(self) -> None:
        self._text("Describe", partial(work.describe_object, self.session, self.row.ref, self.report))

    def action_yaml(self) -> None:
        self._text("YAML", partial(work.show_yaml, self.session, self.row.ref))

    def _text(self, title: str, job: partial[None]) -> None:
        self.app.push_screen(TextScreen(title, work=job))
