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
    `!web` for the others, `-l app=web` by labels, `-f chk7` by letters of the name in their order. Raises FilterError for an
    invalid selector."""
    if faults_only:
        rows = [row for row in rows if row.health in (Health.BROKEN, Health.DEGRADED)]
    text = text.strip()
    if not text or text in ("!", "-", "-l", "-f"):
        return tuple(rows)
    if text.startswith("-f "):
        find = _letters(text[3:]).match
        return tuple([row for row in rows if find(row.search)])
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


def _letters(text: str) -> re.Pattern[str]:
    """Matches where the first word, namespace and name, has these letters in this order. Each letter is looked for up to its
    first place only, so that no row takes long."""
    letters = [re.escape(letter) for letter in text.lower() if not letter.isspace()]
    return re.compile("".join(f"[^{letter} ]*{letter}" for letter in letters))


def _pattern(fragment: str) -> re.Pattern[str] | None:
    """None for plain text, and for what is no regular expression."""
    if re.escape(fragment) == fragment:
        return None
    try:
        return written_pattern(fragment)
    except re.error:
        return None
