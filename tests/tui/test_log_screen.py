"""The screen of logs: it follows, filters, marks the line that decides and shows text of programs as text."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from kubedoctor.cluster import LogWant
from kubedoctor.collect.opening import open_source
from kubedoctor.collect.options import Options
from kubedoctor.engine import load_catalogue
from kubedoctor.sandbox import Sandbox, SandboxServer, load_recording, recording_path, serve
from kubedoctor.tui.app import KubedoctorApp
from kubedoctor.tui.logs.log_screen import LogScreen
from kubedoctor.tui.logs.shown_logs import DecidingLine, LogLook, MergedLine, filter_of, logs_page
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
        await pilot.press("escape", "p")
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
