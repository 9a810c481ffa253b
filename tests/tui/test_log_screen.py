"""The screen of logs: it follows, filters, marks the line that decides and shows text of programs as text."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from kubedoctor.cluster import LogWant, Ref
from kubedoctor.collect.live.followed_logs import LogPeriod
from kubedoctor.collect.opening import open_source
from kubedoctor.collect.options import Options
from kubedoctor.engine import load_catalogue
from kubedoctor.sandbox import Sandbox, SandboxServer, load_recording, recording_path, serve
from kubedoctor.tui.app import KubedoctorApp
from kubedoctor.tui.logs.log_screen import LogScreen
from kubedoctor.tui.logs.shown_logs import (
    DecidingLine,
    LogLook,
    LogMark,
    MergedLine,
    filter_of,
    logs_command,
    logs_page,
)
from kubedoctor.tui.screens.list_screen import ListScreen
from kubedoctor.tui.session import Session
from kubedoctor.tui.widgets.one_line import Heading
from kubedoctor.tui.widgets.text_view import TextView
from tests.tui import running as recorded
from tests.tui.test_live import running, until

WANTS = (LogWant("shop", "web-1-abcde", "app"), LogWant("shop", "web-1-fghij", "app"))
LINES = (
    MergedLine(0, "INFO up", "2026-11-23T11:00:05.000000000Z"),
    MergedLine(1, "ERROR cannot connect to db:5432", "2026-11-23T11:00:06.000000000Z"),
    MergedLine(0, '{"level":"warn","msg":"slow \\u001b[31m"}', "2026-11-23T11:00:07.000000000Z"),
)


def shown(look: LogLook, **more: str) -> str:
    return logs_page(LINES, WANTS, ("following", "ended"), {}, look)[0].plain


def test_lines_are_merged_with_names_levels_and_states() -> None:
    text = shown(LogLook())
    assert "abcde INFO up" in text
    assert "fghij ERROR cannot" in text
    assert "web-1-fghij/app: ended" in text
    assert "\x1b" not in text
    assert "11:00:06.000" in shown(LogLook(times=True))
    assert "INFO up" not in shown(LogLook(errors=True))
    assert "INFO up" not in shown(LogLook(filter="!up"))
    assert "No line matches." in shown(LogLook(filter="nothing"))
    assert "WARNING slow" in shown(LogLook(unfold=True))


def test_the_deciding_line_is_marked_and_says_what_it_decides() -> None:
    deciding = {
        (WANTS[1].about, "app"): DecidingLine("KD1003", "ERROR cannot connect to db:5432", "the database is down")
    }
    page, place = logs_page(LINES, WANTS, ("following", "following"), deciding, LogLook())
    assert place == 1
    assert "▶fghij ERROR" in page.plain
    assert "decides KD1003: the database is down" in page.plain


@pytest.mark.parametrize(("text", "line", "kept"), [("Up", "up", False), ("up", "UP", True), ("!a.c", "abc", False)])
def test_filters(text: str, line: str, kept: bool) -> None:
    assert filter_of(text)(line) is kept


def test_what_python_may_read_otherwise_in_the_future_is_a_filter() -> None:
    assert filter_of("[[a]b")("x[b")


def test_a_mark_stands_behind_the_lines_of_its_time() -> None:
    look = LogLook(marks=(LogMark(LINES[1].at, "mark 11:00:06"),))
    text = shown(look)
    assert text.index("cannot connect") < text.index("mark 11:00:06") < text.index("slow")
    assert shown(LogLook(marks=(LogMark("", "mark 1"),))).index("mark 1") == 5, "before lines that came later"
    untimed = tuple(MergedLine(0, line.text) for line in LINES)
    plain = logs_page(untimed, WANTS, ("recorded", "recorded"), {}, look)[0].plain
    assert plain.splitlines()[-1].startswith("──── mark 11:00:06")


def test_what_was_cleared_is_not_shown() -> None:
    text = shown(LogLook(cleared=LINES[1].at))
    assert "slow" in text
    assert "cannot connect" not in text
    assert "0 reads them again" in text
    assert "No line matches." in shown(LogLook(cleared=LINES[2].at))


@pytest.mark.parametrize(
    ("subject", "wants", "look", "period", "line"),
    [
        (
            Ref("Pod", "shop", "web-1-abcde"),
            WANTS[:1],
            LogLook(),
            LogPeriod(),
            "kubectl logs web-1-abcde --all-containers -f --tail=500 -n shop",
        ),
        (
            Ref("Deployment", "shop", "web"),
            WANTS,
            LogLook(container="app", times=True),
            LogPeriod(None, 60),
            "kubectl logs deployment/web -c app --all-pods -f --since=60s --timestamps -n shop",
        ),
        (
            Ref("Deployment", "shop", "web"),
            WANTS * 3,
            LogLook(),
            LogPeriod(None, None),
            "kubectl logs deployment/web --all-containers --all-pods -f --max-log-requests=6 -n shop",
        ),
        (
            Ref("CronJob", "shop", "web"),
            WANTS,
            LogLook(),
            LogPeriod(None, None, first=100),
            "kubectl logs web-1-abcde --all-containers --limit-bytes=100 -n shop",
        ),
    ],
)
def test_the_same_lines_by_kubectl(
    subject: Ref, wants: tuple[LogWant, ...], look: LogLook, period: LogPeriod, line: str
) -> None:
    assert logs_command(subject, wants, look, period, previous=False, follow=True) == line


def test_what_is_no_filter_is_said() -> None:
    with pytest.raises(ValueError, match="no regular expression"):
        filter_of("(")


@pytest.fixture
def sandbox() -> Sandbox:
    return Sandbox(load_recording(recording_path("oom-killed")))


@pytest.fixture
def served(sandbox: Sandbox) -> Iterator[SandboxServer]:
    with serve(sandbox) as one:
        yield one


async def test_it_follows_filters_and_ends_with_the_screen(sandbox: Sandbox, served: SandboxServer) -> None:
    async with running(served) as (pilot, screen):
        await until(lambda: screen.report)
        names = [row.ref.name for row in screen.rows]
        screen._table.highlight(names.index("web"))
        await pilot.press("l")
        await until(lambda: isinstance(pilot.app.screen, LogScreen))
        logs = pilot.app.screen
        assert isinstance(logs, LogScreen)
        await until(lambda: logs.feed and set(logs.feed.now()[1]) == {"following"})
        assert logs.feed is not None
        want = logs.feed.wants[0]
        sandbox.append_log(want.namespace, want.pod, want.container, "ERROR a new line\n")
        view = logs.query_one(TextView)
        await until(lambda: "ERROR a new line" in view.page.plain)
        await pilot.press("ampersand", *"new", "enter")
        await until(lambda: len(view.page.plain.splitlines()) == 1)
        await pilot.press("escape", "m", "C")
        await until(lambda: "cleared" in view.page.plain and "a new line" not in view.page.plain)
        await pilot.press("m")
        sandbox.append_log(want.namespace, want.pod, want.container, "ERROR after the mark\n")
        await until(lambda: "after the mark" in view.page.plain)
        assert view.page.plain.index("──── mark ") < view.page.plain.index("after the mark")
        await pilot.press("x")
        await until(lambda: " logs deployment/web --all-containers" in pilot.app.clipboard)
        await pilot.press("Y")
        await until(lambda: pilot.app.clipboard.endswith("ERROR after the mark"))
        await pilot.press("7")
        await until(
            lambda: "head" in logs.query_one(Heading).text and logs.feed and set(logs.feed.now()[1]) == {"read"}
        )
        assert "cleared" not in view.page.plain
        await pilot.press("p")
        await until(lambda: "previous run" in logs.query_one(Heading).text)
        await pilot.press("p", "2")
        await until(lambda: "5m" in logs.query_one(Heading).text)
        feed = logs.feed
        await pilot.press("escape")
        await until(lambda: isinstance(pilot.app.screen, ListScreen))
        assert feed is None or feed.followed is None or feed.followed._stopping.is_set()


async def test_a_recording_shows_what_it_has() -> None:
    options = Options(from_=(str(recording_path("oom-killed")),))
    app = KubedoctorApp(lambda: Session(open_source(options), load_catalogue()), "shop")
    async with recorded.running(app, home=True) as (pilot, screen):
        await until(lambda: screen.rows)
        await pilot.press("p")
        await until(lambda: isinstance(app.screen, LogScreen))
        await until(lambda: "checkout" in app.screen.query_one(Heading).text)
        await until(lambda: app.screen.query_one(TextView).page.plain)
