"""When to repeat work that ongoing changes require."""

from __future__ import annotations

import math
import time
from collections.abc import Callable

SHARE = 5
"""Work waits this many times as long as it last took, so that it uses at most a fifth of a core."""
OLD = 60.0
"""Seconds after which a result is old although nothing changed."""
QUIET_SHARE = 200
"""As SHARE, for results that are only old."""


class Pace:
    """The rhythm of one kind of work. `stale`: its result is out of date.

    interval: the least number of seconds between two beginnings. share: see SHARE. free: seconds of cost that need no
    rest beyond the interval, so that a small cluster is answered at once.
    """

    def __init__(
        self, interval: float, clock: Callable[[], float] = time.monotonic, *, share: float = SHARE, free: float = 0.0
    ) -> None:
        self.stale = False
        self._interval = interval
        self._share = share
        self._free = free
        self._clock = clock
        self._began: float | None = None
        self._cost = 0.0

    def begin(self) -> None:
        """The work starts; later changes make it stale again."""
        self.stale = False
        self._began = self._clock()

    def end(self, cost: float | None = None) -> None:
        """The work has ended. `cost`: for how many seconds it needed the processor; without it, how long it took."""
        took = self._clock() - self._began if self._began is not None else 0.0
        self._cost = took if cost is None else cost

    def add(self, cost: float) -> None:
        """What follows the work needed the processor too."""
        self._cost += cost

    @property
    def is_due(self) -> bool:
        """It is stale, and the pause was long enough."""
        return self.due_in <= 0

    @property
    def due_in(self) -> float:
        """Seconds until it is due; infinite where it is not stale."""
        if not self.stale:
            return math.inf
        if self._began is None:
            return 0.0
        return max(self._interval, self._share * (self._cost - self._free)) - self._age(self._began)

    @property
    def age(self) -> float:
        """Seconds since it began last; 0 before the first time."""
        return self._age(self._began) if self._began is not None else 0.0

    @property
    def is_old(self) -> bool:
        """Nothing changed, but the result is of long ago."""
        return self._began is not None and self._age(self._began) >= max(OLD, QUIET_SHARE * self._cost)

    def _age(self, began: float) -> float:
        return self._clock() - began
