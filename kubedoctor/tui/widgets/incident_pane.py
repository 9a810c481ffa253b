"""The page about the highlighted row."""

from __future__ import annotations

from kubedoctor.tui.pages.incidents import ObjectVerdict
from kubedoctor.tui.pages.page import Page
from kubedoctor.tui.rows import Row
from kubedoctor.tui.widgets.text_view import TextView


class IncidentPane(TextView):
    """A page about one row; keeps its place while the same row is drawn again."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.row: Row | None = None
        self.verdict: ObjectVerdict | None = None
        self._only: object = None

    def tell(self, row: Row, verdict: ObjectVerdict, page: Page) -> None:
        """Show what is known about a row."""
        unchanged = self.row is not None and (self.row.ref, self.row.finding) == (row.ref, row.finding)
        self.row, self.verdict, self._only = row, verdict, None
        self.show(page, stay=unchanged)

    def clear(self, text: str = "") -> None:
        """Show only a sentence."""
        page = Page()
        page.add((text, "dim"))
        self.state(page, text)

    def state(self, page: Page, content: object) -> None:
        """Show a page about no row. content: what it says; equal to the one before, nothing is drawn."""
        if self._only is not None and self._only == content:
            return
        self.row = self.verdict = None
        self.show(page)
        self._only = content
