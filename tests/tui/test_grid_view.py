"""The grid of connections by keys: from the list to a cell, and to the answer about its pair."""

from __future__ import annotations

import pytest

from kubedoctor.answers.grid import Shade
from kubedoctor.tui.screens.sheet_screen import SheetScreen
from kubedoctor.tui.widgets.grid_view import GridView
from kubedoctor.tui.widgets.one_line import Keys, Rule
from kubedoctor.tui.widgets.text_view import TextView
from tests.tui.recordings import command, press
from tests.tui.running import on_top, running
from tests.tui.screenshots import application


@pytest.mark.parametrize("size", [(120, 40), (80, 24)])
async def test_from_a_workload_to_the_answer_of_a_pair(size: tuple[int, int]) -> None:
    app = application("shop-at-night")
    async with running(app, size) as (pilot, screen):
        await press(pilot, app, "m")
        assert isinstance(on_top(app), SheetScreen)
        grid = app.screen.query_one(GridView)
        page = app.screen.query_one("#page", TextView)
        assert grid.has_focus
        await press(pilot, app, "l", "l")
        assert "from Deployment shop/api to StatefulSet shop/db: TCP 8080" in page.page.plain
        await press(pilot, app, "enter")
        assert "Deployment shop/api → statefulset/db.shop:8080" in app.screen.query_one("#page", TextView).page.plain
        assert not app.screen.query_one(GridView).display
        await press(pilot, app, "escape")
        assert app.screen.query_one(GridView) is grid
        assert (grid.row, grid.column) == (0, 3)
        await press(pilot, app, "escape")
        assert on_top(app) is screen


async def test_from_a_command_over_all_namespaces() -> None:
    app = application("shop-at-night", "")
    async with running(app, (80, 24)) as (pilot, _):
        await command(pilot, app, "connectivity")
        grid = app.screen.query_one(GridView)
        assert len(grid.grid.rows) == 15


async def test_the_cursor_stays_in_the_grid_and_in_view() -> None:
    app = application("shop-at-night")
    async with running(app, (80, 24)) as (pilot, _):
        await press(pilot, app, "m")
        grid = app.screen.query_one(GridView)
        await press(pilot, app, "k", "h", "h", "h")
        assert (grid.row, grid.column) == (0, 0)
        assert "not asked about" in app.screen.query_one("#page", TextView).page.plain
        await press(pilot, app, "G", *(["l"] * 20))
        assert (grid.row, grid.column) == (14, 14)
        last = grid.render_line(grid.size.height - 1).text
        assert last.startswith("15 outside")
        await press(pilot, app, "g")
        assert "‹" in grid.render_line(0).text
        await pilot.click(grid, offset=(grid.size.width - 2, 5))
        assert grid.row > 0
        assert grid.current is not None
        assert grid.current.shade in Shade


async def test_a_namespace_without_workloads() -> None:
    app = application("shop-at-night", "default")
    async with running(app, (80, 24)) as (pilot, _):
        await command(pilot, app, "connectivity")
        assert isinstance(on_top(app), SheetScreen)
        assert "no workload with pods here" in app.screen.query_one("#page", TextView).page.plain
        assert "copy" not in "".join(piece.text for piece in app.screen.query_one(Keys).line(80))


async def test_the_legend_is_in_sight() -> None:
    app = application("shop-at-night", "")
    async with running(app, (80, 24)) as (pilot, _):
        await press(pilot, app, "m")
        legend = app.screen.query_one("#below", Rule)
        assert legend.region.bottom <= 24
        assert "● every port  ◐ some ports  · no connection" in legend.render_line(0).text
