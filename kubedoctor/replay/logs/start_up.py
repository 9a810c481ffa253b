"""How long a program's start took, by its log."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import timedelta
from typing import Final, NamedTuple

from kubedoctor.cluster.grammar.patterns import compiled_later
from kubedoctor.replay.logs.log_lines import LONGEST_LINE

_STARTED: Final = compiled_later(
    r"\b(?:started|ready|start-?up|boot(?:ed)?)\b[^\n]{0,120}?\bin \[?(\d{1,7}(?:[.,]\d{1,6})?)\]? ?"
    r"(ms|milliseconds|s|secs?|seconds)\b",
    re.IGNORECASE,
)


class LoggedStart(NamedTuple):
    """`line`: the position of the line that says it."""

    took: timedelta
    line: int


def logged_start(lines: Sequence[str]) -> LoggedStart | None:
    """The last start whose length the program logs: Spring, Tomcat, Quarkus, Next.js and others do."""
    for index in range(len(lines) - 1, -1, -1):
        if match := _STARTED.search(lines[index][:LONGEST_LINE]):
            number = float(match[1].replace(",", "."))
            return LoggedStart(timedelta(seconds=number / 1000 if match[2].lower().startswith("m") else number), index)
    return None
