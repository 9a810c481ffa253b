"""Durations by upstream's tables."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubedoctor.cluster.grammar.durations import DurationError, human_duration, parse_duration, parse_nanoseconds

NS, US, MS, S, M, H = 1, 10**3, 10**6, 10**9, 60 * 10**9, 3600 * 10**9
LARGEST = (1 << 63) - 1

# Go's time/time_test.go, parseDurationTests
READ = [
    ("0", 0),
    ("5s", 5 * S),
    ("30s", 30 * S),
    ("1478s", 1478 * S),
    ("-5s", -5 * S),
    ("+5s", 5 * S),
    ("-0", 0),
    ("+0", 0),
    ("5.0s", 5 * S),
    ("5.6s", 5 * S + 600 * MS),
    ("5.s", 5 * S),
    (".5s", 500 * MS),
    ("1.0s", S),
    ("1.00s", S),
    ("1.004s", S + 4 * MS),
    ("1.0040s", S + 4 * MS),
    ("100.00100s", 100 * S + MS),
    ("10ns", 10 * NS),
    ("11us", 11 * US),
    ("12µs", 12 * US),
    ("12μs", 12 * US),
    ("13ms", 13 * MS),
    ("14s", 14 * S),
    ("15m", 15 * M),
    ("16h", 16 * H),
    ("3h30m", 3 * H + 30 * M),
    ("10.5s4m", 4 * M + 10 * S + 500 * MS),
    ("-2m3.4s", -(2 * M + 3 * S + 400 * MS)),
    ("1h2m3s4ms5us6ns", H + 2 * M + 3 * S + 4 * MS + 5 * US + 6),
    ("39h9m14.425s", 39 * H + 9 * M + 14 * S + 425 * MS),
    ("52763797000ns", 52763797000),
    ("0.3333333333333333333h", 20 * M),
    ("9007199254740993ns", (1 << 53) + 1),
    ("9223372036854775807ns", LARGEST),
    ("9223372036854775.807us", LARGEST),
    ("9223372036s854ms775us807ns", LARGEST),
    ("-9223372036854775808ns", -LARGEST - 1),
    ("-9223372036854775.808us", -LARGEST - 1),
    ("-9223372036s854ms775us808ns", -LARGEST - 1),
    ("-2562047h47m16.854775808s", -LARGEST - 1),
    ("0.100000000000000000000h", 6 * M),
    ("0.830103483285477580700h", 49 * M + 48 * S + 372539827),
]

# the same file, parseDurationErrorTests
REFUSED = [
    *("", "3", "-", "s", ".", "-.", ".s", "+.s", "1d", "\x85\x85", "\xffff", "hello \xffff world", "\ufffd"),
    *("9223372036854775810ns", "9223372036854775808ns", "-9223372036854775809ns", "9223372036854776us", "3000000h"),
    *("9223372036854775.808us", "9223372036854ms775us808ns"),
    *("1 s", "1s ", " 1s", "--1s", "1s-1s", "１s", "9" * 5000 + "s", "1.2.3s"),
]

# apimachinery/pkg/util/duration/duration_test.go
SECOND, MINUTE, HOUR, DAY = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
MILLISECOND, YEAR = timedelta(milliseconds=1), timedelta(days=365)
HUMAN = [
    (SECOND, "1s"),
    (70 * SECOND, "70s"),
    (190 * SECOND, "3m10s"),
    (70 * MINUTE, "70m"),
    (47 * HOUR, "47h"),
    (49 * HOUR, "2d1h"),
    (8 * DAY + 2 * HOUR, "8d"),
    (367 * DAY, "367d"),
    (2 * YEAR + 25 * HOUR, "2y1d"),
    (8 * YEAR + 2 * HOUR, "8y"),
    (-2 * SECOND, "<invalid>"),
    (-2 * SECOND + timedelta(microseconds=1), "0s"),
    (timedelta(), "0s"),
    (SECOND - MILLISECOND, "0s"),
    (2 * MINUTE - MILLISECOND, "119s"),
    (2 * MINUTE, "2m"),
    (2 * MINUTE + SECOND, "2m1s"),
    (10 * MINUTE - MILLISECOND, "9m59s"),
    (10 * MINUTE, "10m"),
    (10 * MINUTE + SECOND, "10m"),
    (3 * HOUR - MILLISECOND, "179m"),
    (3 * HOUR, "3h"),
    (3 * HOUR + MINUTE, "3h1m"),
    (8 * HOUR - MILLISECOND, "7h59m"),
    (8 * HOUR, "8h"),
    (8 * HOUR + 59 * MINUTE, "8h"),
    (2 * DAY - MILLISECOND, "47h"),
    (2 * DAY, "2d"),
    (2 * DAY + HOUR, "2d1h"),
    (8 * DAY - MILLISECOND, "7d23h"),
    (8 * DAY, "8d"),
    (8 * DAY + 23 * HOUR, "8d"),
    (2 * YEAR - MILLISECOND, "729d"),
    (2 * YEAR, "2y"),
    (2 * YEAR + 23 * HOUR, "2y"),
    (2 * YEAR + 23 * HOUR + 59 * MINUTE, "2y"),
    (2 * YEAR + DAY - MILLISECOND, "2y"),
    (2 * YEAR + DAY, "2y1d"),
    (3 * YEAR, "3y"),
    (7 * YEAR, "7y"),
    (8 * YEAR - MILLISECOND, "7y364d"),
    (8 * YEAR, "8y"),
    (8 * YEAR + 364 * DAY, "8y"),
    (9 * YEAR, "9y"),
]


@pytest.mark.parametrize(("text", "nanoseconds"), READ)
def test_durations_are_read_as_go_reads_them(text: str, nanoseconds: int) -> None:
    assert parse_nanoseconds(text) == nanoseconds
    assert abs(parse_duration(text) - timedelta(microseconds=nanoseconds / 1000)) <= timedelta(milliseconds=1)


@pytest.mark.parametrize("text", REFUSED, ids=range(len(REFUSED)))
def test_what_go_refuses_is_refused(text: str) -> None:
    with pytest.raises(DurationError, match=r"\.$"):
        parse_duration(text)


@pytest.mark.parametrize(("duration", "text"), HUMAN)
def test_durations_are_shown_as_kubectl_shows_them(duration: timedelta, text: str) -> None:
    assert human_duration(duration) == text


def test_fractions_of_microseconds_are_cut() -> None:
    assert parse_duration("1999ns") == timedelta(microseconds=1)
    assert parse_duration("-1999ns") == -timedelta(microseconds=1)


@given(st.integers(0, 10**6), st.integers(0, 59), st.integers(0, 59), st.integers(0, 10**6 - 1))
def test_parts_add_up(hours: int, minutes: int, seconds: int, microseconds: int) -> None:
    wanted = timedelta(hours=hours, minutes=minutes, seconds=seconds, microseconds=microseconds)
    assert parse_duration(f"{hours}h{minutes}m{seconds}s{microseconds}us") == wanted
    assert parse_duration(f"-{microseconds}us{hours}h{seconds}s{minutes}m") == -wanted


@given(st.timedeltas(timedelta(), timedelta(days=7)))
def test_what_is_shown_is_at_most_an_hour_off(duration: timedelta) -> None:
    text = human_duration(duration)
    days, _, rest = text.rpartition("d") if "d" in text else ("0", "", text)
    shown = int(days) * DAY + parse_duration(rest or "0s")
    assert timedelta() <= duration - shown < HOUR
