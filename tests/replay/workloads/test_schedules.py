"""Schedules as the CronJob controller reads them; whole answers are compared with upstream's in tests/testing/test_oracle.py."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from kubedoctor.replay.workloads.schedules import Every, ScheduleError, UnknownTimeZone, parse_schedule

START = datetime(2026, 3, 28, 12, 0, tzinfo=UTC)


def runs(schedule: str, zone: str = "", after: datetime = START, count: int = 2) -> list[str]:
    parsed = parse_schedule(schedule, zone)
    at: datetime | None = after
    times: list[str] = []
    while len(times) < count and at is not None:
        at = parsed.next(at)
        times.append(f"{at:%m-%dT%H:%M}" if at else "never")
    return times


@pytest.mark.parametrize(
    ("schedule", "zone", "expected"),
    [
        ("30 2 * * *", "Europe/Berlin", ["03-30T00:30", "03-31T00:30"]),  # 29 March has no 02:30
        ("0 * * * *", "Europe/Berlin", ["03-28T13:00", "03-28T14:00"]),
        ("0 0 13 * 5", "", ["04-03T00:00", "04-10T00:00"]),  # either day is enough
        ("0 0 */13 * 5", "", ["04-01T00:00", "04-03T00:00"]),  # a step is no star
        ("0 0 13 * *", "", ["04-13T00:00", "05-13T00:00"]),
        ("50/5 12 * * *", "", ["03-28T12:50", "03-28T12:55"]),
        ("0 0 29 2 *", "", ["02-29T00:00", "02-29T00:00"]),
        ("@weekly", "", ["03-29T00:00", "04-05T00:00"]),
        ("@every 90m", "", ["03-28T13:30", "03-28T15:00"]),
        ("0 9 * jan-mar MON", "Asia/Kolkata", ["03-30T03:30", "01-04T03:30"]),
        ("TZ=Asia/Tokyo 0 9 * * *", "", ["03-29T00:00", "03-30T00:00"]),
        ("59 23 31 2 *", "", ["never"]),
        (", * * * *", "Europe/Berlin", ["never"]),
    ],
)
def test_when_it_fires(schedule: str, zone: str, expected: list[str]) -> None:
    assert runs(schedule, zone, count=len(expected)) == expected


@pytest.mark.parametrize(
    ("schedule", "zone", "error"),
    [
        ("", "", "empty spec string"),
        ("", "UTC", "expected exactly 5 fields, found 0: []"),
        ("0 3 * * SUNDAY", "", 'failed to parse int from SUNDAY: strconv.Atoi: parsing "SUNDAY": invalid syntax'),
        ("0 3 * * 7", "", "end of range (7) above maximum (6): 7"),
        ("1-2-3 * * * *", "", "too many hyphens: 1-2-3"),
        ("1/2/3 * * * *", "", "too many slashes: 1/2/3"),
        ("99999999999999999999 * * * *", "", "value out of range"),
        ("@every 5", "", 'failed to parse duration @every 5: time: missing unit in duration "5"'),
        ("@every 1x", "", 'time: unknown unit "x" in duration "1x"'),
        ("@every .", "", 'time: invalid duration "."'),
        ("TZ=Nope/X 0 3 * * *", "", "provided bad location Nope/X: unknown time zone Nope/X"),
    ],
)
def test_what_is_refused(schedule: str, zone: str, error: str) -> None:
    with pytest.raises(ScheduleError) as refused:
        parse_schedule(schedule, zone)
    assert error in str(refused.value)


@pytest.mark.parametrize("zone", ["Nowhere/Land", "../etc/passwd", "/etc/localtime", "a\\b"])
def test_an_unknown_zone_is_told_from_an_unreadable_schedule(zone: str) -> None:
    with pytest.raises(UnknownTimeZone):
        parse_schedule("0 3 * * *", zone)


def test_less_than_a_second_is_a_second() -> None:
    assert parse_schedule("@every 300ms") == Every(1)
    assert parse_schedule("@every -5m") == Every(1)
