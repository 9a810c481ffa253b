"""Logs of several containers, followed and merged by the times that the kubelet gives their lines. Bounded in memory; a
container that is silent, waits, ends or is deleted delays no other."""

from __future__ import annotations

import threading
import time
from bisect import insort
from collections.abc import Sequence
from datetime import datetime
from typing import Final

import msgspec

from kubedoctor.cluster.grammar.redaction import redact_lines
from kubedoctor.cluster.seen.wants import LogWant
from kubedoctor.collect.connecting.paths import segment
from kubedoctor.collect.connecting.transport import LineStream, Transport
from kubedoctor.collect.live.answers import ApiRefusal
from kubedoctor.problems import SourceProblem

MOST_LINES: Final = 5_000
MOST_BYTES: Final = 8 << 20
LONGEST_LINE: Final = 16 << 10
MOST_CONTAINERS: Final = 24
"""Each is a connection."""
FIRST_TAIL: Final = 500
IDLE: Final = 120.0
"""Seconds of silence after which the connection is made again: it may be dead."""
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 10.0
_STAMP: Final = 35
"""Characters of the longest time before a line."""


class FollowedLine(msgspec.Struct, frozen=True, order=True, gc=False):
    """`at` is the kubelet's time as it writes it, with nine digits, so that it can be compared as text; `source` is the place
    of its container in `FollowedLogs.wants`."""

    at: str
    number: int
    source: int
    text: str


class LogPeriod(msgspec.Struct, frozen=True):
    """The last so many lines, or those of the last so many seconds; with neither everything that is kept, or its `first`
    bytes."""

    tail: int | None = FIRST_TAIL
    seconds: int | None = None
    first: int | None = None


class FollowedLogs:
    """Reads from construction until `stop`, each container in a thread of its own. `changes` counts up with each change.

    follow: whether to wait for more lines. `dropped`: how many old lines were let go.
    """

    def __init__(
        self, transport: Transport, wants: Sequence[LogWant], period: LogPeriod, *, follow: bool = True
    ) -> None:
        self.wants = tuple(wants[:MOST_CONTAINERS])
        self.left_out = len(wants) - len(self.wants)
        self.changes = 0
        self.dropped = 0
        self._transport = transport
        self._period = period
        self._follow = follow
        self._lines: list[FollowedLine] = []
        self._bytes = 0
        self._number = 0
        self._states = ["reading"] * len(self.wants)
        self._streams: list[LineStream | None] = [None] * len(self.wants)
        self._stopping = threading.Event()
        self._lock = threading.Lock()
        for source in range(len(self.wants)):
            threading.Thread(target=self._run, args=(source,), daemon=True, name="kubedoctor-log").start()

    def lines(self) -> tuple[FollowedLine, ...]:
        """The lines so far, by time."""
        with self._lock:
            return tuple(self._lines)

    def states(self) -> tuple[str, ...]:
        """Of each container: `reading`, `following`, or why no more lines come."""
        with self._lock:
            return tuple(self._states)

    def stop(self) -> None:
        """End all threads; does not wait for them."""
        self._stopping.set()
        for stream in self._streams:
            if stream is not None:
                stream.close()

    def _run(self, source: int) -> None:
        last, pause = "", FIRST_PAUSE
        while not self._stopping.is_set():
            began = time.monotonic()
            try:
                last = self._read(source, last)
                state = "ended" if self._follow and self._period.first is None else "read"
            except ApiRefusal as refusal:
                state = refusal.message or refusal.clause
                if refusal.status == 404:
                    self._say(source, "the pod was deleted" if last else state)
                    return
            except SourceProblem as problem:
                state = problem.what
            except Exception as error:  # noqa: BLE001  # the log would seem silent
                state = f"it cannot be read ({type(error).__name__})"
            self._say(source, state)
            if not self._follow or self.wants[source].previous or self._period.first is not None:
                return
            pause = FIRST_PAUSE if time.monotonic() - began > LONGEST_PAUSE else min(pause * 2, LONGEST_PAUSE)
            self._stopping.wait(pause)

    def _read(self, source: int, last: str) -> str:
        """Read until the answer ends; returns the time of the newest line. last: that of the one before."""
        want = self.wants[source]
        query: dict[str, str | int] = {"container": want.container, "timestamps": "true"}
        if self._follow and not want.previous and self._period.first is None:
            query["follow"] = "true"
        if want.previous:
            query["previous"] = "true"
        if last:
            query["sinceTime"] = last  # what was read before comes again
        elif self._period.seconds is not None:
            query["sinceSeconds"] = self._period.seconds
        elif self._period.tail is not None:
            query["tailLines"] = self._period.tail
        elif self._period.first is not None:
            query["limitBytes"] = self._period.first
        path = f"/api/v1/namespaces/{segment(want.namespace)}/pods/{segment(want.pod)}/log"
        known, newest = self._known(source, last), last
        stream = self._streams[source] = self._transport.stream(path, query, idle=IDLE, accept="*/*")
        if self._stopping.is_set():
            stream.close()
        self._say(source, "following" if "follow" in query else "reading")
        for lines in stream:
            newest = self._add(source, lines, last, known) or newest
        return newest

    def _known(self, source: int, at: str) -> set[str]:
        """The lines of one moment, which are sent again."""
        with self._lock:
            return {line.text for line in self._lines if line.source == source and line.at == at} if at else set()

    def _add(self, source: int, raw: list[bytes], last: str, known: set[str]) -> str:
        """Keep lines, without secrets; returns the time of the newest."""
        stamps: list[str] = []
        texts: list[str] = []
        for each in raw[-MOST_LINES:]:
            at, _, text = each[: LONGEST_LINE + _STAMP].decode("utf-8", "replace").rstrip("\r").partition(" ")
            if not _is_stamp(at):
                at, text = stamps[-1] if stamps else last, f"{at} {text}".strip()
            stamps.append(at)
            texts.append(text)
        clean = redact_lines(texts) if texts else ()
        with self._lock:
            for at, text in zip(stamps, clean, strict=True):
                if at < last or (at == last and text in known):
                    continue
                self._number += 1
                line = FollowedLine(at, self._number, source, text)
                if self._lines and line < self._lines[-1]:
                    insort(self._lines, line)
                else:
                    self._lines.append(line)
                self._bytes += len(text) + 100
            self.dropped += max(0, len(raw) - MOST_LINES)
            self._forget()
            self.changes += 1
        return max(stamps, default="")

    def _forget(self) -> None:
        many = max(0, len(self._lines) - MOST_LINES)
        while self._bytes - sum(len(line.text) + 100 for line in self._lines[:many]) > MOST_BYTES:
            many += max(1, len(self._lines) // 10)
        if many:
            self._bytes -= sum(len(line.text) + 100 for line in self._lines[:many])
            self.dropped += len(self._lines[:many])
            del self._lines[:many]

    def _say(self, source: int, state: str) -> None:
        with self._lock:
            if self._states[source] != state:
                self._states[source] = state
                self.changes += 1


def _is_stamp(text: str) -> bool:
    try:
        return len(text) > 19 and datetime.fromisoformat(f"{text[:19]}+00:00") is not None
    except ValueError:
        return False
