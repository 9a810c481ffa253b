"""Why: the incidents of one object in full."""

from __future__ import annotations

from collections.abc import Callable, Collection
from functools import partial
from typing import Any, ClassVar

from msgspec.structs import replace
from textual import on
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.message import Message

from kubedoctor.cluster.grammar.text import visible
from kubedoctor.engine import Report
from kubedoctor.tui import work
from kubedoctor.tui.messages import Failed, Told
from kubedoctor.tui.pages.keys import why_keys
from kubedoctor.tui.rows import Row, known_row
from kubedoctor.tui.screens.drawn_list import AIRY_FROM
from kubedoctor.tui.screens.kept_screen import KeptScreen
from kubedoctor.tui.screens.object_actions import ObjectScreen
from kubedoctor.tui.session import Session
from kubedoctor.tui.widgets.incident_pane import IncidentPane
from kubedoctor.tui.widgets.one_line import Heading, Keys, Rule
from kubedoctor.tui.widgets.text_view import TextView


class WhyScreen(ObjectScreen, KeptScreen):
    """Examines the object again by itself in a live cluster, and shows everything."""

    CSS_PATH = "why_screen.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,w,minus", "app.pop_screen", "Back"),
        *(Binding(str(number), f"digit({number})", show=False) for number in range(1, 10)),
    ]
    row: Row | None = None

    @classmethod
    def show(cls, app: App[Any], session: Session, row: Row, report: Report) -> None:
        """Open for an object, with what is known of it."""
        screen = cls.unused(app)
        screen.session, screen.row, screen.report = session, row, report
        screen.open(app)

    def again(self) -> tuple[str, Callable[[App[Any]], object]] | None:
        session, row, report = self.session, self.row, self.report
        if row is None or report is None:
            return None
        return f"Why {row.ref.title} {row.finding}", lambda app: WhyScreen.show(app, session, row, report)

    def compose(self) -> ComposeResult:
        yield Heading(id="heading")
        yield Rule()
        yield IncidentPane(id="why")
        yield Keys(id="keys")

    def draw(self) -> None:
        assert self.row is not None  # opened for one
        assert self.report is not None
        self.query_one(IncidentPane).clear()
        others = (screen for screen in self.app.screen_stack if screen is not self)  # It may be on the stack already.
        below = [screen.row.ref.title for screen in others if isinstance(screen, WhyScreen) and screen.row]
        self.query_one(Heading).entitle("Why", self.row.ref.title, ("Home", *below))
        self._draw_keys(self.row)
        tight = self.app.size.height < AIRY_FROM
        self.work(partial(work.tell, self.session, self.row, self.report, full=True, tight=tight))
        if self.session.live and not self.row.finding:
            self.work(partial(work.focus, self.session, self.row, tight=tight))

    def renew(self, report: Report) -> bool:
        """An incident stays the one that it is, also where it has not begun yet."""
        if self.row is not None:
            self.row = replace(known_row(self.row.ref, self.session.snapshot), finding=self.row.finding)
        self.report = report
        return super().renew(report)

    def subject(self) -> Row | None:
        return self.row

    def action_digit(self, number: int) -> None:
        """The fix that `x` copies and `r` rehearses."""
        self.opened_fix = number
        if self.row is not None and self.report is not None:
            tight = self.app.size.height < AIRY_FROM
            self.work(
                partial(work.tell, self.session, self.row, self.report, full=True, tight=tight, opened=self.opened_fix)
            )

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
        self.opened_fix = 1
        self.query_one(IncidentPane).clear()

    def _draw_keys(self, row: Row, areas: Collection[str] = ()) -> None:
        """The keys, with those of the questions that the areas of its findings point to."""
        questions = [
            question for question in self.session.questions_about(row.ref) if question.key and question.area in areas
        ]
        keys = [(question.key, question.name) for question in questions]
        self.query_one(Keys).offer((*keys, *why_keys(row.ref.kind)), (("esc", "back"),))

    @on(TextView.Followed)
    def _followed(self, message: TextView.Followed) -> None:
        """A link: the object's own page, on top of this one."""
        if self.report is not None and self.row is not None and message.about != self.row.ref:
            WhyScreen.show(self.app, self.session, known_row(message.about, self.session.snapshot), self.report)
