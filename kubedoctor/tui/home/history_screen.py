"""Goes back and on through what was visited."""

from __future__ import annotations

from kubedoctor.tui.home.tree_screen import TreeScreen
from kubedoctor.tui.home.visits import VisitedList, VisitedPage, Visits
from kubedoctor.tui.rows import Row, View
from kubedoctor.tui.session import Session


class HistoryScreen(TreeScreen):
    """Lists are shown again with their filter and cursor, pages above the list above which they were opened."""

    def __init__(self, session: Session, namespace: str) -> None:
        super().__init__(session, namespace)
        self.visits = Visits(VisitedList(View("Finding", namespace)))
        self._is_visiting = False

    def _go(self, view: View, filter_text: str = "", row: Row | None = None, *, remember: bool = True) -> None:
        """Show another list."""
        raise NotImplementedError

    def _here(self) -> VisitedList:
        return VisitedList(self.view, self.filter, self._table.current)

    def leave_list(self) -> None:
        """What comes is not this list: keep it as it is now. A page that was closed on it stays ahead."""
        self.visits.back_to(self._here())
        self.visits.leave(self._here())

    def enter_list(self, visited: VisitedList, *, remember: bool) -> None:
        """Another list is shown. remember: whether it was opened; else it was gone back to."""
        if not self._is_visiting:
            self.leave_list()
            (self.visits.note if remember else self.visits.back_to)(visited)

    def note_page(self, page: VisitedPage) -> None:
        """A page was opened, above this list or above another page."""
        stack = self.app.screen_stack
        if len(stack) > 1 and stack[-2] is self:
            self.leave_list()
        self.visits.note(page)

    def action_visit(self, by: int) -> None:
        """Back (-1) or on (1); from a list that a page was closed on, on means that page."""
        if self.app.screen is self:
            self.leave_list()
        visit = self.visits.step(by)
        if visit is None:
            self.notify("Nothing was visited after this." if by > 0 else "Nothing was visited before this.", timeout=3)
            return
        while self.app.screen is not self:
            self.app.pop_screen()
        below = self.visits.list_below()
        if below is not None and below.view != self.view:
            self._is_visiting = True
            self._go(below.view, below.filter, below.row, remember=False)
            self._is_visiting = False
        if isinstance(visit, VisitedPage):
            visit.open(self.app)
