"""Diagnostics as pages, for the terminal and as Markdown."""

from __future__ import annotations

import re
import textwrap
from typing import Any

from kubedoctor.findings import Diagnostic

__all__ = ["lesson_markdown", "lesson_text"]

WIDTH = 100


def lesson_markdown(page: Diagnostic[Any]) -> str:
    """The lesson as a Markdown page."""
    body = page.lesson.partition("\n")[2].strip()
    names = f"Seen as: {_names(page)}\n\n" if _names(page) else ""
    return f"# {page.code}: {page.title}\n\n`{page.id}` · {page.severity.value}\n\n{names}{body}\n"


def _names(page: Diagnostic[Any]) -> str:
    return ", ".join((*page.also_known_as, *page.symptoms))


def lesson_text(page: Diagnostic[Any], *, width: int = WIDTH, colour: bool = False) -> str:
    """The lesson for a terminal: headings without marks, paragraphs filled to the width."""

    def bold(text: str) -> str:
        return f"\x1b[1m{text}\x1b[0m" if colour else text

    lines = [bold(f"{page.code}  {page.title}"), f"{page.id} · {page.severity.value}"]
    if _names(page):
        lines += _wrapped(f"seen as: {_names(page)}", width, "", " " * 9)
    lines.append("")
    for heading, body in page.sections().items():
        lines += [bold(heading), *_filled(body, width), ""]
    return "\n".join(lines)


def _filled(body: str, width: int) -> list[str]:
    lines: list[str] = []
    for block in _blocks(body):
        item = re.match(r"(- |\d+\. )", block)
        indent = " " * (2 + len(item.group()) if item else 2)
        text = re.sub(r"\s*\n\s*", " ", block)
        lines += _wrapped(text, width, "  ", indent)
        if not item:
            lines.append("")
    while lines and not lines[-1]:
        lines.pop()
    return lines


def _wrapped(text: str, width: int, first: str, rest: str) -> list[str]:
    """Broken at spaces only: a command or a name stays whole."""
    return textwrap.wrap(
        text, width, initial_indent=first, subsequent_indent=rest, break_on_hyphens=False, break_long_words=False
    )


def _blocks(body: str) -> list[str]:
    """Paragraphs and list items."""
    parts = re.split(r"\n\s*\n|\n(?=- |\d+\. )", body)
    return [part.strip() for part in parts if part.strip()]
