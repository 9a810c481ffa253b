"""Where etcd's log tells that a disk or the network is too slow for it (`server/storage/wal`, `server/etcdserver`, v3.6)."""

from __future__ import annotations

import enum
import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from kubedoctor.cluster.grammar.durations import DurationError, parse_duration
from kubedoctor.replay.logs.log_lines import time_of

LONG: Final = timedelta(seconds=1)
"""etcd warns from 100ms on, as any busy cluster sees; the leases of leaders last ten seconds and more."""
_SLOW: Final = re.compile(r"slow fdatasync|took too long|sync duration of|failed to send out heartbeat on time")
_DURATION: Final = re.compile(
    r'"(?:took|exceeded-duration)": ?"(?P<field>[\dhms.µn]+)"|took too long \((?P<older>[\dhms.µ]+)\)'
    r"|sync duration of (?P<sync>[\dhms.µ]+)|timeout for (?P<beat>[\dhms.µ]+)"
)


BEFORE: Final = timedelta(minutes=2)
AFTER: Final = timedelta(seconds=30)
"""So long before and after a program gave up, a wait may be its reason: leases last ten seconds and more."""


class Wait(enum.Enum):
    """What waited. REQUEST: by the line it may have been a write or anything else that etcd applies."""

    DISK = "disk"
    REQUEST = "request"
    READ = "read"
    HEARTBEAT = "heartbeat"


_KINDS: Final = (
    (re.compile(r"slow fdatasync|sync duration of"), Wait.DISK),
    (re.compile(r"failed to send out heartbeat on time"), Wait.HEARTBEAT),
    (re.compile(r"read-only (?:range|txn)"), Wait.READ),
)


class SlowStore(NamedTuple):
    """`line`: the position of the line with the longest wait, one that names the disk before others.
    `times`: how often it waited."""

    line: int
    longest: timedelta
    times: int
    wait: Wait
    only_reads: bool


def slow_store(lines: Sequence[str], moments: Sequence[datetime]) -> SlowStore | None:
    """The waits of a second or more about the moments when programs gave up; None where there is none."""
    found = [
        (index, waited, _kind(line))
        for index, line in enumerate(lines)
        if (waited := _waited(line)) >= LONG and _is_near(line, moments)
    ]
    if not found:
        return None
    index, longest, wait = max(found, key=lambda row: (row[2] is Wait.DISK, row[1]))
    return SlowStore(index, longest, len(found), wait, all(kind is Wait.READ for _, _, kind in found))


def _kind(line: str) -> Wait:
    return next((wait for pattern, wait in _KINDS if pattern.search(line)), Wait.REQUEST)


def _is_near(line: str, moments: Sequence[datetime]) -> bool:
    """Not where the line has no time."""
    at = time_of(line)
    return at is not None and any(moment - BEFORE <= at <= moment + AFTER for moment in moments)


def _waited(line: str) -> timedelta:
    match = _DURATION.search(line) if _SLOW.search(line) else None
    if match is None:
        return timedelta()
    try:
        return parse_duration(next(filter(None, match.groups())))
    except DurationError:
        return timedelta()
