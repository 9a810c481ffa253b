"""When a line of a log was written, in the forms that programs write times."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

from kubedoctor.cluster.grammar.patterns import compiled_later

_EPOCH: Final = compiled_later(r"^\d{10}(?:\d{3}|\d{6}|\d{9})?(?:\.\d+)?$")
_SLASHES: Final = compiled_later(r"^(\d{4})[/.](\d\d)[/.](\d\d)[ T]")
_KLOG: Final = compiled_later(r"^(\d\d)(\d\d) (\d\d:\d\d:\d\d)")
_DAY_FIRST: Final = compiled_later(r"^(\d{1,2})[ /-]([A-Z][a-z]{2})[ /-](\d{4})[ :](\d\d:\d\d:\d\d)")
_SYSLOG: Final = compiled_later(r"^([A-Z][a-z]{2}) +(\d{1,2}) (\d\d:\d\d:\d\d)")
_ZONE: Final = compiled_later(r" ?(?:UTC|GMT|Z)$| (?=[+-]\d\d)")
_FRACTION: Final = compiled_later(r"(?<=\d)[.,](\d{1,6})\d*")
_MONTHS: Final = {
    name: number
    for number, name in enumerate(
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"], 1
    )
}
_AHEAD: Final = timedelta(days=2)


def moment_of(time: str, now: datetime) -> datetime | None:
    """The moment that a line states; None where it states none. Without a zone it is UTC, without a year the last such day
    before `now`."""
    text = time.strip()
    try:
        if _EPOCH.match(text):
            return datetime.fromtimestamp(int(text[:10]), UTC)
        if (match := _KLOG.match(text)) is not None:
            return _last(int(match[1]), int(match[2]), match[3], now)
        if (match := _SYSLOG.match(text)) is not None and match[1] in _MONTHS:
            return _last(_MONTHS[match[1]], int(match[2]), match[3], now)
        if (match := _DAY_FIRST.match(text)) is not None and match[2] in _MONTHS:
            return datetime.fromisoformat(f"{match[3]}-{_MONTHS[match[2]]:02}-{int(match[1]):02}T{match[4]}+00:00")
        text = _FRACTION.sub(r".\1", _ZONE.sub("", _SLASHES.sub(r"\1-\2-\3 ", text)), count=1)
        at = datetime.fromisoformat(text)
    except (ValueError, OverflowError):
        return None
    return at if at.tzinfo is not None else at.replace(tzinfo=UTC)


def _last(month: int, day: int, clock: str, now: datetime) -> datetime:
    at = datetime.fromisoformat(f"{now.year}-{month:02}-{day:02}T{clock}+00:00")
    return at if at <= now + _AHEAD else at.replace(year=now.year - 1)
