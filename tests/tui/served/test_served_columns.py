"""Lists with the columns of the server, live and of recordings, sorted by them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import pytest
from textual.pilot import Pilot

from kubedoctor.collect.opening import open_source
from kubedoctor.collect.options import Options
from kubedoctor.engine import load_catalogue
from kubedoctor.sandbox import Sandbox, SandboxState, serve
from kubedoctor.tui.app import KubedoctorApp
from kubedoctor.tui.rows import View
from kubedoctor.tui.screens.list_screen import ListScreen
from kubedoctor.tui.served import served_columns
from kubedoctor.tui.served.printed_columns import seconds_of
from kubedoctor.tui.session import Session
from kubedoctor.tui.widgets.virtual_table import VirtualTable
from tests.collect.computed.test_printed import COLUMNS, printing, sized
from tests.collect.computed.test_usage import STATE, measured, measured_node
from tests.tui.recordings import command, list_screen, press
from tests.tui.running import running
from tests.tui.test_live import until

OBJECTS = [
    *STATE,
    measured("web-2", ("10m", "1Mi")),
    printing(*COLUMNS),
    *(sized(f"w{n}", n * 7 % 12) for n in range(4)),
]


@asynccontextmanager
async def served(
    size: tuple[int, int] = (160, 30),
) -> AsyncIterator[tuple[Pilot[int], KubedoctorApp, ListScreen, Sandbox]]:
    sandbox = Sandbox(SandboxState(OBJECTS, {}, namespace="shop"))
    with serve(sandbox) as one:
        options = Options(kubeconfig=str(one.kubeconfig))
        app = KubedoctorApp(lambda: Session(open_source(options), load_catalogue()), None)
        async with app.run_test(size=size) as pilot:
            await until(lambda: isinstance(app.screen, ListScreen) and app.screen.is_mounted)
            yield pilot, app, list_screen(app), sandbox
            assert app.session is not None
            await asyncio.to_thread(app.session.close)


def lines(screen: ListScreen) -> list[str]:
    table = screen.query_one(VirtualTable)
    return [table.render_line(number).text for number in range(1 + len(table.rows))]


def cells(screen: ListScreen) -> dict[str, list[str]]:
    """The words of each row by the word after its namespace; those of the titles by an empty one."""
    titles, *rows = (line.split() for line in lines(screen))
    return {"": titles, **{next(word for word in row if word.startswith("w")): row for row in rows if row}}


async def test_pods_show_what_they_use_and_are_sorted_by_it() -> None:
    async with served() as (pilot, app, screen, _):
        await command(pilot, app, "po shop")
        await press(pilot, app, "ctrl+w")
        await until(lambda: "CPU" in lines(screen)[0])
        assert "252m" in cells(screen)["web-1"]
        await pilot.press("C")
        await until(lambda: [row.ref.name for row in screen.query_one(VirtualTable).rows][:2] == ["web-1", "web-2"])
        assert "CPU↓" in lines(screen)[0]
        await pilot.press("C")
        await until(lambda: [row.ref.name for row in screen.query_one(VirtualTable).rows][-1] == "web-1")


async def test_a_new_measurement_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(served_columns, "MEASURED_EVERY", 0.1)
    async with served() as (pilot, app, screen, sandbox):
        await command(pilot, app, "no")
        await until(lambda: "1250m" in "".join(lines(screen)))
        sandbox.put(measured_node("n1", "77m", "3Gi"))
        await until(lambda: "77m" in "".join(lines(screen)))


async def test_without_metrics_there_are_no_columns_of_them() -> None:
    sandbox_objects = [one for one in OBJECTS if one["kind"] not in ("PodMetrics", "NodeMetrics")]
    with serve(Sandbox(SandboxState(sandbox_objects, {}, namespace="shop"))) as one:
        session = Session(open_source(Options(kubeconfig=str(one.kubeconfig))), load_catalogue())
        view = View("Pod")
        session.load(view)
        session.served.read(view, session.seen(), session.now())
        assert session.served.usage(view) == ()
        assert not session.served.is_due(view), "it is asked again after a while only"
        session.close()


async def test_custom_resources_show_and_sort_the_columns_of_their_definition() -> None:
    async with served() as (pilot, app, screen, _):
        await until(lambda: screen.report is not None)
        await command(pilot, app, "widgets")
        await until(lambda: "SIZE" in lines(screen)[0])
        assert cells(screen)["w1"].count("7") == 1
        screen.action_sort("column SIZE")
        await until(lambda: [row.ref.name for row in screen.rows] == ["w0", "w2", "w1", "w3"])


async def test_a_recording_shows_the_same_columns(tmp_path: Path) -> None:
    file = tmp_path / "objects.json"
    file.write_bytes(msgspec.json.encode({"apiVersion": "v1", "kind": "List", "items": OBJECTS}))
    app = KubedoctorApp(lambda: Session(open_source(Options(from_=(str(file),))), load_catalogue()), None)
    async with running(app, (160, 30)) as (pilot, screen):
        await command(pilot, app, "widgets")
        await until(lambda: "SIZE" in lines(screen)[0])
        assert "7" in cells(screen)["w1"]
        await command(pilot, app, "no")
        await until(lambda: "1250m" in "".join(lines(screen)))


@pytest.mark.parametrize(
    ("age", "seconds"), [("10s", 10.0), ("2d3h", 183600.0), ("1y5d", 31968000.0), ("", None), ("x", None)]
)
def test_ages_are_read(age: str, seconds: float | None) -> None:
    assert seconds_of(age) == seconds
