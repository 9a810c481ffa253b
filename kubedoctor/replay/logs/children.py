"""Child processes that were killed while their master lived on: the master's log is the only place that says so."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from kubedoctor.cluster.grammar.patterns import compiled_later

_KILLED: Final = compiled_later(
    r"Worker \(pid:(?P<pid>\d+)\) was sent SIGKILL"  # gunicorn
    r"|Worker with pid (?P<older>\d+) was terminated due to signal 9"  # gunicorn 20.1
    r"|(?:worker|child|process)\b.{0,60}\b(?:terminated by|killed by|exited on|exited prematurely: ?) ?signal:? ?"
    r"(?:9\b|SIGKILL)"  # nginx, uWSGI, php-fpm, PostgreSQL, Celery
    r"|child pid \d+ exit signal Killed"  # Apache
    r"|TerminatedWorkerError|BrokenProcessPool",  # Python's pools
    re.IGNORECASE,
)
_TIMED_OUT: Final = compiled_later(r"WORKER TIMEOUT \(pid:(?P<pid>\d+)\)")


def killed_children(lines: Sequence[str]) -> tuple[int, int] | None:
    """How many lines say that a child was killed, and the index of the last; None where none does.

    gunicorn kills a worker itself that does not answer in time: not counted.
    """
    late = {match["pid"] for line in lines if (match := _TIMED_OUT.search(line)) is not None}
    found = [
        index
        for index, line in enumerate(lines)
        if (match := _KILLED.search(line)) is not None and (match["pid"] or match["older"]) not in late
    ]
    return (len(found), found[-1]) if found else None
