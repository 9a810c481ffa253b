"""The line of a component's log that tells of a failure with an object."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from kubedoctor.replay.logs.levels import Level
from kubedoctor.replay.logs.log_lines import parse_line


def failure_with(lines: Sequence[str], names: Collection[str]) -> int | None:
    """The newest line of level error that has one of the names; None where there is none."""
    for index in range(len(lines) - 1, -1, -1):
        if any(name in lines[index] for name in names) and parse_line(lines[index]).level >= Level.ERROR:
            return index
    return None
