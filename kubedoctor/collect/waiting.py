"""Announces what reading waits for, where it depends on something slow, such as a login."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

SLOW = 2.0
"""Seconds after which a wait is announced."""


class Announcer:
    """Where waits are announced. `watched`: a person sees it, who may log in or give up."""

    def __init__(self) -> None:
        self.announce: Callable[[str], object] = _ignore
        self.watched = False

    def announce_to(self, announce: Callable[[str], object], *, watched: bool) -> None:
        """Announce waits there from now on."""
        self.announce, self.watched = announce, watched

    @contextmanager
    def for_long(self, what: str) -> Iterator[None]:
        """Announce a wait that lasts longer than SLOW."""
        timer = threading.Timer(SLOW, lambda: self.announce(what))
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()


def _ignore(_: str) -> None:
    """No screen is known yet."""


WAITING = Announcer()
