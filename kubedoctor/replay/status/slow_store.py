"""Where etcd's log tells that a disk or the network is too slow for it (`server/storage/wal`, `server/etcdserver`, v3.6)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import timedelta
from typing import Final, NamedTuple

from kubedoctor.cluster.grammar.durations import DurationError, parse_duration

LONG: Final = timedelta(seconds=1)
"""etcd warns from 100ms on, as any busy cluster sees; the leases of leaders last ten seconds and more."""
_SLOW: Final = re.compile(r"slow fdatasync|took too long|sync duration of|failed to send out heartbeat on time")
_OF_THE_DISK: Final = re.compile(r"slow fdatasync|sync duration of|slow disk")
_DURATION: Final = re.compile(
    r'"(?:took|exceeded-duration)": ?"(?P<field>[\dhms.µn]+)"|took too long \((?P<older>[\dhms.µ]+)\)'
    r"|sync duration of (?P<sync>[\dhms.µ]+)|timeout for (?P<beat>[\dhms.µ]+)"
)


class SlowStore(NamedTuple):
    """`line`: the position of the line with the longest wait, one that names the disk before others. `times`: how often."""

    line: int
    longest: timedelta
    times: int
    disk: bool


def slow_store(lines: Sequence[str]) -> SlowStore | None:
    """The waits of a second or more; None where there is none."""
    found = [
        (index, waited, _OF_THE_DISK.search(line) is not None)
        for index, line in enumerate(lines)
        if (waited := _waited(line)) >= LONG
    ]
    if not found:
        return None
    index, longest, disk = max(found, key=lambda row: (row[2], row[1]))
    return SlowStore(index, longest, len(found), disk)


def _waited(line: str) -> timedelta:
    match = _DURATION.search(line) if _SLOW.search(line) else None
    if match is None:
        return timedelta()
    try:
        return parse_duration(next(filter(None, match.groups())))
    except DurationError:
        return timedelta()
