"""When a line was written, in the forms of many programs."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from kubedoctor.replay.logs.judged.times import moment_of
from kubedoctor.replay.logs.log_lines import parse_line

NOW = datetime(2026, 1, 15, 10, 0, tzinfo=UTC)
THEN = datetime(2026, 1, 15, 9, 30, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    "line",
    [
        "2026-01-15T09:30:05Z ERROR failed",
        "2026-01-15T09:30:05.123456789Z ERROR failed",
        "2026-01-15T10:30:05+01:00 ERROR failed",
        "2026-01-15 09:30:05,123 ERROR app failed",
        "2026-01-15 09:30:05.123 UTC [44] ERROR:  failed",
        "2026/01/15 09:30:05 [error] 29#29: failed",
        "E0115 09:30:05.104200       1 reflector.go:204] failed",
        "1:M 15 Jan 2026 09:30:05.104 # failed",
        '{"level":50,"time":1768469405123,"msg":"failed"}',
        '{"level":"error","ts":1768469405.123,"msg":"failed"}',
        "time=2026-01-15T09:30:05Z level=error msg=failed",
        "E, [2026-01-15T09:30:05.104482 #1] ERROR -- : failed",
        "[2026-01-15 09:30:05] production.ERROR: failed",
        "Jan 15 09:30:05 host app[1]: failed",
    ],
)
def test_a_moment(line: str) -> None:
    at = moment_of(parse_line(line).time, NOW)
    assert at is not None
    assert at.replace(microsecond=0) == THEN


def test_a_day_without_a_year_is_the_last_one() -> None:
    assert moment_of("1231 23:59:59.000000", NOW) == datetime(2025, 12, 31, 23, 59, 59, tzinfo=UTC)


@pytest.mark.parametrize("text", ["", "soon", "09:30:05", "1399 25:00:00", "Foo 15 09:30:05", "99/99/9999 1"])
def test_no_moment(text: str) -> None:
    assert moment_of(text, NOW) is None
