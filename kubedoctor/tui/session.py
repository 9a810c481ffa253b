"""The data of a cluster or of a recording for the screens. Every method may block: call it from a worker."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from msgspec.structs import replace

from kubedoctor.answers.question import Choices, Question
from kubedoctor.cluster import Cluster, Event, LogWant, Ref, Service, Snapshot, Want, ref
from kubedoctor.cluster.history.ring import Ring
from kubedoctor.cluster.kinds.resources import kind_named
from kubedoctor.cluster.relations.autoscalers import autoscalers_of
from kubedoctor.cluster.relations.family import Family
from kubedoctor.cluster.relations.workloads import controller_of
from kubedoctor.cluster.seen.news import News
from kubedoctor.collect.closed import refuse_missing
from kubedoctor.collect.loading import give_back, keep_large_apart, set_apart
from kubedoctor.collect.settings import NO_SETTINGS, Settings, today
from kubedoctor.collect.source import ReadableCluster
from kubedoctor.engine import Catalogue, Report, focus, scan
from kubedoctor.engine.asking import Answered, ask
from kubedoctor.engine.examination import Gather
from kubedoctor.engine.health import Health
from kubedoctor.engine.questions import load_questions
from kubedoctor.engine.suppressions import heed_suppressions
from kubedoctor.problems import UsageProblem
from kubedoctor.tui.extensions import KnownExtensions
from kubedoctor.tui.incidents.incident_rows import IncidentRow, tree_rows, view_rows
from kubedoctor.tui.kept_rows import FIRST_KINDS, KeptRows, KeptViews, covers, kinds_needed
from kubedoctor.tui.pages.incidents import ObjectVerdict, verdict_of_incident, verdict_on
from kubedoctor.tui.pages.refusals import not_listed, scope_of
from kubedoctor.tui.rows import Row, View, context_rows, counts, is_order, namespaces_in_order
from kubedoctor.tui.served.served_columns import ServedColumns
from kubedoctor.tui.state.proofs import Proofs
from kubedoctor.tui.state.sources import Freshness, Opener, Watch, Watchable, freshness_of
from kubedoctor.tui.state.time_machine import Standing, TimeMachine

LISTED_ONLY = frozenset({"Lease"})
"""Kinds that an examination lists again and that are not watched: each node renews its lease every ten seconds, and no
list shows that."""
LOGS_LAST = timedelta(seconds=30)
"""How long a log is used before it is read again."""
MANY_ROWS = 5_000
"""More rows than this slow down the search for garbage."""
FORGET_EVERY = 5.0
"""Seconds after which what changes have made useless is given up: indexes, and the gaps that objects leave."""


class Session:
    """One source, the objects read from it, and their diagnoses. `notice`: remarks about the source."""

    def __init__(
        self,
        source: ReadableCluster,
        catalogue: Catalogue,
        opener: Opener | None = None,
        notice: str = "",
        settings: Settings = NO_SETTINGS,
    ) -> None:
        keep_large_apart()
        self.source = source
        self.notice = notice
        self.catalogue = catalogue
        self._opener = opener
        self._settings = settings
        self._lock: Any = getattr(source, "lock", None) or threading.RLock()
        self._watch: Watch | None = None
        self._watched: frozenset[tuple[str, str]] = frozenset()
        self._changed_at: datetime | None = None
        self._clock = (source.snapshot.taken_at, time.monotonic())
        self._logs_at: datetime | None = None
        self._failed = ""
        self.proofs = Proofs()
        self.machine = TimeMachine(source, self._lock, self._present)
        self._keeping = threading.Lock()
        self._views = KeptViews()
        self._apart: set[View] = set()
        self._namespaces: frozenset[str] = frozenset()
        self._in_order: tuple[frozenset[str], str, tuple[str, ...]] = (frozenset(), "", ())
        self._scope: str | None = None
        self._has_read = False
        self._has_scanned = False
        self._scanning = False
        self._forgot_at = time.monotonic()
        self.extensions = KnownExtensions(source)
        self.served = ServedColumns(source)

    @property
    def snapshot(self) -> Snapshot:
        """What was seen so far, or up to the earlier moment that is shown."""
        return self.machine.past or self.source.snapshot

    @property
    def live(self) -> bool:
        """Whether what is shown can change."""
        return not self.snapshot.closed

    @property
    def flags(self) -> tuple[str, ...]:
        """Those that a command for another terminal needs now: the current context may have changed since the start."""
        return self._opener.flags(self.snapshot.source) if self._opener else self.snapshot.source.flags

    @property
    def is_past(self) -> bool:
        """Whether an earlier moment is shown."""
        return self.machine.past is not None

    def stand(self, there: Standing) -> None:
        """Show another moment from now on."""
        self.machine.standing = there
        self._views.clear()

    def seen(self, there: Standing | None = None) -> Snapshot:
        """The snapshot as it is now, or at another standing, which does not change while it is used. Waits for a recording
        that is being read, except in the thread that reads it."""
        past = (there or self.machine.standing).past
        if past is not None:
            return past
        with self._lock:
            if self.source.snapshot.closed:
                return self.source.snapshot
            snapshot = self.source.snapshot.copy()
        snapshot.taken_at = self._present()
        return snapshot

    def _seen_to_report(self, there: Standing | None = None) -> Snapshot:
        """As `seen`, for what names commands."""
        snapshot = self.seen(there)
        snapshot.source = replace(snapshot.source, flags=self.flags)
        return snapshot

    def now(self) -> datetime:
        """The end of all ages: for a recording its own time, else the present by the API server's clock."""
        return self.snapshot.taken_at if self.is_past else self._present()

    def _present(self) -> datetime:
        snapshot = self.source.snapshot
        if snapshot.closed:
            return snapshot.taken_at
        taken_at, read_at = self._clock
        if snapshot.taken_at != taken_at:
            taken_at, read_at = self._clock = (snapshot.taken_at, time.monotonic())
        return taken_at + timedelta(seconds=time.monotonic() - read_at)

    def freshness(self) -> Freshness:
        """How current the shown state is."""
        if (moment := self.machine.moment) is not None:
            return Freshness(moment.at, live=False, past=moment.text)
        if not self.live:
            return Freshness(self.snapshot.taken_at, live=False)
        return freshness_of(self.source, self._watch, self._changed_at)

    # Reading

    def is_current(self, kind: str, namespace: str) -> bool:
        """Whether a kind need not be read, because a watch keeps it current."""
        scope = scope_of(kind, namespace)
        return self.is_past or (kind, "") in self._watched or (kind, scope) in self._watched

    def load(self, view: View, on_part: Callable[[], None] | None = None) -> None:
        """Read the objects of a view, unless they are current. Raises Problem where nothing can be read.

        on_part: called repeatedly, in this thread, while they are being read.
        """
        self._list(kinds_needed(view), view.namespace, on_part)

    def reads_with(self, view: View, other: View) -> bool:
        """Whether a view has all its objects as soon as another one has been loaded: of a recording everything is read at
        once."""
        if not self.live and not self._has_read:
            return "Context" not in (view.kind, other.kind)
        return covers(other, view)

    def load_for_diagnosis(self, namespace: str) -> None:
        """Read everything that the diagnostics need, except what the first list has read in that namespace."""
        read = {kind for kind in FIRST_KINDS if self.snapshot.covers(Want(kind, scope_of(kind, namespace)))}
        if self.is_past:
            return
        listed = self._list(tuple(sorted({*self._diagnosis_kinds(), *FIRST_KINDS} - read)), namespace)
        watched = [kind for kind, _ in self._watched if "." in kind]
        self.extensions.read(self.seen, namespace, watched, force=listed)

    def _diagnosis_kinds(self) -> frozenset[str]:
        return self.catalogue.reads() | {*self.catalogue.subjects, "Event"}

    def _list(self, kinds: tuple[str, ...], namespace: str, on_part: Callable[[], None] | None = None) -> bool:
        """Read the kinds that are not current; whether there were any that a watch could keep current."""
        missing = [kind for kind in kinds if not self.is_current(kind, namespace)]
        fresh = not LISTED_ONLY.issuperset(missing)
        try:
            if missing:
                self.source.list_all(missing, namespace or None, on_part)
        finally:
            self._has_read = True
            if fresh and self.live:
                self._views.clear()
        if fresh:
            self._changed_at = self.now()
        return fresh

    def rows(self, view: View, report: Report | None, order: str, *, whole: bool = True) -> tuple[Row, ...]:
        """The rows of a view, in an order of `rows.arrange`. `whole`: false while its objects are being read."""
        if view.kind == "Context":
            return self._contexts()
        return self.served.arrange(view_rows(self.seen(), view, report, whole=whole), view, order)

    def keep_rows(
        self, view: View, report: Report | None, order: str, news: News | None
    ) -> tuple[tuple[Row, ...], dict[Health, int]]:
        """As `rows`, with how many there are of each health; of a view that was shown before only the rows are made again
        of what changed since. `news`: what the caller knows of that."""
        if view.kind == "Context":
            return (rows := self._contexts()), counts(rows)
        with self._keeping:
            wanted, order = order, order if is_order(order) else "health"
            taken = self._views.take(view, report, order, news)
            if taken is None:
                snapshot = self.seen()
                kept = KeptRows(snapshot, view, report, order, self._views.marks(report, snapshot))
                if len(kept.rows) > MANY_ROWS and view not in self._apart:
                    self._apart.add(view)  # again with each report, it would keep what is on the screen by then
                    set_apart()
            else:
                kept, changed = taken
                if changed:
                    kept.prepare()  # before what watches has to wait
                with self._lock:
                    kept.update(self.snapshot, changed)
            self._views.put(kept)
            rows = kept.rows if wanted == order else self.served.arrange(kept.rows, view, wanted)
            return rows, dict(kept.counts)

    def count(self) -> int:
        """How many objects were read so far."""
        with self._lock:
            return self.snapshot.count()

    def scan(self, namespace: str, there: Standing | None = None) -> Report:
        """Run every diagnostic over the namespace, or over all, as they are at a standing."""
        there = there or self.machine.standing
        self._refresh_logs()
        with self._lock:
            self.source.snapshot.forget_outdated()  # so that the new indexes need no more room than the old ones
        self._scanning = True
        try:
            snapshot = self._seen_to_report(there)
            report = self._heeded(scan(self.catalogue, snapshot, self.gather_into(snapshot), namespace), snapshot)
        finally:
            self._scanning = False
        give_back()
        if not snapshot.closed:
            self.proofs.examined(report, snapshot)
            self.machine.examined(namespace, report)
        if not self._has_scanned:
            self._has_scanned = True
            set_apart()
        return report

    def focus(self, subject: Ref) -> Report:
        """Examine one object, and read what that needs."""
        self._refresh_logs()
        snapshot = self._seen_to_report()
        return self._heeded(focus(self.catalogue, subject, snapshot, self.gather_into(snapshot)), snapshot)

    def _heeded(self, report: Report, snapshot: Snapshot) -> Report:
        given = self.gather_into(snapshot), self.catalogue, self._settings, today
        return heed_suppressions(report, snapshot, *given, lambda: self.extensions.kinds)

    def questions_about(self, subject: Ref) -> tuple[Question, ...]:
        """The questions that can be asked about an object."""
        return tuple(question for question in load_questions().questions if question.fits(subject))

    def ask(self, question: Question, subject: Ref, choices: Choices) -> Answered:
        """The answer about an object, reading what that needs."""
        snapshot = self._seen_to_report()
        return ask(question, subject, choices, snapshot, self.gather_into(snapshot))

    def verdict(self, subject: Ref, report: Report, finding: str = "") -> ObjectVerdict:
        """What a report says of one object, or of the incident whose cause is this finding."""
        family = Family(self.seen())
        if any(incident.cause == finding for incident in report.incidents):
            return verdict_of_incident(finding, report, family)
        return verdict_on(subject, report, family)

    def tree(self, finding: str, report: Report) -> tuple[IncidentRow, ...]:
        """What follows from the cause of an incident, as rows."""
        return tree_rows(finding, report, self.seen())

    def gather_into(self, snapshot: Snapshot) -> Gather:
        """Reads what a snapshot of `seen` lacks, and puts it there too."""
        is_past = snapshot.closed and snapshot is not self.source.snapshot

        def gather(wants: frozenset[Want | LogWant]) -> None:
            if is_past:
                refuse_missing(snapshot, wants, "logs of the past are not kept")
                return
            self.source.gather(wants)
            if snapshot is not self.source.snapshot:
                snapshot.adopt(self.source.snapshot)

        return gather

    def _refresh_logs(self) -> None:
        now = self.now()
        if self.live and (self._logs_at is None or now - self._logs_at > LOGS_LAST):
            self._logs_at = now
            self.snapshot.forget_logs()

    def namespaces(self, current: str, news: News | None = None) -> tuple[str, ...]:
        """In the order of the keys 1 to 9. `news`: what changed since the last call; a recording is waited for if any did."""
        if news is None or "Namespace" in news.all_kinds or not self._namespaces.issuperset(news.namespaces):
            self._namespaces = frozenset(self.seen().namespaces())
        if self._in_order[:2] != (self._namespaces, current):
            self._in_order = (self._namespaces, current, namespaces_in_order(self._namespaces, current))
        return self._in_order[2]

    def raw(self, ref: Ref) -> dict[str, Any] | None:
        """The whole object without secret values; None if it cannot be read."""
        return self.machine.raw(ref) if self.is_past else self.source.raw(ref)

    def scaler_of(self, workload: Ref) -> Ref | None:
        """The autoscaler that sets the number of pods of a workload, or what controls that autoscaler; None where none was
        seen. Does not wait for a recording that is being read."""
        with self._lock if self.live else contextlib.nullcontext():
            found = autoscalers_of(workload, Cluster(self.snapshot, lenient=True))
        return (controller_of(found[0]) or ref(found[0])) if found else None

    def involved(self, event: Ref) -> Ref | None:
        """The object that an Event is about."""
        obj = self.snapshot.get(event)
        about = obj.involved_object if isinstance(obj, Event) else None
        row = kind_named(about.kind) if about else None
        return Ref(about.kind, about.namespace if row is None or row.namespaced else "", about.name) if about else None

    def has_selector(self, name: Ref) -> bool:
        """Whether it is a Service that selects pods."""
        service = self.snapshot.get(name)
        return isinstance(service, Service) and bool(service.spec.selector)

    def refused(self, view: View) -> str:
        """What of a view cannot be listed or read and why, in sentences; empty if all can."""
        return not_listed(view, self.snapshot)

    def watch(self, namespace: str, on_change: Callable[[News], object]) -> None:
        """Keep the snapshot current from now on; `on_change` is called from another thread with what changed."""
        if self._scope == namespace or self.is_past or not isinstance(self.source, Watchable):
            return
        if self.source.snapshot.history is None:
            self.source.snapshot.history = Ring()
        self._stop_watching()
        kinds = {*FIRST_KINDS, *self._diagnosis_kinds(), *self.extensions.to_watch(self.seen())} - LISTED_ONLY

        def changed(news: News) -> None:
            self._changed_at = self._present()
            self._forget_outdated()
            self._views.note(news)
            on_change(news)

        self._watch = self.source.watch(sorted(kinds), changed, namespace or None)
        self._watched = frozenset((kind, scope_of(kind, namespace)) for kind in kinds)
        self._scope = namespace

    def _forget_outdated(self) -> None:
        """Now and then, but not while diagnostics use the state of their beginning."""
        if not self._scanning and time.monotonic() - self._forgot_at > FORGET_EVERY:
            self._forgot_at = time.monotonic()
            with self._lock:
                self.source.snapshot.forget_outdated()
            give_back()

    def _stop_watching(self) -> None:
        watch, self._watch, self._watched, self._scope = self._watch, None, frozenset(), None
        if watch is not None:
            watch.stop()

    # Contexts

    def _contexts(self) -> tuple[Row, ...]:
        return context_rows(self._opener.contexts() if self._opener else (self.source.context,), self.source.context)

    def switch(self, context: str) -> Session:
        """A session on another context; this one stays open. Raises Problem."""
        if self._opener is None:
            raise UsageProblem("A recording has no other contexts.", "Start kubedoctor without --from to see them.")
        return Session(self._opener.open(context), self.catalogue, self._opener, settings=self._settings)

    def close(self) -> None:
        """Close the source."""
        self._stop_watching()
        self.source.close()
