"""A fix, or any change, tried on a copy of what is shown; the report written from the screen; what is suppressed."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from kubedoctor.cluster import Ref, ref
from kubedoctor.collect.opening import open_source
from kubedoctor.collect.options import Options
from kubedoctor.collect.settings import Settings
from kubedoctor.engine import load_catalogue
from kubedoctor.problems import Problem
from kubedoctor.sandbox import recording_path
from kubedoctor.tui.app import KubedoctorApp
from kubedoctor.tui.screens.copy_screen import CopyScreen
from kubedoctor.tui.screens.sheet_screen import SheetScreen
from kubedoctor.tui.screens.text_screen import TextScreen
from kubedoctor.tui.screens.what_if_screen import WhatIfScreen
from kubedoctor.tui.session import Session
from kubedoctor.tui.state.rehearsing import Stopped, TriedChange, attempted
from kubedoctor.tui.state.reporting import write_report
from kubedoctor.tui.widgets.banner import Banner
from kubedoctor.tui.widgets.incident_pane import IncidentPane
from kubedoctor.tui.widgets.status_bar import StatusBar
from kubedoctor.tui.widgets.text_view import TextView
from tests.tui.recordings import command, opened, press
from tests.tui.running import on_top, running
from tests.tui.screenshots import application


def page_of(app: KubedoctorApp) -> str:
    return app.screen.query_one("#page", TextView).page.plain


@pytest.mark.parametrize("size", [(120, 40), (80, 24)])
async def test_r_says_what_becomes_of_the_incidents(size: tuple[int, int]) -> None:
    app = application("service-selector-typo", "")
    async with running(app, size, home=True) as (pilot, screen):
        await press(pilot, app, "r")
        assert isinstance(on_top(app), SheetScreen)
        page = page_of(app)
        assert "1 incident gone; nothing breaks" in page
        assert "nothing: replayed on the state of" in page
        assert "kubectl patch service/checkout" in page
        await press(pilot, app, "x")
        assert isinstance(on_top(app), CopyScreen)
        await press(pilot, app, "escape", "escape")
        assert on_top(app) is screen


async def test_the_fix_that_is_open_is_rehearsed() -> None:
    app = application("insufficient-cpu", "")
    async with running(app, home=True) as (pilot, screen):
        verdict = screen.query_one(IncidentPane).verdict
        assert verdict is not None
        await press(pilot, app, "w", "1", "r")
        assert verdict.causes[0].fixes[0].summary in page_of(app)


async def test_any_change_is_typed() -> None:
    app = application("insufficient-cpu", "")
    async with running(app, home=True) as (pilot, _):
        await press(pilot, app, "W")
        assert isinstance(on_top(app), WhatIfScreen)
        for letter in "requests.cpu=5":
            await pilot.press({".": "full_stop", "=": "equals_sign"}.get(letter, letter))
        await press(pilot, app, "enter")
        assert isinstance(on_top(app), SheetScreen)
        assert "no node takes a pod of Deployment shop/checkout" in page_of(app)
        assert "stays" in page_of(app)


async def test_what_cannot_be_tried_is_said() -> None:
    app = application("oom-killed", "")
    async with running(app, home=True) as (pilot, _):
        await press(pilot, app, "W", "x", "enter")
        assert "this change cannot be tried" in page_of(app)
        await press(pilot, app, "escape", "W", "escape")
        assert not isinstance(on_top(app), WhatIfScreen)


def test_who_leaves_ends_the_work() -> None:
    session = Session(opened("shop-at-night"), load_catalogue())
    stop = threading.Event()
    stop.set()
    subject = session.snapshot.namespaces()[0]
    with pytest.raises(Stopped):
        attempted(session, TriedChange(f"kubectl label ns {subject} a=b", next(iter_refs(session))), None, stop)


def iter_refs(session: Session) -> Iterator[Ref]:

    return (ref(obj) for obj in session.snapshot.of_kind("Deployment"))


async def test_the_report_is_written_and_none_is_overwritten(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    app = application("oom-killed", "")
    async with running(app, home=True) as (pilot, _):
        await press(pilot, app, "R")
        await press(pilot, app, "R")
        names = sorted(path.name for path in tmp_path.iterdir())
        assert [name.rpartition(".")[2] for name in names] == ["html", "md", "html", "md"]
        assert sum("-2." in name for name in names) == 2
        assert any("Written: " in note.message for note in app._notifications)  # shown for seconds only


def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    session = Session(opened("oom-killed"), load_catalogue())
    with pytest.raises(Problem, match="the report cannot be written"):
        write_report(session.scan(""), session.snapshot, tmp_path / "nowhere")


def suppressing(*entries: dict[str, str]) -> KubedoctorApp:
    source = Options(from_=(str(recording_path("oom-killed")),))
    settings = Settings(".kubedoctor.yaml", {"suppressions": list(entries)})
    return KubedoctorApp(lambda: Session(open_source(source, read=False), load_catalogue(), settings=settings), "")


async def test_what_is_suppressed_is_counted_and_listed() -> None:
    app = suppressing({"code": "KD1005", "until": "2027-06-30", "reason": "known, until the new release"})
    async with running(app, home=True) as (pilot, screen):
        assert not screen.rows
        assert screen.query_one(StatusBar).suppressed == 1
        await command(pilot, app, "suppressed")
        assert isinstance(on_top(app), TextScreen)
        text = app.screen.query_one(TextView).page.plain
        assert "1 suppressed finding" in text
        assert "until 2027-06-30: known, until the new release" in text


async def test_one_that_expired_is_said() -> None:
    app = suppressing({"code": "KD1005", "until": str(date(2025, 1, 31)), "reason": "long ago"})
    async with running(app, home=True) as (pilot, screen):
        assert screen.rows
        assert "Not suppressed: .kubedoctor.yaml" in str(screen.query_one(Banner).render())
        await command(pilot, app, "suppressed")
        assert "Not in force" in app.screen.query_one(TextView).page.plain
