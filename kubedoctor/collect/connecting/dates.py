"""The date of an answer (RFC 9110, 5.6.7), in the one form that servers may send today.

`email.utils` reads it too, but importing it would lengthen every short run.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime

_DATE = re.compile(r"\w{3}, (\d\d) (\w{3}) (\d{4}) (\d\d):(\d\d):(\d\d) GMT", re.ASCII)
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def http_date(text: str) -> datetime | None:
    """`Sun, 06 Nov 1994 08:49:37 GMT`; None for other text, and for a date that does not exist."""
    found = _DATE.fullmatch(text.strip())
    if found is None or found[2] not in _MONTHS:
        return None
    day, month, year = int(found[1]), _MONTHS.index(found[2]) + 1, int(found[3])
    try:
        return datetime(year, month, day, int(found[4]), int(found[5]), int(found[6]), tzinfo=UTC)
    except ValueError:
        return None
