"""What kube-proxy's log says of the rules that it writes on its node (`pkg/proxy/{iptables,ipvs,nftables}/proxier.go`, v1.37)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from kubedoctor.cluster.grammar.patterns import compiled_later
from kubedoctor.replay.logs.log_lines import LONGEST_LINE, parse_line

_FAILS: Final = compiled_later(
    r"Failed to (?:execute|ensure|create|list|sync|delete)\b.{0,80}(?:iptables|ip6tables|nft|ipset|ipvs|chains?|rules?|dummy)"
    r"|(?:iptables|ip6tables|nftables|ipvs|ipset)\b.{0,60}(?:failed|can't initialize|unknown option|Couldn't load)",
)
_ENOUGH: Final = 2
_DONE: Final = compiled_later(r"SyncProxyRules complete|Sync(?:ed)? (?:succeeded|complete)|syncProxyRules took")
_MORE: Final = 2
"""An error of klog has the command's answer on the lines below it."""
_NEAR: Final = timedelta(hours=1)
"""It tries again after half a minute: older failures are over, whether or not it says so."""
_KLOG: Final = compiled_later(r"(?P<month>\d\d)(?P<day>\d\d) (?P<clock>\d\d:\d\d:\d\d)")


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
    if any(_DONE.search(line[:LONGEST_LINE]) for line in lines[last[0] + 1 :]):
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
