"""The lesson of a diagnostic as a page. Pure."""

from __future__ import annotations

import re

from kubedoctor.engine import Catalogue
from kubedoctor.tui.pages.page import Page

_NUMBERED = re.compile(r"\d+\. ")


def lesson_page(code: str, catalogue: Catalogue) -> Page:
    """The lesson of a diagnostic."""
    page = Page()
    lesson = catalogue.find(code)
    if lesson is None:
        page.add(f"No lesson for {code}.")
        return page
    page.add((lesson.title, "strong"), right=f"{lesson.code} · {lesson.id}")
    for heading, body in lesson.sections().items():
        page.heading(heading)
        add_markdown(page, body)
    return page


def add_markdown(page: Page, body: str) -> None:
    """The few forms that lessons use: paragraphs, lists, indented or fenced commands, `code`."""
    flowing: list[str] = []

    def flush() -> None:
        if flowing:
            hang = 4 if flowing[0].startswith(("- ", "* ")) else (5 if _NUMBERED.match(flowing[0]) else 2)
            page.add(*_inline(" ".join(flowing)), indent=2, hang=hang)
            flowing.clear()

    fenced = False
    for line in body.splitlines():
        bare = line.strip()
        if bare.startswith("```"):
            flush()
            fenced = not fenced
        elif fenced or (line.startswith("    ") and not flowing):
            page.add((bare, "command"), indent=4, hang=6)
        elif not bare:
            flush()
            page.blank()
        elif bare.startswith(("- ", "* ")) or _NUMBERED.match(bare):
            flush()
            flowing.append(bare)
        else:
            flowing.append(bare)
    flush()


def _inline(text: str) -> list[tuple[str, str]]:
    parts = text.replace("**", "").split("`")
    return [(part, "command" if number % 2 else "") for number, part in enumerate(parts) if part]
