"""Watches a cluster into a file: what changes, when incidents begin and end, and what is lost sight of."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from typing import Final

from kubedoctor.cluster.history.ring import IncidentMark, Ring
from kubedoctor.cluster.seen.snapshot import Snapshot
from kubedoctor.collect.histories.writing import HistoryFile
from kubedoctor.collect.live.cluster import LiveSource

EVERY: Final = 0.5
"""Seconds between two writes: so much is lost if the process is killed."""
ALIVE: Final = 10.0
"""Seconds after which the file says that the watch went on, where nothing changes."""
EXAMINE_SHARE: Final = 50
"""Examinations, which find when incidents begin and end, take at most a fiftieth of a core."""
EXAMINE_EVERY: Final = 5.0
IN_MEMORY: Final = 1 << 20
"""Bytes; the file has the history, memory needs none of it."""

Examine = Callable[[Snapshot], Iterable[IncidentMark]]
"""Examines a closed snapshot; what began and ended since the call before."""


class WatchedHistory:
    """Writes from construction until `close`. The source must have listed the kinds already, and the file their state.
    took: seconds."""

    def __init__(
        self, source: LiveSource, file: HistoryFile, kinds: Iterable[str], namespace: str, examine: Examine
    ) -> None:
        self._source = source
        self._file = file
        self._examine = examine
        self._stale: set[str] = set()
        self._examined = -1
        self._began = self._said = time.monotonic()
        self._next = 0.0
        ring = source.snapshot.history = Ring(most_bytes=IN_MEMORY)
        ring.listeners.append(file.note)
        self._watcher = source.watch(kinds, lambda _: None, namespace or None)

    @property
    def took(self) -> float:
        """Seconds since the beginning."""
        return time.monotonic() - self._began

    def run(self, ended: threading.Event, limit: float | None) -> None:
        """Until it is ended, for so many seconds at most, or until the file is full."""
        while not (ended.is_set() or self._file.full):
            left = EVERY if limit is None else min(EVERY, limit - self.took)
            if left <= 0:
                return
            ended.wait(left)
            self._look()
            self._file.flush()

    def close(self) -> None:
        """Stop watching, and say until when it went on."""
        self._watcher.stop()
        self._file.say(self._watcher.now())

    def _look(self) -> None:
        now = self._watcher.now()
        stale = {status.kind: status.why for status in self._watcher.status() if status.state == "stale"}
        for kind in sorted(stale.keys() - self._stale):
            self._file.say(now, lost=kind, why=stale[kind])
        for kind in sorted(self._stale - stale.keys()):
            self._file.say(now, back=kind)
        self._stale = set(stale)
        if time.monotonic() >= self._next and self._examined != self._file.changes:
            began, self._examined = time.thread_time(), self._file.changes
            with self._source.lock:
                snapshot = self._source.snapshot.in_the_past(now)
            for mark in self._examine(snapshot):
                self._file.mark(mark)
            self._next = time.monotonic() + max(EXAMINE_EVERY, EXAMINE_SHARE * (time.thread_time() - began))
        if time.monotonic() - self._said >= ALIVE:
            self._said = time.monotonic()
            self._file.say(now)
