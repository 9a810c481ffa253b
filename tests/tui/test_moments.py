"""Other moments of a recording: what is shown is of the moment in the heading, whatever is pressed on the way there."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from textual.pilot import Pilot

from kubedoctor.tui.app import KubedoctorApp
from kubedoctor.tui.logs.log_feed import LogFeed
from kubedoctor.tui.logs.log_screen import LogScreen
from kubedoctor.tui.messages import Examined, Told
from kubedoctor.tui.screens.list_screen import ListScreen
from kubedoctor.tui.screens.sheet_screen import SheetScreen
from kubedoctor.tui.screens.text_screen import TextScreen
from kubedoctor.tui.screens.why_screen import WhyScreen
from kubedoctor.tui.widgets.banner import Banner
from kubedoctor.tui.widgets.one_line import Heading, Keys
from kubedoctor.tui.widgets.text_view import TextView
from tests.tui.histories import application
from tests.tui.recordings import command, list_screen, press
from tests.tui.running import heard, on_top, text_of
from tests.tui.screenshots import settle


@asynccontextmanager
async def running(namespace: str = "") -> AsyncIterator[tuple[Pilot[int], KubedoctorApp, ListScreen, list[str]]]:
    """The last value gets what is notified."""
    app = application(namespace)
    async with app.run_test(size=(100, 30)) as pilot:
        await settle(app)
        said = heard(app)
        yield pilot, app, list_screen(app), said


def incidents(screen: ListScreen) -> list[str]:
    return [row.ref.name for row in screen.rows]


def banner(screen: ListScreen) -> str:
    shown = screen.query_one(Banner)
    return str(shown.render()) if shown.display else ""


async def test_all_namespaces_of_a_past_and_then_of_the_end() -> None:
    async with running("ops") as (pilot, app, screen, _):
        await press(pilot, app, "left_curly_bracket")
        await press(pilot, app, "0")
        assert incidents(screen) == []
        assert "Nothing is broken" in text_of(app)
        assert screen.report is not None
        assert screen.report.taken_at == screen.session.snapshot.taken_at
        await command(pilot, app, "live")
        assert incidents(screen) == ["checkout"]
        assert "Nothing is broken" not in text_of(app)
        await press(pilot, app, "left_curly_bracket")
        await command(pilot, app, "incidents ops")
        await command(pilot, app, "live")
        assert screen.view.namespace == "ops"
        assert incidents(screen) == []


async def test_each_press_is_a_step() -> None:
    async with running() as (pilot, app, screen, said):
        await press(pilot, app, *["left_curly_bracket"] * 3)
        assert "Deployment shop/api" in banner(screen)
        assert "6m to the end" in banner(screen)
        assert "esc to the end" in banner(screen)
        await press(pilot, app, "right_curly_bracket", "right_curly_bracket")
        assert "Service shop/checkout" in banner(screen)
        await press(pilot, app, *["left_curly_bracket"] * 4)
        assert "Nothing earlier is recorded" in said[-1]
        assert "Deployment shop/api" in banner(screen), "the steps that were possible are made"
        await press(pilot, app, "escape", "right_curly_bracket")
        assert banner(screen) == ""


async def test_a_key_while_rows_are_read_is_not_lost() -> None:
    async with running("ops") as (pilot, app, screen, _):
        await press(pilot, app, "0", "left_curly_bracket")
        assert "2m to the end" in banner(screen)
        await press(pilot, app, "left_curly_bracket", "1", "right_curly_bracket")
        assert screen.view.namespace == "default"
        assert "2m to the end" in banner(screen)
        assert screen.report is not None
        assert screen.report.taken_at == screen.session.snapshot.taken_at


async def test_what_was_made_of_another_moment_is_not_shown() -> None:
    async with running() as (pilot, app, screen, _):
        there, report = screen.session.machine.standing, screen.report
        assert report is not None
        (row,) = screen.rows
        page = text_of(app)
        verdict = screen.session.verdict(row.ref, report, row.finding)
        await press(pilot, app, "left_curly_bracket")
        late = Examined("", report, 0.0)
        told = Told(row, verdict, screen._pane.page)
        late.there = told.there = there
        screen.post_message(late)
        screen.post_message(told)
        await press(pilot, app)
        assert screen.report is not report
        assert incidents(screen) == []
        assert text_of(app) != page


async def test_words_of_a_recording() -> None:
    async with running() as (pilot, app, _, said):
        await press(pilot, app, "right_curly_bracket")
        assert said == ["This is the end of the recording. { goes back."]
        await command(pilot, app, "at noon")
        assert "is no moment" in said[-1]


@pytest.mark.parametrize(("key", "screen_of"), [("w", WhyScreen), ("d", TextScreen), ("y", TextScreen)])
async def test_pages_go_with_the_moment(key: str, screen_of: type[object]) -> None:
    async with running() as (pilot, app, screen, _):
        await press(pilot, app, key)
        page = text_of(app)
        assert isinstance(app.screen, screen_of)
        assert "chekout" in page
        await press(pilot, app, "left_curly_bracket")
        assert isinstance(app.screen, screen_of)
        assert "◀ 14:31:47" in app.screen.query_one(Heading).text
        assert "chekout" not in text_of(app)
        assert screen.session.is_past
        await press(pilot, app, "right_curly_bracket")
        assert "◀" not in app.screen.query_one(Heading).text
        assert text_of(app) == page


async def test_an_answer_is_asked_again_and_what_was_opened_from_it_closes() -> None:
    async with running() as (pilot, app, screen, _):
        await press(pilot, app, "tab")
        screen._table.highlight([row.ref.name for row in screen.rows].index("web"))
        await press(pilot, app, "t")
        sheet = app.screen
        assert isinstance(sheet, SheetScreen)
        before = sheet.sheet
        await press(pilot, app, "left_curly_bracket")
        assert on_top(app) is sheet
        assert before is not None
        assert before is not sheet.sheet
        assert "◀ 14:31:47" in sheet.query_one(Heading).text
        SheetScreen.show(app, screen.session, before)
        await press(pilot, app, "left_curly_bracket")
        assert on_top(app) is sheet
        assert "◀ 14:29:47" in sheet.query_one(Heading).text


async def test_logs_of_a_recording_do_not_follow_and_have_no_earlier_moment() -> None:
    async with running() as (pilot, app, screen, said):
        await press(pilot, app, "tab")
        screen._table.highlight([row.ref.name for row in screen.rows].index("web"))
        await press(pilot, app, "l")
        logs = app.screen
        assert isinstance(logs, LogScreen)
        keys = "".join(piece.text for piece in logs.query_one(Keys).line(200))
        assert "follow" not in keys
        assert "since" not in keys
        await press(pilot, app, "f")
        assert said[-1] == "This is a recording: no lines follow."
        await press(pilot, app, "3")
        assert "without their times" in said[-1]
        await press(pilot, app, "left_curly_bracket")
        assert "no times in a recording" in logs.query_one(TextView).page.plain
        assert isinstance(logs.feed, LogFeed)
        assert not logs.feed.lines


async def test_a_key_of_a_question_that_does_not_fit_says_so() -> None:
    async with running() as (pilot, app, _, said):
        await press(pilot, app, "n")
        assert said == ["No binding or why-pending of a Service."]
