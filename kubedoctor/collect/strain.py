"""Whether the API server answers late, or refuses requests because it is busy."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from kubedoctor.cluster.grammar.text import counted

SLOW: Final = 5.0
"""Seconds for one answer: a chunk of 500 objects takes a tenth of that."""
RECENT: Final = 30.0
"""Seconds for which a late answer or a refusal counts: the server may be well by then, and no request has shown it."""
_WORDS: Final = {429: "Too Many Requests", 500: "Internal Server Error", 502: "Bad Gateway", 503: "Service Unavailable",
                 504: "Gateway Timeout"}  # fmt: skip
_MOST: Final = 1_000


class Strain:
    """What the last requests to a server tell of it; safe for threads. Watches and logs that are followed do not count."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._asked: dict[object, float] = {}
        self._refused: deque[tuple[float, int]] = deque(maxlen=_MOST)
        self._late = (0.0, 0.0)

    @contextmanager
    def asking(self) -> Iterator[None]:
        """The body is one request and its answer."""
        request, began = object(), self._clock()
        with self._lock:
            self._asked[request] = began
        try:
            yield
        finally:
            ended = self._clock()
            with self._lock:
                del self._asked[request]
                self._late = (ended, ended - began) if ended - began >= SLOW else (0.0, 0.0)

    def refused(self, status: int) -> None:
        """The server was too busy to answer."""
        with self._lock:
            self._refused.append((self._clock(), status))

    @property
    def words(self) -> str:
        """What is wrong, as a clause; empty where all is answered in time."""
        now = self._clock()
        with self._lock:
            refused = [status for at, status in self._refused if now - at <= RECENT]
            waits = max((now - began for began in self._asked.values()), default=0.0)
            ended, took = self._late
        if refused:
            last = refused[-1]
            return (
                f"the API server answered {counted(len(refused), 'request')} with {last} {_WORDS.get(last, '')}".rstrip()
                + f" in the last {RECENT:.0f}s"
            )
        if waits >= SLOW:
            return f"the API server has not answered a request for {waits:.0f}s"
        return f"the API server is slow: the last answer took {took:.0f}s" if took and now - ended <= RECENT else ""
