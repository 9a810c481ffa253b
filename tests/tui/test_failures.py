"""The application where something cannot be read: the rows stay, and the reason is named."""

from __future__ import annotations

from kubedoctor.cluster import Want
from kubedoctor.engine import load_catalogue
from kubedoctor.problems import BundleProblem, ConnectionProblem
from kubedoctor.tui.app import KubedoctorApp
from kubedoctor.tui.messages import Failed
from kubedoctor.tui.session import Session
from kubedoctor.tui.widgets.incident_pane import IncidentPane
from tests.tui.recordings import command, opened, press
from tests.tui.running import SIZE, running, shown
from tests.tui.screenshots import application, settle


async def test_a_failure_is_a_banner_and_the_rows_stay() -> None:
    app = application("oom-killed")
    async with running(app) as (pilot, screen):
        before = shown(screen)
        screen.post_message(Failed(ConnectionProblem("the API server is gone", "Try again.")))
        await pilot.pause()
        banner = screen.query_one("#banner")
        assert banner.display
        assert shown(screen) == before


async def test_a_refused_kind_is_named() -> None:
    source = opened("oom-killed")
    source.snapshot.refuse(Want("Secret"), "list secrets is forbidden")
    app = KubedoctorApp(lambda: Session(source, load_catalogue()), "shop")
    async with running(app) as (pilot, screen):
        await command(pilot, app, "secrets")
        assert "forbidden" in str(screen.query_one("#banner").render())


async def test_an_empty_namespace_says_what_to_try() -> None:
    source = opened("oom-killed")
    app = KubedoctorApp(lambda: Session(source, load_catalogue()), "nowhere")
    async with running(app) as (pilot, screen):
        assert "No workloads in nowhere" in screen.query_one(IncidentPane).page.plain
        await press(pilot, app, "shift+tab")
        assert "0 workloads here" in screen.query_one(IncidentPane).page.plain


async def test_a_source_that_cannot_be_opened_ends_the_application_with_its_problem() -> None:
    def refuse() -> Session:
        raise BundleProblem("x.tar.gz is no bundle", "Make one with: kubedoctor capture")

    app = KubedoctorApp(refuse, None, "x.tar.gz")
    async with app.run_test(size=SIZE) as pilot:
        await settle(app)
        await pilot.pause()
    assert isinstance(app.problem, BundleProblem)
