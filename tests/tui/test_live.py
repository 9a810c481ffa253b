"""The application on a live API server: it follows changes, names what is refused, and outlives a lost connection."""

from __future__ import annotations

import asyncio
import copy
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import yaml
from textual.pilot import Pilot
from textual.widgets import Static

from kubedoctor.collect import strain
from kubedoctor.collect.opening import open_source
from kubedoctor.collect.options import Options
from kubedoctor.engine import load_catalogue
from kubedoctor.engine.health import Health
from kubedoctor.sandbox import Sandbox, SandboxServer, load_recording, recording_path, serve
from kubedoctor.sandbox.faults import forbidden, throttled, unauthorized
from kubedoctor.tui.app import KubedoctorApp
from kubedoctor.tui.contexts import opener_for
from kubedoctor.tui.logs.log_screen import LogScreen
from kubedoctor.tui.rows import View
from kubedoctor.tui.screens.copy_screen import CopyScreen
from kubedoctor.tui.screens.list_screen import ListScreen
from kubedoctor.tui.screens.sheet_screen import SheetScreen
from kubedoctor.tui.screens.why_screen import WhyScreen
from kubedoctor.tui.session import Session
from kubedoctor.tui.widgets.banner import Banner
from kubedoctor.tui.widgets.incident_pane import IncidentPane
from kubedoctor.tui.widgets.one_line import Tabs
from kubedoctor.tui.widgets.prompt import Prompt
from kubedoctor.tui.widgets.status_bar import StatusBar
from kubedoctor.tui.widgets.text_view import TextView
from kubedoctor.tui.widgets.virtual_table import VirtualTable
from tests.tui.recordings import list_screen

PATIENCE = 30.0  # seconds


@pytest.fixture
def sandbox() -> Sandbox:
    return Sandbox(load_recording(recording_path("oom-killed")))


@pytest.fixture
def served(sandbox: Sandbox) -> Iterator[SandboxServer]:
    with serve(sandbox) as one:
        yield one


@asynccontextmanager
async def running(served: SandboxServer, namespace: str = "shop") -> AsyncIterator[tuple[Pilot[int], ListScreen]]:
    options = Options(kubeconfig=str(served.kubeconfig))
    app = KubedoctorApp(lambda: Session(open_source(options), load_catalogue(), opener_for(options)), namespace)
    async with app.run_test(size=(120, 32)) as pilot:
        await until(lambda: isinstance(app.screen, ListScreen) and app.screen.is_mounted)
        list_screen(app).action_switch(1)
        yield pilot, list_screen(app)
        assert app.session is not None
        await asyncio.to_thread(app.session.close)


