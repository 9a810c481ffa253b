"""Several clusters side by side: each goes on while another is looked at, and is found as it was left."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from textual.pilot import Pilot

from kubedoctor.cluster import Ref
from kubedoctor.collect.options import Options
from kubedoctor.engine import load_catalogue
from kubedoctor.engine.health import Health
from kubedoctor.findings.commands import in_cluster
from kubedoctor.sandbox import Sandbox
from kubedoctor.tui.app import KubedoctorApp
from kubedoctor.tui.contexts import clusters_of
from kubedoctor.tui.home.cluster_rows import ClusterRow, cluster_row
from kubedoctor.tui.home.clusters_screen import ClustersScreen
from kubedoctor.tui.screens.copy_screen import CopyScreen
from kubedoctor.tui.screens.list_screen import ListScreen
from kubedoctor.tui.screens.text_screen import TextScreen
from kubedoctor.tui.session import Session
from kubedoctor.tui.widgets.incident_pane import IncidentPane
from kubedoctor.tui.widgets.one_line import Heading
from kubedoctor.tui.widgets.text_view import TextView
from kubedoctor.tui.widgets.virtual_table import VirtualTable
from tests.cli.several import clusters
from tests.tui.recordings import command
from tests.tui.running import heard, on_top, text_of
from tests.tui.test_live import until
from tests.tui.test_proving import service

CONTEXTS = ("dead", "prod-eu", "prod-us")


@asynccontextmanager
async def running(
    folder: Path,
) -> AsyncIterator[tuple[Pilot[int], KubedoctorApp, ClustersScreen, dict[str, Sandbox]]]:
    path = folder / "config"
    with clusters(path, {"prod-eu": "oom-killed", "prod-us": "service-selector-typo"}) as sandboxes:
        options = Options(kubeconfig=str(path), all_namespaces=True)
        app = KubedoctorApp(_none, "", "", clusters_of(CONTEXTS, options, load_catalogue))
        async with app.run_test(size=(80, 24)) as pilot:
            await until(lambda: isinstance(app.screen, ClustersScreen) and app.screen.is_mounted)
            screen = app.screen
            assert isinstance(screen, ClustersScreen)
            await until(lambda: sum(row.broken == "1" for row in rows(screen)) == 2 and rows(screen)[0].status)
            yield pilot, app, screen, sandboxes
            await asyncio.to_thread(app.close_sessions)


def _none() -> Session:
    raise AssertionError("none is opened alone")


def rows(screen: ClustersScreen) -> list[ClusterRow]:
    return [row for row in screen.query_one(VirtualTable).rows if isinstance(row, ClusterRow)]


async def test_they_stand_side_by_side_and_go_on(tmp_path: Path) -> None:
    async with running(tmp_path) as (pilot, _, screen, sandboxes):
        assert [row.ref.name for row in rows(screen)] == list(CONTEXTS)
        await until(lambda: "refuses the connection" in rows(screen)[0].status)
        assert [row.health for row in rows(screen)] == [Health.DEGRADED, Health.BROKEN, Health.BROKEN]
        assert "3 clusters, 2 incidents broken, 1 not read" in screen.query_one(Heading).text
        await pilot.press("j", "j")
        await until(lambda: "matches no pod" in screen.query_one(TextView).page.plain)
        sandboxes["prod-us"].put(service("checkout"))
        await until(lambda: rows(screen)[2].broken == "0")
        assert rows(screen)[2].status == "nothing is broken"
        assert rows(screen)[1].broken == "1"


async def test_each_is_found_as_it_was_left(tmp_path: Path) -> None:
    async with running(tmp_path) as (pilot, app, screen, _):
        await pilot.press("j", "enter")
        await until(lambda: on_top(app) is app.homes["prod-eu"])
        home = app.homes["prod-eu"]
        await pilot.press("tab", "slash", *"api", "enter")
        await until(lambda: [row.ref.name for row in home.query_one(VirtualTable).rows] == ["api"])
        await command(pilot, app, "ctx prod-us")
        await until(lambda: on_top(app) is app.homes["prod-us"])
        assert app.homes["prod-us"].query_one(VirtualTable).rows[0].ref.name == "checkout"
        await command(pilot, app, "ctx prod-eu")
        await until(lambda: on_top(app) is home)
        assert (home.filter, home.view.kind) == ("api", "")
        await pilot.press("escape", "escape")
        await until(lambda: on_top(app) is screen or home.view.kind == "Finding")
        await pilot.press("escape")
        await until(lambda: on_top(app) is screen)
        await pilot.press("colon", *"ctx prod-us", "enter")
        await until(lambda: on_top(app) is app.homes["prod-us"])


async def test_help_and_contexts_are_those_of_the_clusters(tmp_path: Path) -> None:
    async with running(tmp_path) as (pilot, app, screen, _):
        said = heard(screen)
        await pilot.press("question_mark")
        await until(lambda: isinstance(app.screen, TextScreen) and "open the cluster" in text_of(app))
        assert "rehearse" not in text_of(app)
        await pilot.press("escape")
        await until(lambda: on_top(app) is screen)
        await pilot.press("colon", *"ctx", "enter")
        await until(lambda: said)
        assert ":ctx NAME" in said[0]


async def test_a_list_of_another_cluster_is_one_command_away(tmp_path: Path) -> None:
    async with running(tmp_path) as (pilot, app, _, _):
        await pilot.press("j", "enter")
        await until(lambda: on_top(app) is app.homes["prod-eu"])
        await until(lambda: app.homes["prod-us"].report)
        await pilot.press("colon", *"svc /check @prod-u", "tab", "enter")
        home = app.homes["prod-us"]
        await until(lambda: on_top(app) is home and home.view.kind == "Service" and home.filter == "check")
        await until(lambda: [row.ref.name for row in home.query_one(VirtualTable).rows] == ["checkout"])
        await pilot.press("Y")
        await until(lambda: app.clipboard == home.query_one(VirtualTable).rows[0].ref.namespace)


async def test_a_dead_one_is_opened_and_says_why(tmp_path: Path) -> None:
    async with running(tmp_path) as (pilot, app, _, _):
        await until(lambda: app.homes["dead"].problem)
        await pilot.press("enter")
        await until(lambda: on_top(app) is app.homes["dead"])
        await until(lambda: "refuses the connection" in app.screen.query_one(TextView).page.plain)


async def test_another_context_leaves_the_first_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "config"
    with clusters(path, {"prod-eu": "oom-killed", "prod-us": "service-selector-typo"}):
        options = Options(kubeconfig=str(path))
        (open_session,) = clusters_of(("prod-eu",), options, load_catalogue).values()
        app = KubedoctorApp(open_session, "")
        async with app.run_test(size=(80, 24)) as pilot:
            await until(lambda: isinstance(app.screen, ListScreen) and app.screen.report)
            first = app.homes["prod-eu"]
            await pilot.press("tab")
            await until(lambda: first.view.kind == "" and first.query_one(VirtualTable).rows)
            await command(pilot, app, "ctx prod-us")
            await until(lambda: "prod-us" in app.homes and on_top(app) is app.homes["prod-us"])
            await until(lambda: app.homes["prod-us"].report)
            await until(lambda: app.screen.query_one(IncidentPane).verdict)
            await pilot.press("x")
            named = f"kubectl --kubeconfig {path} --context prod-us"
            await until(lambda: f"{named} patch service/checkout" in app.clipboard)
            shown = app.screen.query_one(IncidentPane).page.plain
            assert "--context prod-us patch service/checkout" in " ".join(shown.split())
            assert named in in_cluster("kubectl get pods", app.flags)
            await pilot.press("X")
            await until(lambda: isinstance(app.screen, CopyScreen))
            copying = app.screen
            assert isinstance(copying, CopyScreen)
            assert all(one.line.count("--context prod-us") == 1 for one in copying.commands if "kubectl" in one.line)
            assert all(str(path) in one.line for one in copying.commands)
            await pilot.press("escape")
            await command(pilot, app, "ctx prod-eu")
            await until(lambda: on_top(app) is first)
            assert first.view.kind == ""
            await asyncio.to_thread(app.close_sessions)


def test_rows() -> None:
    assert cluster_row("a", None, None, None, "").status == "… examining…"
    assert cluster_row("a", None, None, None, "reading: 5 objects").status == "… reading: 5 objects"
    gone = cluster_row("a", None, None, ("it is down", "start it"), "")
    assert (gone.health, gone.status, gone.ref) == (Health.DEGRADED, "not read: it is down", Ref("Context", "", "a"))
