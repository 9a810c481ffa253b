"""Keeps the rows and the report of a view current; what draws them is the screen's own."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from textual import on
from textual.message import Message
from textual.timer import Timer

from kubedoctor.cluster import Ref
from kubedoctor.cluster.seen.news import News
from kubedoctor.engine import Report
from kubedoctor.engine.health import Health
from kubedoctor.engine.over_time.healing import HOLDS
from kubedoctor.tui import work
from kubedoctor.tui.home.visits import VisitedList
from kubedoctor.tui.incidents.suppressions import unheeded_sentence
from kubedoctor.tui.kept_rows import kinds_kept, kinds_of_rows
from kubedoctor.tui.messages import Changed, Examined, OfMoment, RowsMade, SomeRowsMade, Sorted
from kubedoctor.tui.pace import Pace
from kubedoctor.tui.rows import Row, View
from kubedoctor.tui.screens.compositor import FrontCompositor
from kubedoctor.tui.screens.object_actions import ObjectScreen
from kubedoctor.tui.session import Session
from kubedoctor.tui.threads import InThread
from kubedoctor.tui.widgets.banner import Banner
from kubedoctor.tui.work import Post

REPAINT_EVERY = 0.1
LOOK_EVERY = 1.0
"""Seconds. So often the clock moves on, and what may be due is looked at, also where nothing has changed."""
ROWS_EVERY = 0.25
"""Seconds from one change of the rows to the next; the first after a quiet time comes at once."""
ROWS_SHARE = 30
"""The rows that follow changes of the cluster use at most a thirtieth of a core."""
EXAMINE_EVERY = 2.0
EXAMINE_SHARE = 30
"""As ROWS_SHARE: of a cluster of 1,000 pods the report is never older than some seconds, of 30,000 than some minutes."""
EXAMINE_FREE = 0.3
"""Seconds of the processor: what the examination of a small cluster costs."""


class RowsScreen(ObjectScreen):
    """Has the shown state; workers compute it, widgets draw it."""

    def __init__(self, session: Session, namespace: str) -> None:
        super().__init__()
        self._compositor = FrontCompositor()
        self.session = session
        self.view = View(namespace=namespace)
        self.rows: tuple[Row, ...] = ()
        self._order_of_rows = "health"
        self.report: Report | None = None
        self.namespaces: tuple[str, ...] = ()
        self.order = "health"
        self._scope = namespace
        self._refused = ""
        self._reading = False
        self._rows_are_due = False
        """Whether those that are there are not of this view or of this report; of an examination under way there are none."""
        self._read_first: View | None = None
        """The view for which objects are being read."""
        self._some: SomeRowsMade | None = None
        self._listing = Pace(ROWS_EVERY, share=ROWS_SHARE)
        self._turn = object()
        self._examining = Pace(EXAMINE_EVERY, share=EXAMINE_SHARE, free=EXAMINE_FREE)
        self._beat: Timer | None = None
        self._places: list[VisitedList] = []
        self._changed_kinds: set[str] = set()
        self._changed_objects: set[Ref] = set()

    def _apply_filter(self) -> None:
        """Draw the rows that the filter selects."""
        raise NotImplementedError

    def _tell(self) -> None:
        """Draw what the report says of the row under the cursor."""
        raise NotImplementedError

    def _examined_anew(self, report: Report) -> None:
        """Take a report of the moment that is shown."""
        self.report = report

    # Work

    def _work(self, job: Callable[..., None], group: str, post: Post | None = None) -> None:
        there, put = self.session.machine.standing, post or self.post_message

        def post_of_moment(message: Message) -> object:
            if isinstance(message, OfMoment):
                message.there = there
            return put(message)

        self.run_worker(InThread(job, post_of_moment), group=group, exclusive=True)

    def _is_outdated(self, message: OfMoment) -> bool:
        """Whether it was made of another moment than the one that is shown by now."""
        return message.there not in (None, self.session.machine.standing)

    def _load(self) -> None:
        """Rows first; the diagnoses follow when the rows are there."""
        self._examining.stale |= self.report is None
        self._reading = self._rows_are_due = True
        self._listing.begin()
        self._some, self._read_first = None, (first := self.view)
        turn = self._turn = object()
        job = partial(
            work.load,
            self.session,
            first,
            self.report,
            lambda: self.order,
            present=lambda: self.view if self._turn is turn else None,
        )
        self._work(job, "rows")

    def _is_being_read(self, view: View) -> bool:
        """Whether what the view needs is being read already, for another one."""
        return self._reading and self._read_first is not None and self.session.reads_with(view, self._read_first)

    def _make_rows(self) -> None:
        if self._reading:  # then they are made again once all is read
            self._listing.stale = True
            return
        self._listing.begin()
        news = News(frozenset(self._changed_kinds), frozenset(self._changed_objects))
        self._changed_kinds.clear()
        self._changed_objects.clear()
        self._work(partial(work.make_rows, self.session, self.view, self.report, self.order, news=news), "rows")

    def _sort(self) -> None:
        """Put the rows in the present order; what is still being read comes in it anyway."""
        if not self._reading:
            self._work(partial(work.sort_rows, self.session, self.view, self.rows, self.order), "sort")

    def _examine(self) -> None:
        self._examining.begin()
        self._work(partial(work.examine, self.session, self._scope), "examine")

    def _busy(self, group: str) -> bool:
        return any(worker.node is self and worker.group == group and worker.is_running for worker in self.workers)

    def _keep_up(self) -> None:
        """Recomputes what changes of the cluster made stale, at a limited rate. Runs ten times a second while something is
        due soon, and once a second in a quiet cluster, where each turn would cost more than all else."""
        if self.session.is_past:
            return
        proofs = self.session.proofs
        if proofs.is_waiting and self._examining.age >= HOLDS.total_seconds():
            self._examining.stale = True
        if self._listing.is_due and not self._busy("rows"):
            self._make_rows()
        if (self._examining.is_due or self._examining.is_old) and self.report is not None and not self._busy("examine"):
            self._examine()
        if self._beat is not None and min(self._listing.due_in, self._examining.due_in) > LOOK_EVERY:
            self._beat.pause()

    @on(Changed)
    def _changed(self, message: Changed) -> None:
        if self.session.is_past:
            return
        self._examining.stale = True
        kinds, news = {*kinds_kept(self.view), "Namespace"}, message.news
        objects = [name for name in news.objects if name.kind in kinds]
        self._changed_kinds |= news.kinds
        self._changed_objects.update(objects)
        self._listing.stale |= bool(objects) or not news.kinds.isdisjoint(kinds_of_rows(self.view))
        if self._beat is not None:
            self._beat.resume()

    @on(RowsMade)
    def _rows_made(self, message: RowsMade) -> None:
        if self._is_outdated(message):  # going to the moment has brought others, or has them made
            return
        if message.view != self.view:
            if self._is_being_read(self.view) and self._is_being_read(message.view):
                self._reading = False  # the view became another one while these rows were on their way
                self._make_rows()
            return
        self._listing.end(message.cost)
        was_reading, self._reading = self._reading, False
        self._rows_are_due = False
        self.namespaces, self._refused = message.namespaces, message.refused
        self.query_one(Banner).say(message.refused, "refused")
        if was_reading or not message.rows or message.rows is not self.rows:
            self._take(message.rows, message.counts, message.order)
        if was_reading and self._listing.stale:
            self._make_rows()
        elif message.order != self.order:
            self._sort()
        if self.report is None and self._examining.stale and not self._busy("examine"):
            if not (self.rows or sum(message.counts.values())) and self.view.kind in ("", "Finding"):
                self._scope = ""  # nothing to see here: say what there is elsewhere
            self._examine()

    @on(SomeRowsMade)
    def _some_rows_made(self, message: SomeRowsMade) -> None:
        if not self._reading or self._is_outdated(message):
            return
        self._some = message
        if message.view == self.view and message.rows:
            self._take(message.rows, message.counts, message.order)
        elif self.view.kind == "Finding" and message.view == View(namespace=self.view.namespace):
            self._draw_counts(message.counts)

    def _take(self, rows: tuple[Row, ...], numbers: dict[Health, int], order: str) -> None:
        self.rows, self._order_of_rows = rows, order
        self._draw_counts(numbers if self.view.kind in ("", "Finding") and self.view.owner is None else None)
        self._apply_filter()

    def _draw_counts(self, workloads: dict[Health, int] | None) -> None:
        """Draw how many workloads there are of each health; None: not known of this list."""
        raise NotImplementedError

    @on(Sorted)
    def _sorted(self, message: Sorted) -> None:
        if message.before is self.rows and message.order == self.order:
            self.rows, self._order_of_rows = message.rows, message.order
            self._apply_filter()

    @on(Examined)
    def _examined(self, message: Examined) -> None:
        if self._is_outdated(message):
            if self.report is None:
                self._examine()
            return
        if message.scope != self._scope:
            return
        self._examining.end(message.cost)
        self._rows_are_due |= self.report is None
        self._examined_anew(message.report)
        if not self._reading:
            self._some = None
        self.query_one(Banner).say("", "failed")
        self.query_one(Banner).say(unheeded_sentence(message.report), "unheeded")
        self._make_rows()
        self._tell()
