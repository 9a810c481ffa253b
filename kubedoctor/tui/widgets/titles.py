"""Titles of borders. Textual reads a plain string there as markup, so that a name in it could change or break the screen."""

from __future__ import annotations

from datetime import datetime, timedelta

from textual.content import Content

from kubedoctor.cluster.grammar.durations import human_duration
from kubedoctor.cluster.grammar.text import visible
from kubedoctor.engine import Report

EXAMINED_STEP = timedelta(seconds=10)
"""A title that changes draws its whole pane."""


def as_title(text: str, most_cells: int = 120) -> Content:
    """The text as it is: nothing in it is markup or a control character."""
    return Content(visible(text, most_cells))


def examined_title(report: Report | None, now: datetime | None) -> str:
    """The title of the page about a row, with the age of the report where there is a present moment."""
    if report is None or now is None:
        return "Why"
    age = max(now - report.taken_at, timedelta()) // EXAMINED_STEP * EXAMINED_STEP
    return f"Why · examined {human_duration(age)} ago" if age else "Why · examined just now"
