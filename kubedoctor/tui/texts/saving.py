"""What is on the screen as a file in the working directory. A file that exists is never touched."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from itertools import count
from pathlib import Path

from kubedoctor.cluster.grammar.redaction import redact_lines
from kubedoctor.cluster.grammar.text import visible
from kubedoctor.tui.columns import ListColumn
from kubedoctor.tui.messages import ReportWritten
from kubedoctor.tui.rows import Row
from kubedoctor.tui.work import Post

MOST_OF_NAME = 100
_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9]+")
_LIKE_FORMULAS = ("=", "+", "-", "@")
"""A spreadsheet would compute such a cell."""


def save(title: str, ending: str, lines: Callable[[], Iterable[str]], post: Post) -> None:
    """Write lines, without secrets and control characters, into a new file named after the title; say where, or why not."""
    text = "".join(f"{line}\n" for line in redact_lines(visible(line) for line in lines()))
    if not text.strip():
        post(ReportWritten("Not written: the page is empty."))
        return
    try:
        written = f"Written: {_written(title, ending, text, Path.cwd())}"
    except OSError as error:
        written = f"Not written: {error.strerror or error}"
    post(ReportWritten(written))


def table_lines(rows: Sequence[Row], columns: Sequence[ListColumn], now: datetime) -> Iterable[str]:
    """A list as comma-separated values: the health, then its columns."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(("HEALTH", *(column.title or "STATUS" for column in columns)))
    writer.writerows((row.health.value, *(_plain(column.text(row, now)) for column in columns)) for row in rows)
    return file.getvalue().splitlines()


def _plain(text: str) -> str:
    return f"'{text}" if text.startswith(_LIKE_FORMULAS) else text


def _written(title: str, ending: str, text: str, folder: Path) -> Path:
    name = _NOT_IN_NAMES.sub("-", title).strip("-").lower()[:MOST_OF_NAME] or "page"
    for number in count(1):
        path = folder / f"kubedoctor-{name}{f'-{number}' if number > 1 else ''}.{ending}"
        try:
            with path.open("x", encoding="utf-8", newline="\n") as file:
                file.write(text)
        except FileExistsError:
            continue
        return path
    raise AssertionError  # the numbers do not end
