"""Announces what reading waits for, where it depends on something slow, such as a login."""

from __future__ import annotations

from collections.abc import Callable


class Announcer:
    """Where waits are announced. `watched`: a person sees it, who may log in or give up."""

    def __init__(self) -> None:
        self.announce: Callable[[str], object] = _ignore
        self.watched = False

    def announce_to(self, announce: Callable[[str], object], *, watched: bool) -> None:
        """Announce waits there from now on."""
        self.announce, self.watched = announce, watched


def _ignore(_: str) -> None:
    """No screen is known yet."""


WAITING = Announcer()
