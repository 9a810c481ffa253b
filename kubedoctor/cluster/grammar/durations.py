"""Durations as Go writes them (`time.ParseDuration`) and as kubectl shows them (`apimachinery/pkg/util/duration`)."""

from __future__ import annotations

from datetime import timedelta
from functools import lru_cache
from typing import Final

from kubedoctor.cluster.grammar.patterns import compiled_later

_UNITS: Final = {
    "ns": 1,
    "us": 1_000,
    "µs": 1_000,  # the micro sign
    "μs": 1_000,  # the Greek letter
    "ms": 1_000_000,
    "s": 1_000_000_000,
    "m": 60_000_000_000,
    "h": 3_600_000_000_000,
}
_LARGEST: Final = (1 << 63) - 1
_PART: Final = compiled_later(r"([0-9]*)(?:\.([0-9]*))?([^.0-9]*)")
_MICROSECOND: Final = timedelta(microseconds=1)


class DurationError(ValueError):
    """A text that is not a duration; the text of the error is a sentence for a person."""


@lru_cache(maxsize=4096)
def parse_nanoseconds(text: str) -> int:
    """Reads `1h30m`, `-1.5s` or `300ms` exactly, up to 2^63 - 1 nanoseconds (292 years); raises DurationError."""
    unsigned = text[1:] if text[:1] in ("-", "+") else text
    if unsigned == "0":
        return 0
    if not unsigned:
        raise _refused(text, "number and unit are missing")
    total = 0
    position = 0
    while position < len(unsigned):
        part = _PART.match(unsigned, position)
        if part is None or not (part[1] or part[2]):
            raise _refused(text, "the number is missing")
        if part[3] not in _UNITS:
            raise _refused(text, f"{part[3]!r} is not a unit" if part[3] else "the unit is missing")
        unit = _UNITS[part[3]]
        whole = part[1].lstrip("0")
        amount = (int(whole or "0") if len(whole) < 20 else _LARGEST + 2) * unit + _fraction(part[2] or "", unit)
        total += amount
        if total > _LARGEST + 1:
            raise _refused(text, "it is longer than 292 years")
        position = part.end()
    if text[0] == "-":
        return -total
    if total > _LARGEST:
        raise _refused(text, "it is longer than 292 years")
    return total


def _fraction(digits: str, unit: int) -> int:
    """The nanoseconds behind the point, with the rounding of Go's floating point; further digits are cut off."""
    number = 0
    scale = 1.0
    for digit in digits:
        if number > _LARGEST // 10:
            break
        longer = number * 10 + int(digit)
        if longer > _LARGEST + 1:
            break
        number = longer
        scale *= 10
    return int(float(number) * (float(unit) / scale))


def _refused(text: str, why: str) -> DurationError:
    return DurationError(f"{text!r} is not a duration: {why}. Write it like 90s, 1h30m or 300ms.")


def parse_duration(text: str) -> timedelta:
    """As `parse_nanoseconds`, cut to whole microseconds, which is what a timedelta can hold."""
    nanoseconds = parse_nanoseconds(text)
    microseconds = abs(nanoseconds) // 1000
    return timedelta(microseconds=microseconds if nanoseconds >= 0 else -microseconds)


def human_duration(duration: timedelta) -> str:
    """As in kubectl's AGE column: two or three figures, `<invalid>` from two seconds below zero."""
    microseconds = duration // _MICROSECOND
    if microseconds <= -2_000_000:
        return "<invalid>"
    seconds = max(microseconds, 0) // 1_000_000
    if seconds < 120:
        return f"{seconds}s"
    minutes = seconds // 60
    if minutes < 10:
        return _pair(minutes, "m", seconds % 60, "s")
    if minutes < 180:
        return f"{minutes}m"
    hours = minutes // 60
    if hours < 8:
        return _pair(hours, "h", minutes % 60, "m")
    if hours < 48:
        return f"{hours}h"
    days = hours // 24
    if days < 8:
        return _pair(days, "d", hours % 24, "h")
    if days < 2 * 365:
        return f"{days}d"
    years = days // 365
    return _pair(years, "y", days % 365, "d") if years < 8 else f"{years}y"


def _pair(large: int, large_unit: str, small: int, small_unit: str) -> str:
    return f"{large}{large_unit}{small}{small_unit}" if small else f"{large}{large_unit}"
