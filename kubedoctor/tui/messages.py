"""Everything that can happen: workers post these, handlers change state, widgets draw it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from textual.app import App
from textual.message import Message

from kubedoctor.cluster.seen.news import News
from kubedoctor.engine import Report
from kubedoctor.engine.asking import Answered
from kubedoctor.engine.health import Health
from kubedoctor.problems import Problem
from kubedoctor.tui.commands import Show
from kubedoctor.tui.incidents.incident_rows import IncidentRow
from kubedoctor.tui.pages.incidents import ObjectVerdict
from kubedoctor.tui.pages.page import Page
from kubedoctor.tui.rows import Row, View
from kubedoctor.tui.session import Session
from kubedoctor.tui.state.sources import Freshness
from kubedoctor.tui.state.time_machine import Standing


class OfMoment(Message):
    """Made of the state of one moment. `there`: the standing at which the work began; None: not known."""

    there: Standing | None = None


class RowsMade(OfMoment):
    """The rows of a view were computed. `counts`: how many are of each health (of incidents: the workloads); `namespaces`: in the order of the keys 1
    to 9; `cost`: seconds of the processor."""

    def __init__(
        self,
        view: View,
        rows: tuple[Row, ...],
        counts: dict[Health, int],
        order: str,
        namespaces: tuple[str, ...] = (),
        refused: str = "",
        cost: float = 0.0,
    ) -> None:
        super().__init__()
        self.view = view
        self.rows = rows
        self.counts = counts
        self.order = order
        self.namespaces = namespaces
        self.refused = refused
        self.cost = cost


class SomeRowsMade(OfMoment):
    """The rows of a view were computed as far as its objects were read. `counts`, `order`: as of `RowsMade`."""

    def __init__(self, view: View, rows: tuple[Row, ...], counts: dict[Health, int], order: str) -> None:
        super().__init__()
        self.view = view
        self.rows = rows
        self.counts = counts
        self.order = order


class ColumnsRead(OfMoment):
    """The columns that a server computes for a view were read again."""

    def __init__(self, view: View) -> None:
        super().__init__()
        self.view = view


class Sorted(Message):
    """The rows `before` are now in another order."""

    def __init__(self, before: tuple[Row, ...], rows: tuple[Row, ...], order: str) -> None:
        super().__init__()
        self.before = before
        self.rows = rows
        self.order = order


class Filtered(Message):
    """A filter was applied to the many rows `before`. `cost`: seconds of the processor."""

    def __init__(self, before: tuple[Row, ...], filter_text: str, rows: tuple[Row, ...], cost: float) -> None:
        super().__init__()
        self.before = before
        self.filter_text = filter_text
        self.rows = rows
        self.cost = cost


class Examined(OfMoment):
    """The diagnostics ran over a namespace (empty: over all). `cost`: seconds of the processor."""

    def __init__(self, scope: str, report: Report, cost: float) -> None:
        super().__init__()
        self.scope = scope
        self.report = report
        self.cost = cost


class Travelled(Message):
    """Another moment can be shown: `there`, its report over the scope (None: not made yet), and rows, numbers and order as of
    `RowsMade`. `refusal`: why the way ends here; where there is no way at all, `there` is where the screens are."""

    def __init__(
        self,
        view: View,
        scope: str,
        there: Standing,
        report: Report | None = None,
        rows: tuple[Row, ...] = (),
        counts: dict[Health, int] | None = None,
        order: str = "health",
        refusal: str = "",
    ) -> None:
        super().__init__()
        self.view = view
        self.scope = scope
        self.there = there
        self.report = report
        self.rows = rows
        self.counts = counts or {}
        self.order = order
        self.refusal = refusal


class Unfolded(OfMoment):
    """What follows from the cause of an incident, as rows; `finding` is the id of the cause."""

    def __init__(self, finding: str, rows: tuple[IncidentRow, ...]) -> None:
        super().__init__()
        self.finding = finding
        self.rows = rows


class Told(OfMoment):
    """The page about a row was written."""

    def __init__(self, row: Row, verdict: ObjectVerdict, page: Page) -> None:
        super().__init__()
        self.row = row
        self.verdict = verdict
        self.page = page


class PageMade(Message):
    """A text for a screen of its own was written: a description, YAML, a log."""

    def __init__(self, title: str, page: Page, *, at_end: bool = False) -> None:
        super().__init__()
        self.title = title
        self.page = page
        self.at_end = at_end


class PageOpened(Message):
    """A page was opened above a list. `title`: the same for the same page; `open` shows it again."""

    def __init__(self, title: str, open_again: Callable[[App[Any]], object]) -> None:
        super().__init__()
        self.title = title
        self.open = open_again


class Arrived(Message):
    """What a screen's work has posted. `turn`: for which opening of the screen."""

    def __init__(self, turn: object, message: Message) -> None:
        super().__init__()
        self.turn = turn
        self.message = message


class Asked(Message):
    """A question was answered."""

    def __init__(self, answered: Answered) -> None:
        super().__init__()
        self.answered = answered


class Changed(Message):
    """The cluster changed; what was made of it is stale."""

    def __init__(self, news: News) -> None:
        super().__init__()
        self.news = news


class Progress(Message):
    """What one work is doing; empty when it is over. `work`: the same object in all that one work posts."""

    def __init__(self, work: object, doing: str = "") -> None:
        super().__init__()
        self.work = work
        self.doing = doing


class Aged(Message):
    """How current the shown state is."""

    def __init__(self, freshness: Freshness) -> None:
        super().__init__()
        self.freshness = freshness


class Failed(Message):
    """Something could not be done: a sentence, and what to try."""

    def __init__(self, problem: Problem) -> None:
        super().__init__()
        self.problem = problem


class Waits(Message):
    """Something slow is waited for, such as a login: a sentence."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = text


class ReportWritten(Message):
    """The report was written to files: where; or why it was not."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = text


class ThemeWanted(Message):
    """The person requested other colours; an empty name requests the list of themes."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name


class Opened(Message):
    """The source was opened; the first list can be shown. `scope`: its namespace, empty for all."""

    def __init__(self, session: Session, scope: str) -> None:
        super().__init__()
        self.session = session
        self.scope = scope


class ContextWanted(Message):
    """Another cluster is to be shown; an empty name means all of them side by side. then: the list to show there; None: as
    it was left."""

    def __init__(self, name: str = "", then: Show | None = None) -> None:
        super().__init__()
        self.name = name
        self.then = then


class Switched(Message):
    """Another context was opened. `scope`: its namespace, empty for all. then: as of `ContextWanted`."""

    def __init__(self, session: Session, scope: str, then: Show | None = None) -> None:
        super().__init__()
        self.session = session
        self.scope = scope
        self.then = then
