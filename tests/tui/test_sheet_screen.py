"""From a pod that waits to the nodes that refuse it, by keys."""

from __future__ import annotations

import pytest

from kubedoctor.tui.app import KubedoctorApp
from kubedoctor.tui.screens.copy_screen import CopyScreen
from kubedoctor.tui.screens.questions_screen import QuestionsScreen
from kubedoctor.tui.screens.sheet_screen import SheetScreen
from kubedoctor.tui.screens.text_screen import TextScreen
from kubedoctor.tui.screens.why_screen import WhyScreen
from kubedoctor.tui.widgets.one_line import Keys
from kubedoctor.tui.widgets.text_view import TextView
from kubedoctor.tui.widgets.virtual_table import VirtualTable
from tests.tui.recordings import command, press
from tests.tui.running import on_top, running
from tests.tui.screenshots import application


def keys_of(app: KubedoctorApp) -> str:
    return "".join(piece.text for piece in app.screen.query_one(Keys).line(200))


@pytest.mark.parametrize("size", [(120, 32), (80, 24)])
async def test_n_in_why_opens_the_nodes(size: tuple[int, int]) -> None:
    app = application("insufficient-cpu")
    async with running(app, size) as (pilot, _):
        await press(pilot, app, "w")
        assert "n why-pending" in keys_of(app)
        await press(pilot, app, "n")
        assert isinstance(on_top(app), SheetScreen)
        table = app.screen.query_one(VirtualTable)
        assert [row.ref.name for row in table.rows] == ["worker-a", "worker-b", "worker-c", "cp-1"]
        assert "fits none of 4 nodes" in app.screen.query_one("#page", TextView).page.plain
        await press(pilot, app, "N")
        assert table.rows[0].ref.name == "cp-1"
        await press(pilot, app, "g", "enter")
        assert isinstance(on_top(app), SheetScreen)
        assert "lacks 2050m" in app.screen.query_one(TextView).page.plain
        await press(pilot, app, "escape", "x")
        assert isinstance(on_top(app), CopyScreen)
        await press(pilot, app, "escape", "escape")
        assert isinstance(on_top(app), WhyScreen)


async def test_a_workload_that_waits_for_no_node() -> None:
    app = application("oom-killed")
    async with running(app) as (pilot, _):
        await press(pilot, app, "w")
        assert "n why-pending" not in keys_of(app)
        await press(pilot, app, "n")
        assert "no pod of it waits for a node" in app.screen.query_one("#page", TextView).page.plain
        await press(pilot, app, "N", "x", "escape")
        assert isinstance(on_top(app), WhyScreen)


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("db-0", "✓ Pod shop/db-0: not pending: bound to node worker-a"),
        ("migrate-vdsvq", "✓ Pod shop/migrate-vdsvq: not pending: it has terminated"),
    ],
)
async def test_a_pod_that_waits_no_longer(name: str, sentence: str) -> None:
    app = application("insufficient-cpu")
    async with running(app) as (pilot, screen):
        await command(pilot, app, "po")
        table = screen.query_one(VirtualTable)
        table.cursor = next(number for number, row in enumerate(table.rows) if row.ref.name == name)
        await press(pilot, app, "w", "n")
        assert isinstance(on_top(app), SheetScreen)
        assert app.screen.query_one("#page", TextView).page.plain.strip() == sentence
        await press(pilot, app, "N", "enter", "x", "escape")
        assert isinstance(on_top(app), WhyScreen)


async def test_every_way_to_a_question_from_the_list() -> None:
    app = application("insufficient-cpu")
    async with running(app) as (pilot, screen):
        await press(pilot, app, "n")
        assert isinstance(on_top(app), SheetScreen)
        await press(pilot, app, "escape")
        await command(pilot, app, "why-pending")
        assert isinstance(on_top(app), SheetScreen)
        await press(pilot, app, "escape", "a")
        assert isinstance(on_top(app), QuestionsScreen)
        await press(pilot, app, "enter")
        assert isinstance(on_top(app), SheetScreen)
        assert "fits none of 4 nodes" in app.screen.query_one("#page", TextView).page.plain
        await press(pilot, app, "escape")
        assert on_top(app) is screen


async def test_the_keys_are_shown_from_every_screen() -> None:
    app = application("insufficient-cpu")
    async with running(app) as (pilot, screen):
        await press(pilot, app, "w", "?")
        assert isinstance(app.screen, TextScreen)
        assert "why-pending" in app.screen.query_one(TextView).page.plain
        await press(pilot, app, "?", "escape")
        assert isinstance(on_top(app), WhyScreen)
        await press(pilot, app, "n", "?")
        assert isinstance(app.screen, TextScreen)
        await press(pilot, app, "escape", "escape", "escape")
        assert on_top(app) is screen


async def test_a_row_that_a_question_does_not_fit() -> None:
    app = application("insufficient-cpu")
    async with running(app) as (pilot, screen):
        await command(pilot, app, "svc")
        await press(pilot, app, "a")
        assert isinstance(on_top(app), QuestionsScreen), "what happened fits every row"
        await press(pilot, app, "escape")
        await command(pilot, app, "why-pending")
        assert on_top(app) is screen
