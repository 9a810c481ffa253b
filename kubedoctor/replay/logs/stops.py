"""Logs that show a stop from outside, or that are no logs."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from kubedoctor.cluster.grammar.patterns import compiled_later
from kubedoctor.replay.logs.log_lines import LONGEST_LINE

_STOP_LINES: Final = 5
_STOPPING: Final = compiled_later(
    r"\bSIGTERM\b|signal[: ]+(?:terminated|15)|received (?:termination|stop|shutdown)|"
    r"\b(?:stopping|shutting down|shutdown|graceful(?:ly)? (?:stop|shut|exit)\w*)\b",
    re.IGNORECASE,
)
_NO_LOG: Final = compiled_later(r"^unable to retrieve container logs for ")


def says_it_was_stopped(lines: Sequence[str]) -> bool:
    """The last lines show that the program was stopped from outside: it did not exit by itself."""
    return any(_STOPPING.search(line[:LONGEST_LINE]) for line in lines[-_STOP_LINES:])


def is_no_log(lines: Sequence[str]) -> bool:
    """No lines at all, or the kubelet's message that the log does not exist."""
    return not any(line.strip() for line in lines) or (len(lines) <= 2 and _NO_LOG.match(lines[0]) is not None)
