"""Where the screens stand in what was recorded: in the present, or at an earlier moment. Every method may block."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from typing import Any

import msgspec

from kubedoctor.answers.timeline.recorded import before_what
from kubedoctor.cluster.grammar.durations import human_duration
from kubedoctor.cluster.history.naming import moment_named
from kubedoctor.cluster.history.ring import Ring
from kubedoctor.cluster.history.travelling import Stop, rewound, stops
from kubedoctor.cluster.kinds.references import Ref
from kubedoctor.cluster.seen.snapshot import Snapshot
from kubedoctor.collect.redact import kept_fields
from kubedoctor.collect.source import ReadableCluster
from kubedoctor.engine import Report
from kubedoctor.engine.over_time.marks import marks_between
from kubedoctor.problems import UsageProblem

ON_ITS_WAY = 0.05
"""Seconds after which a change that a watch has just put into the snapshot is in the history as well."""
JUST_NOW = timedelta(seconds=1)
"""So long ago is the present."""
_NOTHING_KEPT = UsageProblem(
    "No history yet: it begins when kubedoctor starts to watch.", "Keep one without a screen: kubedoctor record -o FILE"
)


class PastMoment(msgspec.Struct, frozen=True):
    """The moment that is shown, how long ago it was, and what happens next."""

    at: datetime
    ago: timedelta
    before: str = ""
    what: str = ""

    @property
    def text(self) -> str:
        """`14:49:50 UTC, 3m ago, before it broke: Deployment shop/web: image 1.4.2 → 2.0.0-rc1`."""
        what = f", {self.before}: {self.what}" if self.what else ""
        return f"{self.at:%H:%M:%S} UTC, {human_duration(self.ago)} ago{what}"


class TimeMachine:
    """`past`: the state of an earlier moment while one is shown; None in the present, which of a recording is its end."""

    def __init__(self, source: ReadableCluster, lock: AbstractContextManager[Any], now: Callable[[], datetime]) -> None:
        self.past: Snapshot | None = None
        self.moment: PastMoment | None = None
        self._source = source
        self._lock = lock
        self._now = now
        self._examined: tuple[str, Report | None] = ("", None)

    @property
    def present(self) -> datetime:
        """The present, or the end of a recording."""
        return self._now()

    @property
    def ring(self) -> Ring | None:
        """What was recorded."""
        return self._source.snapshot.history

    def step(self, by: int) -> None:
        """To the stop before (-1) or after (1) the moment that is shown; after the last one to the present. Raises
        UsageProblem where there is no earlier one."""
        ring = self._ring()
        known = stops(ring)
        shown = self.moment.at if self.moment is not None else None
        if by > 0:
            later = [stop for stop in known if shown is not None and stop.at > shown]
            self._show(later[0], ring) if later else self.leave()
            return
        earlier = [stop for stop in known if shown is None or stop.at < shown]
        if not earlier:
            since = f"{ring.since:%H:%M:%S} UTC" if ring.since is not None else "its beginning"
            raise UsageProblem(f"Nothing earlier is recorded: the history begins at {since}.")
        self._show(earlier[-1], ring)

    def to(self, at: datetime) -> None:
        """To a moment. Raises UsageProblem where nothing is known of it."""
        ring = self._ring()
        if ring.since is not None and at < ring.since:
            raise UsageProblem(f"Nothing is recorded before {ring.since:%H:%M:%S} UTC.")
        if at >= self._now() - JUST_NOW:
            self.leave()
            return
        following = next((stop for stop in stops(ring) if stop.at >= at), None)
        self._show(Stop(at, following.entries if following is not None else ()), ring)

    def examined(self, namespace: str, report: Report) -> None:
        """Keep which incidents began and ended since the last examination of the same namespace (empty: of all)."""
        (scope, before), self._examined = self._examined, (namespace, report)
        if self.ring is not None and before is not None and scope == namespace:
            self.ring.mark(marks_between(before, report))

    def leave(self) -> None:
        """Back to the present."""
        self.past = self.moment = None

    def raw(self, name: Ref) -> dict[str, Any] | None:
        """An object of the past with the fields that are kept of it."""
        obj = self.past.get(name) if self.past is not None else None
        return kept_fields(obj) if obj is not None else None

    def _ring(self) -> Ring:
        ring = self.ring
        if ring is None or ring.since is None or not len(ring):
            raise _NOTHING_KEPT
        return ring

    def _show(self, stop: Stop, ring: Ring) -> None:
        with self._lock:
            present = self._source.snapshot.copy()
        if not present.closed:
            time.sleep(ON_ITS_WAY)
        before, what = before_what(stop, ring) if stop.entries else ("", "")
        self.past = rewound(present, ring, stop.at)
        self.moment = PastMoment(stop.at, max(self._now() - stop.at, timedelta()), before, what)


def go_to(text: str, machine: TimeMachine) -> None:
    """To the moment that a person names. Raises UsageProblem where it is none, or nothing is known of it."""
    try:
        at = moment_named(text, machine.present)
    except ValueError as error:
        raise UsageProblem(f"{error}.") from None
    machine.to(at)