async def until(true: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < deadline, "it did not happen"
        await asyncio.sleep(0.05)


def marks(screen: ListScreen) -> dict[str, Health]:
    return {row.ref.name: row.health for row in screen.rows}


def deployment(sandbox: Sandbox, name: str) -> dict[str, Any]:
    found = next(
        obj
        for obj in load_recording(recording_path("oom-killed")).objects
        if obj["kind"] == "Deployment" and obj["metadata"]["name"] == name
    )
    return copy.deepcopy(found)


async def test_it_follows_what_changes(sandbox: Sandbox, served: SandboxServer) -> None:
    async with running(served) as (_, screen):
        await until(lambda: screen.session.freshness().watching)
        await until(lambda: marks(screen).get("web") is Health.HEALTHY)
        sick = deployment(sandbox, "web")
        sick["status"]["readyReplicas"] = 0
        sandbox.put(sick)
        await until(lambda: marks(screen)["web"] is Health.BROKEN)
        sandbox.delete(sick)
        await until(lambda: "web" not in marks(screen))
        await until(lambda: "live · last change" in screen.query_one(StatusBar).currency[0])
        await until(lambda: "examined" in "".join(piece.text for piece in screen.query_one(Tabs).line(200)))


async def test_why_and_logs_are_read_live(served: SandboxServer) -> None:
    async with running(served) as (pilot, screen):
        await until(lambda: screen.query_one(IncidentPane).verdict)
        await pilot.press("w")
        await until(lambda: isinstance(pilot.app.screen, WhyScreen))
        await until(lambda: "memory limit" in pilot.app.screen.query_one(TextView).page.plain)
        await pilot.press("p")
        await until(lambda: isinstance(pilot.app.screen, LogScreen))
        await until(lambda: pilot.app.screen.query_one(TextView).page.plain)


async def test_a_kind_that_is_refused_is_named_and_the_others_are_shown(
    sandbox: Sandbox, served: SandboxServer
) -> None:
    sandbox.faults.append(forbidden("deployments"))
    async with running(served) as (pilot, screen):
        await until(lambda: screen.report)
        assert "db" in marks(screen)
        assert any(name.startswith("checkout-") for name in marks(screen))
        assert screen.report is not None
        assert any("Deployment" in one.why for one in screen.report.not_checked)
        await pilot.press("colon", *"deploy", "enter")
        await until(lambda: screen.view == View("Deployment", "shop"))
        await until(lambda: "Deployments cannot be listed" in str(screen.query_one("#banner", Static).render()))


async def test_nodes_that_are_refused_are_named_where_a_pod_waits_for_one() -> None:
    faults = [forbidden("nodes")]
    with serve(Sandbox(load_recording(recording_path("insufficient-cpu")), faults=faults)) as served:
        async with running(served) as (pilot, screen):
            await until(lambda: screen.report)
            await pilot.press("colon", *"po", "enter")
            await until(lambda: screen.view == View("Pod", "shop") and "checkout" in first_name(screen))
            await pilot.press("w")
            await until(lambda: isinstance(pilot.app.screen, WhyScreen))
            await until(lambda: "Insufficient cpu" in pilot.app.screen.query_one(TextView).page.plain)
            await pilot.press("n")
            await until(lambda: isinstance(pilot.app.screen, SheetScreen))
            page = pilot.app.screen.query_one("#page", TextView)
            await until(lambda: "the scheduler cannot be replayed" in page.page.plain)
            assert "not checked Node: list nodes is forbidden" in page.page.plain
            await pilot.press("N", "x")
            await until(lambda: isinstance(pilot.app.screen, CopyScreen))


def first_name(screen: ListScreen) -> str:
    row = screen.query_one(VirtualTable).current
    return row.ref.name if row is not None else ""


async def test_a_lost_connection_is_a_banner_and_the_rows_stay(served: SandboxServer) -> None:
    async with running(served) as (_, screen):
        await until(lambda: screen.session.freshness().watching)
        before = marks(screen)
        served.stop()
        banner = screen.query_one("#banner", Static)
        await until(lambda: banner.display)
        assert "Lost sight of" in str(banner.render())
        assert marks(screen) == before


async def test_a_busy_server_is_a_banner_that_goes_away(
    sandbox: Sandbox, served: SandboxServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(strain, "RECENT", 2.0)
    sandbox.faults.append(throttled(times=3, retry_after=1))
    async with running(served) as (_, screen):
        banner = screen.query_one("#banner", Static)
        await until(lambda: banner.has_class("strained"))
        assert "429 Too Many Requests" in str(banner.render())
        await until(lambda: screen.report)
        await until(lambda: not banner.display)


async def test_a_message_that_was_hidden_by_a_more_urgent_one_comes_back(served: SandboxServer) -> None:
    async with running(served) as (_, screen):
        await until(lambda: screen.report)
        banner = screen.query_one(Banner)
        banner.say("some kinds cannot be listed", "refused")
        banner.say("the connection is lost", "lost")
        assert banner.has_class("lost")
        banner.say("", "lost")
        assert banner.has_class("refused")
        assert "cannot be listed" in str(banner.render())


async def test_credentials_that_are_not_accepted_are_said_at_once(sandbox: Sandbox, served: SandboxServer) -> None:
    sandbox.faults.append(unauthorized())
    async with running(served) as (_, screen):
        banner = screen.query_one("#banner", Static)
        await until(lambda: banner.display)
        assert banner.has_class("failed")


async def test_contexts_are_listed_and_opened(served: SandboxServer) -> None:
    kubeconfig = yaml.safe_load(served.kubeconfig.read_text())
    (only,) = kubeconfig["contexts"]
    kubeconfig["contexts"] = [only, {**only, "name": "zoo"}]
    served.kubeconfig.write_text(yaml.safe_dump(kubeconfig))
    async with running(served) as (pilot, screen):
        await until(lambda: screen.report)
        await pilot.press("colon", *"ctx", "enter")
        await until(lambda: screen.view.kind == "Context" and len(screen.rows) == 2)
        row = screen.query_one(VirtualTable).current
        assert row is not None
        assert row.status == "current"
        await pilot.press("enter")
        await until(lambda: screen.view.kind != "Context")
        assert pilot.app.screen is screen, "it is open already"

        await pilot.press("colon", *"ctx", "enter")
        await until(lambda: screen.view.kind == "Context" and len(screen.rows) == 2)
        await pilot.press("j", "enter")
        await until(lambda: pilot.app.screen is not screen and isinstance(pilot.app.screen, ListScreen))
        other = pilot.app.screen
        assert isinstance(other, ListScreen)
        assert other.session is not screen.session
        assert screen.view.kind != "Context", "what is left is as it was before the list of contexts"
        await until(lambda: other.report)
        other.post_message(Prompt.Command(f"po @{only['name']}"))
        await until(lambda: pilot.app.screen is screen and screen.view.kind == "Pod")
        await asyncio.to_thread(other.session.close)
