"""Tells people what they wait for, where reading depends on something slow, such as a login."""

from __future__ import annotations

from collections.abc import Callable


class Waiting:
    """Who is told. `tell` is set by who owns the screen; `watched`: a person sees it, who may log in or give up."""

    def __init__(self) -> None:
        self.tell: Callable[[str], object] = _nobody
        self.watched = False

    def told_to(self, tell: Callable[[str], object], *, watched: bool) -> None:
        """From now on, tell it so."""
        self.tell, self.watched = tell, watched


def _nobody(_: str) -> None:
    """Nobody listens."""


WAITING = Waiting()
