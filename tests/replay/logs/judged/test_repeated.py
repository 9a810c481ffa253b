"""What counts as a failure that lasts, and what does not."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest

from kubedoctor.replay.logs.faults import LogFault
from kubedoctor.replay.logs.judged.repeated import still_failing
from kubedoctor.replay.logs.judged.times import moment_of
from kubedoctor.replay.logs.log_lines import parse_line
from tests.replay.logs.examples import read_examples

NOW = datetime(2026, 1, 15, 10, 0, tzinfo=UTC)
REFUSED = "ERROR sync: dial tcp 10.96.20.7:5432: connect: connection refused"
MINUTES = (20, 15, 10, 5, 1)


def at(text: str, minutes: Sequence[float] = MINUTES) -> list[str]:
    return [f"{NOW - timedelta(minutes=minute):%Y-%m-%dT%H:%M:%SZ} {text}" for minute in minutes]


def test_a_failure_up_to_the_end() -> None:
    found = still_failing(["2026-01-15T08:00:00Z INFO started", *at(REFUSED)], NOW)
    assert found is not None
    assert (found.cause.fault, found.cause.subject, found.times) == (LogFault.CONNECTION_REFUSED, "10.96.20.7:5432", 5)
    assert (found.first, found.last) == (NOW - timedelta(minutes=20), NOW - timedelta(minutes=1))


@pytest.mark.parametrize(
    "lines",
    [
        at(REFUSED, (2, 1)),
        at(REFUSED, (60, 55, 50)),
        at(REFUSED, (1, 0.9, 0.8)),
        [*at(REFUSED), *at("INFO connected to 10.96.20.7:5432", (0.5,))],
        [*at(REFUSED), *at("INFO sync: reconnected", (0.5,))],
        at(REFUSED.replace("ERROR", "DEBUG")),
        at("ERROR the page is blue"),
        at("ERROR http: panic serving 10.1.1.1: runtime error: invalid memory address"),
        at("WARN cannot read file /etc/app/extra.yaml: no such file or directory"),
        [],
    ],
)
def test_no_lasting_failure(lines: list[str]) -> None:
    assert still_failing(lines, NOW) is None


def test_a_success_of_something_else_ends_nothing() -> None:
    assert still_failing([*at(REFUSED), *at("INFO report 4711 completed", (0.5,))], NOW) is not None


def test_warnings_count_where_libraries_try_for_ever() -> None:
    assert still_failing(at(REFUSED.replace("ERROR", "WARN")), NOW) is not None
    assert still_failing(at(REFUSED.replace("ERROR", "WARN"), MINUTES[1:]), NOW) is None


def test_lines_of_one_record_are_one_failure() -> None:
    found = still_failing([line for line in at(REFUSED) for _ in range(3)], NOW)
    assert found is not None
    assert found.times == 5


def test_a_flood_fills_a_log_that_was_cut() -> None:
    flood = at(REFUSED, [number / 60 for number in range(50, 0, -1)])
    assert still_failing(flood, NOW) is None
    assert still_failing(flood, NOW, truncated=True) is not None


def test_without_times_the_end_of_the_log_decides() -> None:
    assert still_failing([REFUSED] * 5, NOW) is not None
    assert still_failing([REFUSED] * 4, NOW) is None
    assert still_failing([*[REFUSED] * 5, "INFO page 1", "INFO page 2"], NOW) is None


@pytest.mark.parametrize(
    "line",
    [
        '2026-01-15 09:30:05.123 UTC [44] FATAL:  password authentication failed for user "x"',
        'ERROR {"c":"ACCESS","msg":"Authentication failed"} authentication failed',
        "ERROR <0.675.0> vhost shops not found",
        "ERROR login failed for user 'x'. Reason: the password is wrong. [CLIENT: 10.2.0.9]",
        'level=error msg="invalid username or password" remote_addr=10.244.2.9',
        "ERROR invalid credentials",
        'ERROR "GET /admin HTTP/1.1" unauthorized: invalid token',
        "ERROR tls: bad certificate from 10.244.0.9:51234",
    ],
)
def test_what_clients_do_is_no_failure(line: str) -> None:
    lines = at(line) if not line.startswith("20") else [line.replace("09:30", f"09:{55 + n}") for n in range(5)]
    assert still_failing(lines, NOW) is None


@pytest.mark.parametrize(
    "line",
    [
        "ERROR cannot connect to amqp://rabbit:5672: invalid credentials",
        'ERROR pq: password authentication failed for user "orders"',
        '[error] connect() failed (111: Connection refused) while connecting to upstream, client: 10.2.0.9, upstream: "http://10.96.20.7:80/"',
    ],
)
def test_what_a_server_refuses_the_program_is_its_failure(line: str) -> None:
    assert still_failing(at(line), NOW) is not None


def test_programs_that_work_fail_at_nothing() -> None:
    for example in read_examples("innocent"):
        times = [moment for line in example.lines if (moment := moment_of(parse_line(line).time, NOW)) is not None]
        assert still_failing(example.lines, max(times, default=NOW)) is None, example.name


def rounds(*texts: str) -> list[str]:
    """The texts, a second apart, in each of some minutes."""
    every = range(22, 0, -3)
    return [
        f"{NOW - timedelta(minutes=minute, seconds=-second):%Y-%m-%dT%H:%M:%SZ} {text.format(minute)}"
        for minute in every
        for second, text in enumerate(texts)
    ]


LATE = "dial tcp 10.96.20.7:5432: i/o timeout"


@pytest.mark.parametrize(
    "texts",
    [
        (f"ERROR wms: request failed: {LATE}", "WARN wms: retrying in 2s", "INFO wms: request succeeded after 1 retry"),
        (f"ERROR call failed: {LATE}", "INFO retry succeeded"),
        (f"ERROR call failed: {LATE}", "INFO attempt 2/5 succeeded"),
        (f"ERROR push failed run={{}} error={LATE}", "INFO finished run={} failed=0 items=17"),
        (f"ERROR pull jid={{}}: {LATE}, will try again", "INFO jid={} done"),
        (f"ERROR attempt 1/5 failed: {LATE}", f"ERROR attempt 2/5 failed: {LATE}", "INFO synced 17 items"),
        (f"ERROR upload failed (1st attempt, max 4): {LATE}", "INFO upload completed"),
        (f"ERROR {LATE}: 4 retries left", "INFO export of 12 rows finished, 0 errors"),
        (f"ERROR connection to 10.96.20.7:5432 refused, retry #1 of 6: {REFUSED[12:]}", "INFO 17 orders sent, done"),
    ],
)
def test_tries_before_one_that_succeeds_are_no_failure(texts: tuple[str, ...]) -> None:
    assert still_failing(rounds(*texts), NOW) is None


@pytest.mark.parametrize(
    "texts",
    [
        (f"ERROR request failed: {LATE}", "WARN retrying in 2s", "INFO report finished"),
        (f"ERROR attempt 1/2 failed: {LATE}", f"ERROR attempt 2/2 failed: {LATE}", "INFO report finished"),
        (f"ERROR attempt 1/5 failed: {LATE}", "INFO health asked"),
        (f"ERROR push failed run={{}} error={LATE}", "INFO finished run={} failed=17"),
        (f"ERROR push failed run={{}} error={LATE}", "INFO finished run=0{} failed=0"),
        (f"ERROR push failed: {LATE}", "ERROR gave up after 5 attempts"),
        (f"ERROR push failed: {LATE}", "INFO not successful after 5 attempts"),
        (f"ERROR push failed: {LATE}", f"ERROR mail: {REFUSED[12:]}", "INFO mail: succeeded after 2 attempts"),
    ],
)
def test_tries_of_which_none_succeeds_are_a_failure(texts: tuple[str, ...]) -> None:
    assert still_failing(rounds(*texts), NOW) is not None
