"""The filter of a list, typed after `/`."""

from __future__ import annotations

import re
from collections.abc import Sequence

from kubedoctor.cluster.grammar.patterns import written_pattern
from kubedoctor.cluster.grammar.selectors import SelectorError, parse_label_selector
from kubedoctor.engine.health import Health
from kubedoctor.tui.rows import Row


class FilterError(ValueError):
    """An invalid filter; the text is a sentence for a person."""


def keep(rows: Sequence[Row], text: str, faults_only: bool = False) -> tuple[Row, ...]:
    """The rows that match a filter: `web` (part of a name, kind or status; a regular expression where it is one),
    `!web` for the others, `-l app=web` by labels. Raises FilterError for an invalid selector."""
    if faults_only:
        rows = [row for row in rows if row.health in (Health.BROKEN, Health.DEGRADED)]
    text = text.strip()
    if not text or text in ("!", "-l"):
        return tuple(rows)
    if text.startswith("-l"):
        try:
            selector = parse_label_selector(text[2:].strip())
        except SelectorError as error:
            raise FilterError(str(error)) from None
        return tuple(row for row in rows if selector.matches(row.labels))
    inverse, fragment = text.startswith("!"), text.lstrip("!").lower()
    if (pattern := _pattern(fragment)) is not None:
        find = pattern.search
        return tuple([row for row in rows if (bool(find(row.search)) or fragment in row.search) is not inverse])
    return tuple([row for row in rows if (fragment in row.search) is not inverse])


def _pattern(fragment: str) -> re.Pattern[str] | None:
    """None for plain text, and for what is no regular expression."""
    if re.escape(fragment) == fragment:
        return None
    try:
        return written_pattern(fragment)
    except re.error:
        return None
