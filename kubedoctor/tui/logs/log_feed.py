"""Where the lines of the log screen come from: followed live, or what a recording has. Every function may block."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, runtime_checkable

import msgspec
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
    """The logs of these containers. followed: where they grow; else `lines` and `states` are all there is."""

    wants: tuple[LogWant, ...]
    followed: FollowedLogs | None = None
    lines: tuple[MergedLine, ...] = ()
    states: tuple[str, ...] = ()

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
        lines = tuple(MergedLine(line.source, line.text, line.at) for line in self.followed.lines())
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
    if session.live and isinstance(source, FollowsLogs):
        followed = source.follow_logs(wants, period, follow=follow)
        post(FeedOpened(LogFeed(followed.wants, followed)))
        return
    texts = [text for pod in pods for text in log_texts(pod, session.snapshot, previous=previous)]
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
