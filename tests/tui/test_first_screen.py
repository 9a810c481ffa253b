"""The first ten seconds: what a person sees before a key is pressed, at 80 columns and 24 lines."""

from __future__ import annotations

import asyncio
import gzip
import json
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from kubedoctor.cluster.grammar.text import visible_ends
from kubedoctor.collect.connecting.kubeconfig import choose, read_kubeconfig
from kubedoctor.collect.opening import open_source
from kubedoctor.collect.options import Options
from kubedoctor.collect.source import ReadableCluster
from kubedoctor.engine import Report, load_catalogue
from kubedoctor.engine.health import Health
from kubedoctor.sandbox import Sandbox, SandboxServer, load_recording, recording_names, recording_path, serve
from kubedoctor.sandbox.faults import forbidden, unauthorized
from kubedoctor.tui.app import KubedoctorApp
from kubedoctor.tui.pages.why import LONGEST_CAUSE
from kubedoctor.tui.screens.list_screen import ListScreen
from kubedoctor.tui.session import Session
from kubedoctor.tui.widgets.incident_pane import IncidentPane
from kubedoctor.tui.widgets.status_bar import StatusBar
from kubedoctor.tui.widgets.virtual_table import VirtualTable
from tests.shared import SHARED
from tests.tui.recordings import list_screen, opened, press
from tests.tui.screenshots import settle

SIZE = (80, 24)
RECORDINGS = {name: recording_path(name) for name in recording_names()}
CAPTURES = [file for folder in ("captures", "reports") for file in sorted((SHARED / folder).glob("*.json"))]
RECORDED = sorted((Path(__file__).parents[1] / "captures" / "recorded").glob("*.json.gz"))
MISSING = pytest.param(
    Path("none"),
    marks=pytest.mark.skip(f"no captures in {SHARED}: set KUBEDOCTOR_SHARED to the folder that holds them"),
)


def application(source: Callable[[], ReadableCluster], namespace: str | None = None) -> KubedoctorApp:
    return KubedoctorApp(lambda: Session(source(), load_catalogue()), namespace)


def screen_lines(app: KubedoctorApp) -> list[str]:
    strips = app.screen._compositor.render_strips()
    return ["".join(segment.text for segment in strip).rstrip() for strip in strips]


def squeezed(text: str) -> str:
    """Letters and digits alone: what a line's end, a frame or a scroll bar cannot change."""
    return re.sub(r"[^A-Za-z0-9]", "", text)


BADGE = re.compile(r"[○◐↻■] (read-only|changes cluster|restarts pods|deletes data)")
"""What stands at the right of a fix, in the first of its lines."""


async def check_first_screen(app: KubedoctorApp, *, command: bool = True) -> None:
    """command: the command of the first fix, too, must be above the fold."""
    async with app.run_test(size=SIZE):
        await settle(app)
        screen = list_screen(app)
        table, report = screen.query_one(VirtualTable), screen.report
        assert report is not None
        assert screen.view.kind == "Finding"
        assert table.cursor == 0
        text = "\n".join(screen_lines(app))
        if not (report.incidents or report.unexplained or report.not_ready):
            assert "Nothing is broken" in text if report.complete else "✓" not in text.splitlines()[3]
            return
        first = table.current
        assert first is not None
        assert first.health not in (Health.HEALTHY, Health.IDLE), "the first row is what is worst"
        for mark, name in unmarked_causes(screen, report):
            raise AssertionError(f"{name} causes an incident and is marked {mark}")
        verdict = screen.query_one(IncidentPane).verdict
        assert verdict is not None
        if not verdict.incidents:
            return
        seen = squeezed(BADGE.sub("", text.replace("x copy", "")))
        cause = verdict.causes[0]
        for part in visible_ends(cause.summary, LONGEST_CAUSE).split("…"):
            said = part.removeprefix(f"{cause.about.short_kind} ").removeprefix(cause.about.name)
            assert squeezed(said) in seen, "the verdict is above the fold"
        if cause.fixes:
            assert squeezed(cause.fixes[0].summary) in seen, "the first fix is above the fold"
            if command:
                assert squeezed(cause.fixes[0].command) in seen, "the command of the first fix is above the fold"
        elif cause.commands:
            assert squeezed(cause.commands[0].line) in seen, "the first command is above the fold"


def unmarked_causes(screen: ListScreen, report: Report) -> list[tuple[str, str]]:
    causes = {report.finding(incident.cause).about for incident in report.incidents}
    good = (Health.HEALTHY, Health.IDLE)
    return [(row.health.value, row.ref.title) for row in screen.rows if row.ref in causes and row.health in good]


