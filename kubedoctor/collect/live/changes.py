"""Says when to look at a cluster again: something changed, or some time has passed."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable
from types import TracebackType
from typing import TYPE_CHECKING, Final

from kubedoctor.cluster.seen.news import News
from kubedoctor.collect.live.cluster import LiveSource

if TYPE_CHECKING:
    from kubedoctor.collect.live.watching import Watcher

TOGETHER: Final = 2.0
"""Seconds between two looks at least: a rollout changes many objects at once."""


class Changes:
    """Changes of a cluster, and the time since construction. limit: seconds after which it is over; None for never."""

    def __init__(self, source: LiveSource, limit: float | None) -> None:
        self._source = source
        self._began = time.monotonic()
        self._limit = limit
        self._changed = threading.Event()
        self._watcher: Watcher | None = None
        self._looked = self._began

    def __enter__(self) -> Changes:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._watcher is not None:
            self._watcher.stop()

    @property
    def elapsed(self) -> float:
        """Seconds since the beginning."""
        return time.monotonic() - self._began

    @property
    def over(self) -> bool:
        """Whether the time is over."""
        return self._limit is not None and self.elapsed >= self._limit

    def follow(self, kinds: Iterable[str], namespace: str) -> None:
        """Watch whole kinds, of a namespace or of all where it is empty, from the first call on."""
        if self._watcher is None:
            self._watcher = self._source.anew().watch(kinds, self._note, namespace or None)

    def wait(self, most: float) -> None:
        """Until something changed, or for `most` seconds, but not beyond the limit; never less than TOGETHER since the last
        wait, so that changes come together."""
        left = most if self._limit is None else max(0.0, min(most, self._limit - self.elapsed))
        self._changed.wait(left)
        pause = TOGETHER - (time.monotonic() - self._looked)
        if pause > 0 and not self.over:
            time.sleep(min(pause, left))
        self._changed.clear()
        self._looked = time.monotonic()

    def _note(self, _: News) -> None:
        self._changed.set()
