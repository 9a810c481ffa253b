"""What kube-proxy's log says of the rules that it writes on its node, and of what it reads for them
(`pkg/proxy/{iptables,ipvs,nftables}/proxier.go`, v1.37; client-go's reflector, v0.37)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

import msgspec

from kubedoctor.cluster.grammar.patterns import compiled_later
from kubedoctor.replay.logs.log_lines import LONGEST_LINE, parse_line

_FAILS: Final = compiled_later(
    r"Failed to (?:execute|ensure|create|list|sync|delete)\b.{0,80}(?:iptables|ip6tables|nft|ipset|ipvs|chains?|rules?|dummy)"
    r"|(?:iptables|ip6tables|nftables|ipvs|ipset)\b.{0,60}(?:failed|can't initialize|unknown option|Couldn't load)",
)
_ENOUGH: Final = 2
_BEGINS: Final = compiled_later(r"Syncing (?:iptables|ipvs|nftables)\b.{0,20} rules")
_ENDS: Final = compiled_later(r"[Ss]yncProxyRules (?:complete|took)")
_BREAKS_OFF: Final = compiled_later(r"[Ss]ync failed")
_FAMILY: Final = compiled_later(r"\bipFamily=\"?(IPv[46])")
_MORE: Final = 2
"""An error of klog has the command's answer on the lines below it."""
_NEAR: Final = timedelta(hours=1)
"""It tries again after half a minute: older failures are over, whether or not it says so."""
_KLOG: Final = compiled_later(r"(?P<month>\d\d)(?P<day>\d\d) (?P<clock>\d\d:\d\d:\d\d)")

_LISTED: Final = compiled_later(r"failed to list \*v1\.(?P<kind>Service|EndpointSlice|Node): (?P<why>.+)")
_WAITS: Final = compiled_later(r"Waiting for caches to sync")
_SYNCED: Final = compiled_later(r"Caches are synced")
_FORBIDDEN: Final = " is forbidden: "
_CLOCK: Final = compiled_later(r"^[EWIF]\d{4} (\d\d):(\d\d):(\d\d)\.")
_LATELY: Final = timedelta(minutes=5)
"""It asks again after at most a minute while that fails."""
_DAY: Final = timedelta(days=1)


class UnreadServices(msgspec.Struct, frozen=True):
    """index: of the last line that says so; why: the reason in that line; count: such lines. at_start: it waits for its Node,
    without which it does not begin."""

    index: int
    why: str
    count: int
    forbidden: bool
    at_start: bool = False


def rules_not_written(lines: Sequence[str], when: datetime) -> tuple[int, ...]:
    """The newest failure to write rules and the lines of its answer, where it failed several times around `when` and has not
    succeeded since; empty otherwise."""
    records = [range(begin, end) for begin, end in _records(lines)]
    failed = [
        place
        for place, record in enumerate(records)
        if any(_FAILS.search(lines[index][:LONGEST_LINE]) for index in record) and _near(lines[record[0]], when)
    ]
    if len(failed) < _ENOUGH:
        return ()
    last = records[failed[-1]]
    if _synced([line[:LONGEST_LINE] for line in lines[last[0] :]]):
        return ()
    return (last[0], *(index for index in last[1 : 1 + _MORE] if lines[index][:1].isspace()))


def _records(lines: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Each record of the log, from its first line to the one behind its last: the lines below it state no time."""
    begins = [index for index, line in enumerate(lines) if parse_line(line).time]
    yield from zip(begins, (*begins[1:], len(lines)), strict=False)


def _near(line: str, when: datetime) -> bool:
    """klog writes no year; a time that cannot be read is not near."""
    text = parse_line(line).time
    found = _KLOG.match(text)
    texts = [f"{year}-{found['month']}-{found['day']}T{found['clock']}" for year in _years(when)] if found else [text]
    try:
        stated = [datetime.fromisoformat(text) for text in texts]
    except ValueError:
        return False
    return any(abs((time if time.tzinfo else time.replace(tzinfo=UTC)) - when) <= _NEAR for time in stated)


def _years(when: datetime) -> set[int]:
    return {(when - _NEAR).year, (when + _NEAR).year}


def _synced(lines: Sequence[str]) -> bool:
    """Whether a sync of the family that failed first began and ended without a failure between: the end of a failed sync is
    written too, by the same words."""
    family = next((match[1] for line in lines if (match := _FAMILY.search(line))), "")
    under_way = False
    for line in lines:
        stated = _FAMILY.search(line)
        if stated is not None and stated[1] != family:
            continue
        if _BEGINS.search(line):
            under_way = True
        elif _FAILS.search(line) or _BREAKS_OFF.search(line):
            under_way = False
        elif under_way and _ENDS.search(line):
            return True
    return False


def unread_services(lines: Sequence[str], at: datetime) -> UnreadServices | None:
    """Why it cannot read what it writes its rules from, by the last lines of its log; None where that is over."""
    last: UnreadServices | None = None
    waits = False
    for index, line in enumerate(lines):
        if _SYNCED.search(line):
            last, waits = None, False
        elif _WAITS.search(line):
            waits = True
        elif (listed := _LISTED.search(line)) is not None and (waits or listed["kind"] != "Node"):
            why = listed["why"].partition('" logger=')[0].strip().strip('"').replace('\\"', '"')
            count = 1 + (last.count if last is not None else 0)
            last = UnreadServices(index, why, count, _FORBIDDEN in line, listed["kind"] == "Node")
    return last if last is not None and last.count >= _ENOUGH and is_recent(lines[last.index], at) else None


def is_recent(line: str, at: datetime) -> bool:
    """Whether the line was written so lately that a reflector would have tried again since: by the time of the day that begins
    the line; a line without one may be."""
    clock = _CLOCK.search(line)
    if clock is None:
        return True
    hours, minutes, seconds = map(int, clock.groups())
    midnight = at.replace(hour=0, minute=0, second=0, microsecond=0)
    return (at - midnight - timedelta(hours=hours, minutes=minutes, seconds=seconds)) % _DAY <= _LATELY
