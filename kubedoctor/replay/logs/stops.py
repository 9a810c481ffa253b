"""Logs that show a stop from outside, or that are no logs."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from kubedoctor.cluster.grammar.patterns import compiled_later
from kubedoctor.replay.logs.levels import Level
from kubedoctor.replay.logs.log_lines import LONGEST_LINE
from kubedoctor.replay.logs.reading import read_log

_STOP_LINES: Final = 5
_STOPPING: Final = compiled_later(
    r"\b(?:stopping|shutting down|shutdown|graceful(?:ly)? (?:stop|shut|exit)\w*)\b", re.IGNORECASE
)
_SIGNALLED: Final = compiled_later(
    r"\bSIGTERM\b|signal[: ]+(?:terminated|15)|received (?:termination|stop|shutdown)", re.IGNORECASE
)
_NO_LOG: Final = compiled_later(r"^unable to retrieve container logs for ")


def says_it_was_stopped(lines: Sequence[str]) -> bool:
    """The last lines show that the program was stopped from outside: it did not exit by itself.

    A program that ends for an error of its own talks of stopping too, after the error.
    """
    last = [line[:LONGEST_LINE] for line in lines[-_STOP_LINES:]]
    if any(_SIGNALLED.search(line) for line in last):
        return True
    first = next((index for index, line in enumerate(last) if _STOPPING.search(line)), None)
    if first is None:
        return False
    cause = read_log(lines)
    gave_up = cause is not None and cause.level >= Level.ERROR and cause.index < len(lines) - len(last) + first
    return not gave_up


def is_no_log(lines: Sequence[str]) -> bool:
    """No lines at all, or the kubelet's message that the log does not exist."""
    return not any(line.strip() for line in lines) or (len(lines) <= 2 and _NO_LOG.match(lines[0]) is not None)
