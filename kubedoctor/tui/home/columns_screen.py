"""Shows the columns that a server computes beside those of the list itself."""

from __future__ import annotations

from functools import partial

from textual import on

from kubedoctor.tui import work
from kubedoctor.tui.columns import Columns, columns_of
from kubedoctor.tui.home.history_screen import HistoryScreen
from kubedoctor.tui.messages import ColumnsRead, RowsMade
from kubedoctor.tui.pulses.pulses_screen import PulsesScreen
from kubedoctor.tui.rows import View, is_order


class ColumnsScreen(HistoryScreen):
    """They are read after the rows, and again from time to time; of an earlier moment there are none."""

    def shown_columns(self, *, wide: bool) -> Columns:
        """The columns of the list, as far as they are known by now."""
        if self.session.is_past:
            return columns_of(self.view, wide=wide)
        served = self.session.served
        return columns_of(
            self.view, wide=wide, usage=served.usage(self.view), printed=served.printed(self.view, wide=wide)
        )

    def read_columns(self) -> None:
        """Read those that are due."""
        waits = self.session.is_past or self._reading or self._busy("columns")
        if not waits and self.session.served.is_due(self.view):
            self._work(partial(work.read_served, self.session, self.view), "columns")

    def show_pulses(self) -> None:
        """Small charts of the namespace of the list, or of all; back with the list that was chosen there."""

        pulses = PulsesScreen(
            self.session, self.view.namespace, lambda: self.report, lambda: self._numbers.get("Finding")
        )
        self.app.push_screen(pulses, self._show_chosen)

    def _show_chosen(self, view: View | None) -> None:
        if view is not None:
            self._go(view)

    @on(RowsMade)
    def _rows_differ(self, message: RowsMade) -> None:
        if message.view == self.view and not self._is_outdated(message):
            if message.rows is not self.rows:
                self.session.served.note_change(self.view)
            self.call_after_refresh(self.read_columns)

    @on(ColumnsRead)
    def _columns_read(self, message: ColumnsRead) -> None:
        if message.view != self.view or self._is_outdated(message) or self._reading:
            return
        self._apply_filter()
        if not is_order(self.order):
            self._sort()
