"""Unfolds an incident into the tree of what follows from its cause."""

from __future__ import annotations

from functools import partial

from textual import on

from kubedoctor.engine import Report
from kubedoctor.tui import work
from kubedoctor.tui.incidents.incident_rows import IncidentRow
from kubedoctor.tui.messages import Unfolded
from kubedoctor.tui.rows import Row
from kubedoctor.tui.screens.drawn_list import DrawnList
from kubedoctor.tui.session import Session


class TreeScreen(DrawnList):
    """One incident is unfolded at a time; its tree follows what is shown."""

    def __init__(self, session: Session, namespace: str) -> None:
        super().__init__(session, namespace)
        self._opens_tree = False

    def action_why(self) -> None:
        """Show the whole incident."""
        raise NotImplementedError

    @on(Unfolded)
    def _tree_made(self, message: Unfolded) -> None:
        if message.finding == self._unfolded[0] and not self._is_outdated(message):
            opens, self._opens_tree = self._opens_tree, False
            if not message.rows and opens:
                self._unfolded = ("", ())
                self.action_why()
                return
            self._unfolded = (message.finding, message.rows)
            self._apply_filter()

    def _open_incident(self, row: Row) -> None:
        """Unfold it into what follows from it, or fold it again; an object of the tree is opened."""
        if (isinstance(row, IncidentRow) and row.lead) or not row.finding:
            self.action_why()
        elif row.finding == self._unfolded[0]:
            self._unfolded = ("", ())
            self._apply_filter()
        elif self.report is not None:
            self._unfolded, self._opens_tree = (row.finding, ()), True
            self._work(partial(work.unfold, self.session, row.finding, self.report), "unfold")

    def _renew(self, report: Report) -> None:
        super()._renew(report)
        self._unfold_again(report)

    def _examined_anew(self, report: Report) -> None:
        super()._examined_anew(report)
        self._unfold_again(report)

    def _unfold_again(self, report: Report) -> None:
        if self._unfolded[0]:
            self._work(partial(work.unfold, self.session, self._unfolded[0], report), "unfold")
