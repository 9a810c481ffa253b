"""The incident of the highlighted row."""

from __future__ import annotations

from kubedoctor.tui.pages.incidents import ObjectVerdict
from kubedoctor.tui.pages.page import Page
from kubedoctor.tui.rows import Row
from kubedoctor.tui.widgets.text_view import TextView
from kubedoctor.tui.widgets.titles import as_title


class IncidentPane(TextView):
    """A page about one row; keeps its place while the same row is drawn again."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.border_title = as_title("Why")
        self.row: Row | None = None
        self.verdict: ObjectVerdict | None = None
        self._only: str | None = None

    def tell(self, row: Row, verdict: ObjectVerdict, page: Page) -> None:
        """Show what is known about a row."""
        unchanged = self.row is not None and (self.row.ref, self.row.finding) == (row.ref, row.finding)
        self.row, self.verdict, self._only = row, verdict, None
        self.show(page, stay=unchanged)

    def clear(self, text: str = "") -> None:
        """Show only a sentence."""
        if self._only == text:
            return
        self.row = self.verdict = None
        page = Page()
        page.add((text, "dim"))
        self.show(page)
        self._only = text
