"""When work that changes keep calling for is done again."""

from __future__ import annotations

import time
from collections.abc import Callable

SHARE = 5
"""Work waits so many times as long as it took the last time, so that it takes a fifth of a core at most."""


class Pace:
    """The rhythm of one kind of work. `stale`: what it made is out of date.

    interval: the least number of seconds between two beginnings.
    """

    def __init__(self, interval: float, clock: Callable[[], float] = time.monotonic) -> None:
        self.stale = False
        self._interval = interval
        self._clock = clock
        self._began: float | None = None
        self._took = 0.0

    def begin(self) -> None:
        """The work starts; what changes from here on makes it stale again."""
        self.stale = False
        self._began = self._clock()

    def end(self) -> None:
        """The work is done."""
        self._took = self._clock() - self._began if self._began is not None else 0.0

    @property
    def is_due(self) -> bool:
        """It is stale, and has rested for long enough."""
        if not self.stale or self._began is None:
            return self.stale
        return self._clock() - self._began >= max(self._interval, SHARE * self._took)
