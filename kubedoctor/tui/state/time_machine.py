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
_NO_HISTORY = UsageProblem("This recording has no history.", "Record one: kubedoctor record -o FILE")
_NOTHING_KEPT = UsageProblem(
    "No history yet: it begins when kubedoctor starts to watch.", "Keep one without a screen: kubedoctor record -o FILE"
)


class PastMoment(msgspec.Struct, frozen=True):
    """The moment that is shown, how long before the present or the end of the recording it was, and what happens next."""

    at: datetime
    ago: timedelta
    before: str = ""
    what: str = ""
    recorded: bool = False

    @property
    def text(self) -> str:
        """`14:49:50 UTC, 3m ago, before it broke: Deployment shop/web: image 1.4.2 → 2.0.0-rc1`."""
        what = f", {self.before}: {self.what}" if self.what else ""
        distance = "to the end" if self.recorded else "ago"
        return f"{self.at:%H:%M:%S} UTC, {human_duration(self.ago)} {distance}{what}"


class Standing(msgspec.Struct, frozen=True, eq=False):
    """A place in time. `past`: the state of an earlier moment; None in the present, which of a recording is its end."""

    past: Snapshot | None = None
    moment: PastMoment | None = None


PRESENT = Standing()


class TimeMachine:
    """`standing`: where the screens are. The others that it gives may be looked at before the screens go there."""

    def __init__(self, source: ReadableCluster, lock: AbstractContextManager[Any], now: Callable[[], datetime]) -> None:
        self.standing = PRESENT
        self._source = source
        self._lock = lock
        self._now = now
        self._examined: tuple[str, Report | None] = ("", None)

    @property
    def past(self) -> Snapshot | None:
        """The state that is shown instead of the present one."""
        return self.standing.past

    @property
    def moment(self) -> PastMoment | None:
        """The earlier moment that is shown."""
        return self.standing.moment

    @property
    def present(self) -> datetime:
        """The present, or the end of a recording."""
        return self._now()

    @property
    def ring(self) -> Ring | None:
        """What was recorded."""
        return self._source.snapshot.history

    def stepped(self, by: int, start: Standing) -> Standing:
        """The stop before (-1) or after (1) a standing; after the last one the present. Raises UsageProblem where there is
        no earlier one."""
        ring = self._ring()
        known = stops(ring)
        shown = start.moment.at if start.moment is not None else None
        if by > 0:
            later = [stop for stop in known if shown is not None and stop.at > shown]
            return self._at(later[0], ring) if later else PRESENT
        earlier = [stop for stop in known if shown is None or stop.at < shown]
        if not earlier:
            since = f"{ring.since:%H:%M:%S} UTC" if ring.since is not None else "its beginning"
            raise UsageProblem(f"Nothing earlier is recorded: the history begins at {since}.")
        return self._at(earlier[-1], ring)

    def at(self, at: datetime) -> Standing:
        """A moment. Raises UsageProblem where nothing is known of it."""
        ring = self._ring()
        if ring.since is not None and at < ring.since:
            raise UsageProblem(f"Nothing is recorded before {ring.since:%H:%M:%S} UTC.")
        if at >= self._now() - JUST_NOW:
            return PRESENT
        following = next((stop for stop in stops(ring) if stop.at >= at), None)
        return self._at(Stop(at, following.entries if following is not None else ()), ring)

    def examined(self, namespace: str, report: Report) -> None:
        """Keep which incidents began and ended since the last examination of the same namespace (empty: of all)."""
        (scope, before), self._examined = self._examined, (namespace, report)
        if self.ring is not None and before is not None and scope == namespace:
            self.ring.mark(marks_between(before, report))

    def raw(self, name: Ref) -> dict[str, Any] | None:
        """An object of the past with the fields that are kept of it."""
        obj = self.past.get(name) if self.past is not None else None
        return kept_fields(obj) if obj is not None else None

    def _ring(self) -> Ring:
        ring = self.ring
        closed = self._source.snapshot.closed
        if ring is not None and ring.since is not None and not len(ring) and not closed:
            raise UsageProblem(f"Nothing has changed since kubedoctor began to watch, {ring.since:%H:%M:%S} UTC.")
        if ring is None or ring.since is None or not len(ring):
            raise _NO_HISTORY if closed else _NOTHING_KEPT
        return ring

    def _at(self, stop: Stop, ring: Ring) -> Standing:
        with self._lock:
            present = self._source.snapshot.copy()
        if not present.closed:
            time.sleep(ON_ITS_WAY)
        before, what = before_what(stop, ring) if stop.entries else ("", "")
        ago = max(self._now() - stop.at, timedelta())
        moment = PastMoment(stop.at, ago, before, what, recorded=present.closed)
        return Standing(rewound(present, ring, stop.at), moment)


Move = Callable[[TimeMachine, Standing], Standing]
"""From a standing to another. Raises UsageProblem."""


def step(by: int) -> Move:
    """To the stop before or after."""
    return lambda machine, start: machine.stepped(by, start)


def leave(_machine: TimeMachine, _start: Standing) -> Standing:
    """To the present."""
    return PRESENT


def go_to(text: str, machine: TimeMachine, _start: Standing) -> Standing:
    """To the moment that a person names. Raises UsageProblem where it is none, or nothing is known of it."""
    try:
        at = moment_named(text, machine.present)
    except ValueError as error:
        raise UsageProblem(f"{error}.") from None
    return machine.at(at)