@pytest.mark.parametrize("name", RECORDINGS)
async def test_a_recording_opens_on_what_is_worst(name: str) -> None:
    await check_first_screen(application(lambda: opened(name)))


async def test_a_slow_machine_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where each turn of the event loop takes long, mounting a screen takes many quiet times."""
    turn = asyncio.BaseEventLoop._run_once  # type: ignore[attr-defined]  # every event loop has it

    def slowly(loop: asyncio.BaseEventLoop) -> None:
        time.sleep(0.02)
        turn(loop)

    monkeypatch.setattr(asyncio.BaseEventLoop, "_run_once", slowly)
    await check_first_screen(application(lambda: opened("oom-killed")))


@pytest.mark.long
@pytest.mark.parametrize("file", CAPTURES or [MISSING], ids=lambda file: file.stem)
async def test_a_capture_opens_on_what_is_worst(file: Path) -> None:
    """The reports quote messages of clouds with names and commands of many lines."""
    app = application(lambda: open_source(Options(from_=(str(file),)), read=False))
    await check_first_screen(app, command=file.parent.name == "captures")


@pytest.mark.long
@pytest.mark.parametrize("file", RECORDED, ids=lambda file: file.name.removesuffix(".json.gz"))
async def test_what_was_recorded_in_a_real_cluster_opens_on_what_is_worst(file: Path, tmp_path: Path) -> None:
    plain = tmp_path / file.stem
    plain.write_bytes(gzip.decompress(file.read_bytes()))
    app = application(lambda: open_source(Options(from_=(str(plain),)), read=False))
    await check_first_screen(app)


async def test_the_cursor_stays_on_the_first_row_until_it_is_moved_then_it_follows_its_object() -> None:
    app = application(lambda: opened("oom-killed"), "shop")
    async with app.run_test(size=SIZE) as pilot:
        await settle(app)
        table, screen = list_screen(app).query_one(VirtualTable), list_screen(app)
        rows = screen.rows
        table.show(rows[::-1], table._columns, screen.session.now())
        assert (table.cursor, table.current) == (0, rows[-1])
        table.show(rows, table._columns, screen.session.now())
        await press(pilot, app, "j")
        chosen = table.current
        table.show(rows[::-1], table._columns, screen.session.now())
        assert table.current == chosen
        await press(pilot, app, "colon", *"po", "enter")
        assert table.cursor == 0
        await press(pilot, app, "escape")
        assert table.current is not None
        assert chosen is not None
        assert table.current.ref == chosen.ref


async def test_nothing_is_praised_before_the_diagnostics_have_run(monkeypatch: pytest.MonkeyPatch) -> None:
    import threading

    gate, scan = threading.Event(), Session.scan

    def slow(self: Session, namespace: str) -> Report:
        gate.wait(20)
        return scan(self, namespace)

    monkeypatch.setattr(Session, "scan", slow)
    app = application(lambda: opened("oom-killed"), "shop")
    async with app.run_test(size=SIZE):
        await until(lambda: isinstance(app.screen, ListScreen) and "degraded so far" in "\n".join(screen_lines(app)))
        text = " ".join("\n".join(screen_lines(app)).split())
        assert "examining…" in text
        assert "no problems" not in text
        assert "1 workload broken or degraded so far, by its own status" in text
        assert "Deployment shop/checkout 0/1 " in text, "what is known before any cause is"
        gate.set()
        await settle(app)
        assert "examining…" not in "\n".join(screen_lines(app))
        assert "degraded so far" not in "\n".join(screen_lines(app))


async def test_an_empty_namespace_names_the_incidents_elsewhere() -> None:
    app = application(lambda: opened("oom-killed"), "default")
    async with app.run_test(size=SIZE) as pilot:
        await settle(app)
        text = " ".join("\n".join(screen_lines(app)).replace("│", " ").split())
        assert "0 workloads here, 0 incidents 1 incident elsewhere: shop 1." in text
        assert "0 shows all namespaces" in text
        await press(pilot, app, "0")
        assert list_screen(app).rows[0].ref.name == "checkout"


# Live


async def until(true: Callable[[], object]) -> None:
    deadline = time.monotonic() + 30
    while not true():
        assert time.monotonic() < deadline, "it did not happen"
        await asyncio.sleep(0.05)


@pytest.mark.parametrize(
    ("context", "flag", "named"),
    [({}, None, ""), ({"namespace": "shop"}, None, "shop"), ({}, "db", "db"), ({"namespace": "shop"}, "db", "db")],
)
def test_a_namespace_is_named_by_a_flag_or_the_context(
    tmp_path: Path, context: dict[str, str], flag: str | None, named: str
) -> None:
    file = tmp_path / "config"
    document: dict[str, Any] = {
        "current-context": "one",
        "contexts": [{"name": "one", "context": {"cluster": "one", **context}}],
        "clusters": [{"name": "one", "cluster": {"server": "https://127.0.0.1:1"}}],
    }
    file.write_text(json.dumps(document))
    chosen = choose(read_kubeconfig((file,)), None, flag)
    assert (chosen.named_namespace, chosen.namespace) == (named, named or "default")


def nameless(served: SandboxServer, folder: Path) -> Options:
    """The served cluster in a context without a namespace."""
    text = served.kubeconfig.read_text(encoding="utf-8")
    document = yaml.safe_load(text)
    for context in document["contexts"]:
        context["context"].pop("namespace", None)
    file = folder / "nameless"
    file.write_text(yaml.safe_dump(document))
    return Options(kubeconfig=str(file))


async def test_without_a_namespace_in_the_context_all_are_shown(tmp_path: Path) -> None:
    with serve(Sandbox(load_recording(recording_path("oom-killed")))) as served:
        app = application(lambda: open_source(nameless(served, tmp_path)))
        async with app.run_test(size=SIZE):
            await until(lambda: isinstance(app.screen, ListScreen) and app.screen.report)
            assert list_screen(app).view.namespace == ""
            await until(lambda: "checkout" in "\n".join(screen_lines(app)))
            assert app.session is not None
            await asyncio.to_thread(app.session.close)


async def test_a_live_namespace_without_workloads_names_the_incidents_elsewhere() -> None:
    with serve(Sandbox(load_recording(recording_path("oom-killed")))) as served:
        app = application(lambda: open_source(Options(kubeconfig=str(served.kubeconfig))), "default")
        async with app.run_test(size=SIZE):
            await until(lambda: isinstance(app.screen, ListScreen) and app.screen.report)
            await until(lambda: "1 incident elsewhere: shop 1" in list_screen(app).query_one(IncidentPane).page.plain)
            assert app.session is not None
            await asyncio.to_thread(app.session.close)


async def test_where_all_namespaces_are_refused_the_own_one_is_shown_and_that_is_said(tmp_path: Path) -> None:
    everything = forbidden(namespaces=("",), verbs=("list", "watch"))
    with serve(Sandbox(load_recording(recording_path("oom-killed")), faults=[everything])) as served:
        app = application(lambda: open_source(nameless(served, tmp_path)))
        async with app.run_test(size=SIZE):
            await until(lambda: isinstance(app.screen, ListScreen) and app.screen.report)
            said = "Only namespace default could be read: list pods at cluster scope is forbidden."
            await until(lambda: said in " ".join("\n".join(screen_lines(app)).split()))
            text = "\n".join(screen_lines(app))
            assert "✓" not in text
            assert app.session is not None
            await asyncio.to_thread(app.session.close)


def says_what_is_wrong(app: KubedoctorApp) -> bool:
    """Whether the banner is shown. A screen is on top before its widgets are there."""
    screen = app.screen
    return isinstance(screen, ListScreen) and screen.is_mounted and screen.query_one("#banner").display


@pytest.mark.parametrize("fault", [forbidden(), unauthorized()], ids=["refused", "not logged in"])
async def test_a_server_that_refuses_is_no_empty_cluster(fault: Any) -> None:
    with serve(Sandbox(load_recording(recording_path("oom-killed")), faults=[fault])) as served:
        app = application(lambda: open_source(Options(kubeconfig=str(served.kubeconfig))))
        async with app.run_test(size=SIZE):
            await until(lambda: says_what_is_wrong(app))
            await settle(app)
            text = "\n".join(screen_lines(app))
            assert "0 workloads" not in text
            assert "No workloads" not in text
            assert "✓" not in text
            assert app.session is not None
            await asyncio.to_thread(app.session.close)


async def test_a_server_that_is_gone_is_said(tmp_path: Path) -> None:
    with serve(Sandbox(load_recording(recording_path("oom-killed")))) as served:
        options = nameless(served, tmp_path)
    app = application(lambda: open_source(options))
    async with app.run_test(size=SIZE):
        await until(lambda: says_what_is_wrong(app))
        await settle(app)
        text = "\n".join(screen_lines(app))
        assert "0 workloads" not in text
        assert "nothing read yet" in text
        assert list_screen(app).query_one(StatusBar).counts is None
