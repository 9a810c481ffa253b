"""Where the lines of the log screen come from: followed live, or what a recording has. Every function may block."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC
from typing import Protocol, runtime_checkable

import msgspec
from msgspec.structs import replace
from textual.message import Message

from kubedoctor.cluster import LogWant, Pod, Ref
from kubedoctor.collect.live.followed_logs import FollowedLogs, LogPeriod
from kubedoctor.problems import Problem
from kubedoctor.tui.logs.shown_logs import MergedLine
from kubedoctor.tui.pages.logs import log_texts, wanted_logs
from kubedoctor.tui.rows import View, make_rows
from kubedoctor.tui.session import Session


@runtime_checkable
class FollowsLogs(Protocol):
    """A source whose logs can be followed."""

    def follow_logs(self, wants: tuple[LogWant, ...], period: LogPeriod, *, follow: bool) -> FollowedLogs:
        """Start to read; the caller stops it."""


class LogFeed(msgspec.Struct, frozen=True):
    """The logs of these containers. followed: where they come from a cluster; else `lines` and `states` are all there is.
    until: lines of later times are left out; empty: none is."""

    wants: tuple[LogWant, ...]
    followed: FollowedLogs | None = None
    lines: tuple[MergedLine, ...] = ()
    states: tuple[str, ...] = ()
    until: str = ""

    @property
    def left_out(self) -> int:
        """How many containers are not read."""
        return self.followed.left_out if self.followed is not None else 0

    @property
    def changes(self) -> int:
        """Counts up with each change."""
        return self.followed.changes if self.followed is not None else 0

    @property
    def dropped(self) -> int:
        """How many old lines were let go."""
        return self.followed.dropped if self.followed is not None else 0

    def now(self) -> tuple[tuple[MergedLine, ...], tuple[str, ...]]:
        """The lines so far, and the state of each container."""
        if self.followed is None:
            return self.lines, self.states
        until = self.until
        lines = tuple(
            MergedLine(line.source, line.text, line.at)
            for line in self.followed.lines()
            if not until or line.at <= until
        )
        return lines, self.followed.states()

    def stop(self) -> None:
        """No more lines are wanted."""
        if self.followed is not None:
            self.followed.stop()


class FeedOpened(Message):
    """The logs of an object are being read."""

    def __init__(self, feed: LogFeed) -> None:
        super().__init__()
        self.feed = feed


def open_feed(
    session: Session, subject: Ref, period: LogPeriod, previous: bool, follow: bool, post: Callable[[Message], object]
) -> None:
    """The logs of a pod, or of all pods of a workload, the worst first. Raises Problem where there are none."""
    pods = _pods(session, subject)
    if not pods:
        raise Problem(f"{subject.title} has no pod to read logs from.")
    wants = tuple(want for pod in pods for want in wanted_logs(pod, previous=previous))
    source = session.source
    moment = session.machine.moment
    if not source.snapshot.closed and isinstance(source, FollowsLogs):
        if moment is not None and period != LogPeriod(None, None):
            # what was the tail then is not known now: an hour of it, or the period, and all that came later
            before = 3600 if period.seconds is None else period.seconds
            period = LogPeriod(None, int(moment.ago.total_seconds()) + before)
        followed = source.follow_logs(wants, period, follow=follow and moment is None)
        until = f"{moment.at.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%f}999Z" if moment is not None else ""
        post(FeedOpened(LogFeed(followed.wants, followed, until=until)))
        return
    texts = [text for pod in pods for text in log_texts(pod, session.snapshot, previous=previous)]
    if moment is not None:
        texts = [replace(text, tail=None, why="lines have no times in a recording") for text in texts]
    lines = tuple(
        MergedLine(number, line)
        for number, text in enumerate(texts)
        for line in (text.tail.lines if text.tail is not None else ())
    )
    post(FeedOpened(LogFeed(wants, None, lines, tuple(text.why or "recorded" for text in texts))))


def _pods(session: Session, subject: Ref) -> list[Pod]:
    snapshot = session.seen()
    if subject.kind == "Pod":
        found = [snapshot.get(subject)]
    else:
        found = [snapshot.get(row.ref) for row in make_rows(snapshot, View("Pod", subject.namespace, subject))]
    return [pod for pod in found if isinstance(pod, Pod)]
