"""The line of a component's log that tells of a failure with an object."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence

from kubedoctor.replay.logs.levels import Level
from kubedoctor.replay.logs.log_lines import parse_line


def failure_with(lines: Sequence[str], names: Collection[str]) -> int | None:
    """The newest line of level error that has one of the names; None where there is none."""
    return _newest(lines, lambda line: any(name in line for name in names))


def failure_of(lines: Sequence[str], namespace: str, name: str, uid: str = "") -> int | None:
    """The newest line of level error about an object: by its uid, as `namespace/name`, or with both as whole words; an
    object of the cluster by its name as a whole word."""
    own = re.compile(rf"(?<![\w.-]){re.escape(name)}(?![\w.-])")
    space = re.compile(rf"(?<![\w.-]){re.escape(namespace)}(?![\w.-])")

    def is_about(line: str) -> bool:
        if uid and uid in line:
            return True
        return own.search(line) is not None and (not namespace or space.search(line) is not None)

    return _newest(lines, is_about)


def _newest(lines: Sequence[str], is_about: Callable[[str], bool]) -> int | None:
    for index in range(len(lines) - 1, -1, -1):
        if is_about(lines[index]) and parse_line(lines[index]).level >= Level.ERROR:
            return index
    return None
