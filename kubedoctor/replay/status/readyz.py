"""The API server's own checks, as `/readyz?verbose` prints them (`apiserver/pkg/server/healthz`, v1.37)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final, NamedTuple

_CHECK: Final = re.compile(r"^\[(?P<mark>[+-])\](?P<name>\S+) (?P<said>.*)$")
_EXCLUDED: Final = "excluded"


class ReadyzCheck(NamedTuple):
    """place: of its line. said: `failed: reason withheld`."""

    name: str
    passed: bool
    said: str
    place: int


def checks_of(lines: Sequence[str]) -> tuple[ReadyzCheck, ...]:
    """Empty where the text is not that of checks."""
    found = ((index, match) for index, line in enumerate(lines) if (match := _CHECK.match(line.strip())) is not None)
    return tuple(
        ReadyzCheck(match["name"], match["mark"] == "+", match["said"], index)
        for index, match in found
        if not match["said"].startswith(_EXCLUDED)
    )
