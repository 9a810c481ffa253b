"""What kube-proxy's log says of the Services and EndpointSlices that it reads (client-go's reflector, v0.37)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

import msgspec

from kubedoctor.cluster.grammar.patterns import compiled_later

_LISTED: Final = compiled_later(r"failed to list \*v1\.(?:Service|EndpointSlice): (?P<why>.+)")
_SYNCED: Final = compiled_later(r"Caches are synced")
_FORBIDDEN: Final = " is forbidden: "
_CLOCK: Final = compiled_later(r"^[EWIF]\d{4} (\d\d):(\d\d):(\d\d)\.")
_ENOUGH: Final = 2
"""Failures that are no accident: it repeats what failed."""
_LATELY: Final = timedelta(minutes=5)
"""It asks again after at most a minute while that fails."""
_DAY: Final = timedelta(days=1)


class UnreadServices(msgspec.Struct, frozen=True):
    """index: of the last line that says so; why: the reason in that line; count: such lines."""

    index: int
    why: str
    count: int
    forbidden: bool


def unread_services(lines: Sequence[str], at: datetime) -> UnreadServices | None:
    """Why it cannot read what it writes its rules from, by the last lines of its log; None where that is over."""
    last: UnreadServices | None = None
    for index, line in enumerate(lines):
        if _SYNCED.search(line):
            last = None
        elif (listed := _LISTED.search(line)) is not None:
            why = listed["why"].partition('" logger=')[0].strip().strip('"').replace('\\"', '"')
            last = UnreadServices(index, why, 1 + (last.count if last is not None else 0), _FORBIDDEN in line)
    return last if last is not None and last.count >= _ENOUGH and _is_recent(lines[last.index], at) else None


def _is_recent(line: str, at: datetime) -> bool:
    """By the time of the day that begins the line; a line without one may be."""
    clock = _CLOCK.search(line)
    if clock is None:
        return True
    hours, minutes, seconds = map(int, clock.groups())
    midnight = at.replace(hour=0, minute=0, second=0, microsecond=0)
    return (at - midnight - timedelta(hours=hours, minutes=minutes, seconds=seconds)) % _DAY <= _LATELY
