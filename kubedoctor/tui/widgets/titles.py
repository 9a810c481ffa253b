"""Titles of borders. Textual reads a plain string there as markup, so that a name in it could change or break the screen."""

from __future__ import annotations

from textual.content import Content

from kubedoctor.cluster.grammar.text import visible


def as_title(text: str, most_cells: int = 120) -> Content:
    """The text as it is: nothing in it is markup or a control character."""
    return Content(visible(text, most_cells))
