"""Deadlines of whole requests, and patience with a server in trouble.

A socket's timeout counts from byte to byte: a server that sends one byte a second is never late for it.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

PATIENCE = 30.0
"""Seconds without a good answer after which no request is repeated any more."""
MOST_SILENT = 3
"""Requests in a row without any answer, after which the server is probed before the next one."""
PROBE_AGAIN = 10.0  # seconds


class Deadline:
    """One request: the connection that it uses, its response once it began, and whether its time ran out."""

    def __init__(self, at: float) -> None:
        self.at = at
        self.connection: Any = None
        self.response: Any = None
        self.expired = False

    def end(self) -> None:
        """Wake the thread that waits for the server."""
        self.expired = True
        # Not connected yet, or closed already. A response without length takes the socket from its connection.
        with contextlib.suppress(OSError, AttributeError, ValueError, RuntimeError):
            if self.response is not None:
                self.response.shutdown()
        with contextlib.suppress(OSError, AttributeError, ValueError):
            self.connection.shutdown()


class Deadlines:
    """Ends requests whose time is over; safe for threads."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._running: set[Deadline] = set()
        self._thread: threading.Thread | None = None
        self._here = threading.local()

    @contextmanager
    def within(self, seconds: float | None) -> Iterator[Deadline]:
        """The body sends a request in this thread, which is ended after so many seconds; None for no limit."""
        deadline = Deadline(time.monotonic() + (seconds or 0.0))
        if seconds is None:
            yield deadline
            return
        self._here.deadline = deadline
        with self._changed:
            self._running.add(deadline)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, daemon=True, name="kubedoctor-deadlines")
                self._thread.start()
            self._changed.notify()
        try:
            yield deadline
        finally:
            self._here.deadline = None
            with self._changed:
                self._running.discard(deadline)

    def uses(self, connection: Any) -> None:
        """The request of this thread goes through this connection."""
        deadline: Deadline | None = getattr(self._here, "deadline", None)
        if deadline is not None:
            deadline.connection = connection
            if deadline.expired:  # while it was connecting
                deadline.end()

    def _run(self) -> None:
        with self._changed:
            while self._running:
                now = time.monotonic()
                for late in [deadline for deadline in self._running if deadline.at <= now]:
                    self._running.discard(late)
                    late.end()
                first = min((deadline.at for deadline in self._running), default=now + 1.0)
                self._changed.wait(max(first - now, 0.001))
            self._thread = None


class Patience:
    """What all requests to a server know of its trouble. `probe` raises where the server gives no answer."""

    def __init__(self, probe: Callable[[], object]) -> None:
        self._probe = probe
        self._lock = threading.Lock()
        self._since: float | None = None
        self._silent = 0
        self._probed = 0.0
        self._problem: Exception | None = None

    @property
    def over(self) -> bool:
        """Whether the server has been in trouble for so long that repeating a request only delays the report."""
        since = self._since
        return since is not None and time.monotonic() - since > PATIENCE

    def answered(self) -> None:
        """A good answer came, or a refusal that is not the server's trouble."""
        self._since, self._silent = None, 0

    def failed(self, silence: Exception | None = None) -> None:
        """A request failed; `silence` is the problem where no answer came at all."""
        self._since = time.monotonic() if self._since is None else self._since
        if silence is not None:
            self._problem = silence
            self._silent += 1

    def check(self) -> None:
        """Raises the last problem where a server that was silent before is still silent."""
        if self._silent < MOST_SILENT:
            return
        with self._lock:
            problem = self._problem
            if self._silent < MOST_SILENT or problem is None:
                return
            if time.monotonic() - self._probed > PROBE_AGAIN:
                try:
                    self._probe()
                except Exception as error:  # noqa: BLE001  # whatever it is, the server is not well
                    self._problem = problem = error
                    self._probed = time.monotonic()
                else:
                    self.answered()
                    return
            raise problem
