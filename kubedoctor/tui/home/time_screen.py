"""Goes with the whole screen, and the pages above it, to other moments."""

from __future__ import annotations

from functools import partial
from typing import Protocol, runtime_checkable

from textual import on

from kubedoctor.engine import Report
from kubedoctor.tui import work
from kubedoctor.tui.messages import Failed, Travelled
from kubedoctor.tui.screens.rows_screen import RowsScreen
from kubedoctor.tui.session import Session
from kubedoctor.tui.state.time_machine import Move, step


@runtime_checkable
class Renewable(Protocol):
    """A page that can be made again of another moment."""

    def renew(self, report: Report) -> bool:
        """Show the same of the moment that is shown now, of which this is the report; whether that is possible."""


class TimeScreen(RowsScreen):
    """Nothing on the screen changes before all of the other moment is there."""

    def __init__(self, session: Session, namespace: str) -> None:
        super().__init__(session, namespace)
        self._moves: list[Move] = []
        self._is_travelling = False
        self._present: tuple[str, Report | None] = ("", None)
        self._places_before = 0

    def _travel(self, move: Move) -> None:
        """Show another moment, with what its state shows; after those that are still on their way."""
        if self.view.kind == "Context":
            return
        if not self.session.is_past and not self._moves:
            self._places_before = len(self._places)
        self._moves.append(move)
        self._set_off()

    def _set_off(self) -> None:
        if not self._moves or self._is_travelling or self._reading:
            return
        moves, self._moves = tuple(self._moves), []
        self._is_travelling = True
        scope, report = self._present
        present = report if scope == self._scope else None
        self._work(partial(work.travel, self.session, moves, self.view, self._scope, present, self.order), "travel")

    def action_travel(self, by: int) -> None:
        """To what was before, or on towards the present."""
        if by < 0 or self.session.is_past or self._is_travelling or self._moves:
            self._travel(step(by))
        elif self.session.live:
            self.notify("This is the present. { goes back.", timeout=3)
        else:
            self.notify("This is the end of the recording. { goes back.", timeout=3)

    @on(Travelled)
    def _travelled(self, message: Travelled) -> None:
        self._is_travelling = False
        if message.refusal:
            self.notify(message.refusal, timeout=5)
        if message.there is not self.session.machine.standing:
            self._arrive(message)
        self._set_off()

    def _arrive(self, message: Travelled) -> None:
        self.session.stand(message.there)
        live = not self.session.is_past
        self.report = message.report if message.scope == self._scope else None
        self._examining.stale = self._listing.stale = live
        if message.view == self.view and self.report is not None and not self._reading:
            self._take(message.rows, message.counts, message.order)
        else:
            self._load()
        self._show_moment()
        self._tell()
        if self.report is not None:
            self._renew(self.report)

    def _renew(self, report: Report) -> None:
        """What stands above and was made of another moment is made again, or closed with all that stands on it."""
        stack = self.app.screen_stack
        above = stack[stack.index(self) + 1 :] if self in stack else []
        for place, screen in enumerate(above):
            if isinstance(screen, Renewable) and not screen.renew(report):
                for _ in above[place:]:
                    self.app.pop_screen()
                return

    def _examined_anew(self, report: Report) -> None:
        was_unknown = self.report is None
        super()._examined_anew(report)
        if not self.session.is_past:
            self._present = self._scope, report
        if was_unknown:
            self._renew(report)

    @on(Failed)
    def _travel_failed(self) -> None:
        self._is_travelling = False
        self._moves.clear()

    def on_screen_resume(self) -> None:
        """The moment is of this cluster."""
        if self.is_mounted:
            self._show_moment()

    def _show_moment(self) -> None:
        """Draw which moment is shown."""
        raise NotImplementedError
