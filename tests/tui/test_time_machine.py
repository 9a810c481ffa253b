"""The whole screen goes back to what was watched, says so, and comes to the present again."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from textual.app import App

from kubedoctor.engine.health import Health
from kubedoctor.sandbox import Sandbox, SandboxServer, load_recording, recording_path, serve
from kubedoctor.tui.screens.list_screen import ListScreen
from kubedoctor.tui.screens.sheet_screen import SheetScreen
from kubedoctor.tui.screens.text_screen import TextScreen
from kubedoctor.tui.screens.why_screen import WhyScreen
from kubedoctor.tui.widgets.banner import Banner
from kubedoctor.tui.widgets.one_line import Heading, Keys
from kubedoctor.tui.widgets.status_bar import StatusBar
from kubedoctor.tui.widgets.text_view import TextView
from kubedoctor.tui.widgets.virtual_table import VirtualTable
from tests.tui.running import heard
from tests.tui.test_live import deployment, marks, running, until


@pytest.fixture
def sandbox() -> Sandbox:
    return Sandbox(load_recording(recording_path("oom-killed")))


@pytest.fixture
def served(sandbox: Sandbox) -> Iterator[SandboxServer]:
    with serve(sandbox) as one:
        yield one


def banner(screen: ListScreen) -> str:
    shown = screen.query_one(Banner)
    return str(shown.render()) if shown.display else ""


def notes(app: App[Any]) -> list[str]:
    """Those beside the screen, and the one in the place of the keys."""
    brief = [keys.notice for keys in app.screen.query(Keys) if keys.notice]
    return [*(note.message for note in app._notifications), *brief]


async def break_web(sandbox: Sandbox, screen: ListScreen) -> None:
    """Another image, after which no replica is ready."""
    await until(lambda: screen.session.freshness().watching and screen.report)
    await until(lambda: marks(screen).get("web") is Health.HEALTHY)
    sick = deployment(sandbox, "web")
    sick["spec"]["template"]["spec"]["containers"][0]["image"] = "shop/web:2.0.0-rc1"
    sick["status"]["readyReplicas"] = 0
    sandbox.put(sick)
    await until(lambda: marks(screen)["web"] is Health.BROKEN)


async def test_a_quiet_cluster_is_not_called_unwatched(served: SandboxServer) -> None:
    async with running(served) as (pilot, screen):
        await until(lambda: screen.session.freshness().watching and screen.report)
        await pilot.press("left_curly_bracket")
        await until(lambda: notes(pilot.app))
        assert "Nothing has changed since kubedoctor began to watch" in notes(pilot.app)[0]


async def test_going_back_shows_the_state_before_and_the_present_comes_back(
    sandbox: Sandbox, served: SandboxServer
) -> None:
    async with running(served) as (pilot, screen):
        await break_web(sandbox, screen)
        await pilot.press("left_curly_bracket")
        await until(lambda: screen.session.is_past)
        await until(lambda: marks(screen)["web"] is Health.HEALTHY)
        assert "before: Deployment shop/web: image" in banner(screen)
        assert "2.0.0-rc1" in banner(screen)
        assert screen.query_one(StatusBar).state == "past"
        assert screen.has_class("-past")
        assert screen.report is not None
        assert screen.report.taken_at == screen.session.snapshot.taken_at
        sandbox.delete(deployment(sandbox, "web"))
        await until(lambda: screen.session.source.snapshot.revision("Deployment") > 0)
        await pilot.pause(0.5)
        assert marks(screen)["web"] is Health.HEALTHY, "what happens meanwhile does not change the past"
        await pilot.press("escape")
        await until(lambda: not screen.session.is_past)
        await until(lambda: "web" not in marks(screen))
        assert banner(screen) == ""
        assert not screen.has_class("-past")


async def test_the_pages_of_the_past_are_marked_and_show_the_past(sandbox: Sandbox, served: SandboxServer) -> None:
    async with running(served) as (pilot, screen):
        await break_web(sandbox, screen)
        await pilot.press("left_curly_bracket")
        await until(lambda: screen.session.is_past and marks(screen)["web"] is Health.HEALTHY)
        table = screen.query_one(VirtualTable)
        table.highlight([row.ref.name for row in table.rows].index("web"))
        await pilot.press("y")
        await until(lambda: isinstance(pilot.app.screen, TextScreen))
        await until(lambda: "kind: Deployment" in pilot.app.screen.query_one(TextView).page.plain)
        assert "2.0.0-rc1" not in pilot.app.screen.query_one(TextView).page.plain
        assert screen.session.machine.moment is not None
        assert f"◀ {screen.session.machine.moment.at:%H:%M:%S}" in pilot.app.screen.query_one(Heading).text
        await pilot.press("escape", "w")
        await until(lambda: isinstance(pilot.app.screen, WhyScreen))
        assert "◀" in pilot.app.screen.query_one(Heading).text
        await pilot.press("escape", "right_curly_bracket")
        await until(lambda: not screen.session.is_past)
        await until(lambda: marks(screen)["web"] is Health.BROKEN)
        await pilot.press("t")
        await until(lambda: isinstance(pilot.app.screen, SheetScreen))
        sheet = pilot.app.screen
        assert isinstance(sheet, SheetScreen)
        await until(lambda: sheet.sheet)
        assert sheet.sheet is not None
        texts = [row.cells[3].text for table in sheet.sheet.tables for row in table.rows]
        assert any("changed: image" in text and "2.0.0-rc1" in text for text in texts), texts
        assert "◀" not in pilot.app.screen.query_one(Heading).text


async def test_moments_have_names_and_what_cannot_be_shown_is_said(sandbox: Sandbox, served: SandboxServer) -> None:
    async with running(served) as (pilot, screen):
        await until(lambda: screen.session.freshness().watching and screen.report)
        said = heard(screen)
        await pilot.press("right_curly_bracket")
        assert "This is the present" in said[-1]
        await break_web(sandbox, screen)
        ring = screen.session.machine.ring
        assert ring is not None
        for _ in range(10):
            await pilot.press("left_curly_bracket")
            await pilot.pause(0.3)
        await until(lambda: "Nothing earlier is recorded" in said[-1])
        assert screen.session.is_past
        await pilot.press("colon", *"live", "enter")
        await until(lambda: not screen.session.is_past)
        await pilot.press("colon", *"at 5h", "enter")
        await until(lambda: "Nothing is recorded before" in said[-1])
        await pilot.press("colon", *"at noon", "enter")
        await until(lambda: "is no moment" in said[-1])
        await pilot.press("colon", *"at 0s", "enter")
        await pilot.pause(0.3)
        assert not screen.session.is_past
