"""The lists and pages that were visited, as a browser keeps them. Pure."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
from textual.app import App

from kubedoctor.tui.rows import Row, View

MOST = 100


class VisitedList(msgspec.Struct, frozen=True):
    """A list with its filter and the row under the cursor."""

    view: View
    filter: str = ""
    row: Row | None = None


class VisitedPage(msgspec.Struct, frozen=True):
    """A page above a list. `open` shows it again."""

    title: str
    open: Callable[[App[Any]], object]


Visit = VisitedList | VisitedPage


class Visits:
    """The history, and the place in it."""

    def __init__(self, first: Visit) -> None:
        self._all: list[Visit] = [first]
        self._place = 0

    @property
    def current(self) -> Visit:
        """Where the screens are."""
        return self._all[self._place]

    def note(self, visit: Visit) -> None:
        """Something was opened; what was ahead is forgotten."""
        if _same(self.current, visit):
            self._all[self._place] = visit
            return
        del self._all[self._place + 1 :]
        self._all.append(visit)
        del self._all[:-MOST]
        self._place = len(self._all) - 1

    def leave(self, visit: VisitedList) -> None:
        """The list is left as it is now."""
        if isinstance(self.current, VisitedList):
            self._all[self._place] = visit

    def back_to(self, visit: VisitedList) -> None:
        """A page was closed, or `esc` went back: to the newest of that list, and what is ahead stays; else as `note`."""
        place = next((at for at in range(self._place, -1, -1) if _same(self._all[at], visit)), None)
        if place is None:
            self.note(visit)
        else:
            self._place = place

    def step(self, by: int) -> Visit | None:
        """Go on or back; None at the end."""
        place = self._place + by
        if not 0 <= place < len(self._all):
            return None
        self._place = place
        return self.current

    def list_below(self) -> VisitedList | None:
        """The list above which the current page was opened."""
        before = reversed(self._all[: self._place + 1])
        return next((visit for visit in before if isinstance(visit, VisitedList)), None)


def _same(one: Visit, other: Visit) -> bool:
    if isinstance(one, VisitedList) and isinstance(other, VisitedList):
        return one.view == other.view
    return isinstance(one, VisitedPage) and isinstance(other, VisitedPage) and one.title == other.title
