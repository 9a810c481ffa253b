"""The date of an answer (RFC 9110, 5.6.7)."""

from __future__ import annotations

from datetime import UTC, datetime

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def http_date(text: str) -> datetime | None:
    """`Sun, 06 Nov 1994 08:49:37 GMT` in UTC; None for other text, and for a date that does not exist."""
    try:
        return _usual(text) or _other(text)
    except (ValueError, TypeError, OverflowError, IndexError):
        return None


def _usual(text: str) -> datetime | None:
    """The form that servers write; None for another."""
    parts = text[5:].replace(":", " ").split()
    if len(text) != 29 or len(parts) != 7 or parts[6] != "GMT" or parts[1] not in _MONTHS:
        return None
    day, month, *rest = parts[:6]
    year, hour, minute, second = map(int, rest)
    return datetime(year, _MONTHS.index(month) + 1, int(day), hour, minute, second, tzinfo=UTC)


def _other(text: str) -> datetime:
    from email.utils import parsedate_to_datetime  # slow, and hardly ever needed

    date = parsedate_to_datetime(text)
    return date.replace(tzinfo=date.tzinfo or UTC).astimezone(UTC)
