"""Errors that are written over several lines of which none alone says it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from kubedoctor.cluster.grammar.patterns import compiled_later

LONGEST: Final = 10
_API_ERROR: Final = "Error making API request."
"""Of the client of Vault and OpenBao (`api/response.go`): the address, the code and the errors follow, a line each."""
_BARS: Final = compiled_later(r"^[\s|]*")


def block_lines(lines: Sequence[str], index: int) -> int:
    """How many lines from `index` on are one error; 0 where none begins there."""
    if not lines[index].rstrip().endswith(_API_ERROR):
        return 0
    last = 0
    for offset in range(1, min(LONGEST, len(lines) - index)):
        bare = _BARS.sub("", lines[index + offset]).rstrip()
        if bare.startswith(("URL: ", "Code: ", "Namespace: ", "* ", "Raw Message:")):
            last = offset
        elif bare:
            break
    return last + 1 if last else 0


def whole_message(lines: Sequence[str], index: int) -> str:
    """What the error says that begins at `index`; empty where none does."""
    count = block_lines(lines, index)
    parts = (_BARS.sub("", line).strip() for line in lines[index : index + count])
    return " ".join(part for part in parts if part)
