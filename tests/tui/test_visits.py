"""Back and on through what was visited, and lists sorted by any of their columns."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from kubedoctor.cluster import Ref
from kubedoctor.engine.health import Health
from kubedoctor.tui.home.visits import VisitedList, VisitedPage, Visits
from kubedoctor.tui.rows import Row, View, arrange, place_in
from kubedoctor.tui.screens.list_screen import ListScreen
from kubedoctor.tui.screens.text_screen import TextScreen
from kubedoctor.tui.screens.why_screen import WhyScreen
from kubedoctor.tui.state.choices import KeptChoices, Preferences, choices_path
from kubedoctor.tui.widgets.one_line import Heading
from kubedoctor.tui.widgets.virtual_table import VirtualTable
from tests.tui.recordings import command, list_screen, press
from tests.tui.running import heard, on_top, running, shown
from tests.tui.screenshots import application, settle


def visited(kind: str) -> VisitedList:
    return VisitedList(View(kind))


def test_what_was_ahead_stays_until_something_else_is_opened() -> None:
    visits = Visits(visited("Finding"))
    visits.note(visited("Pod"))
    page = VisitedPage("Why a", lambda _: None)
    visits.note(page)
    assert visits.step(1) is None
    visits.back_to(visited("Pod"))
    assert visits.step(1) is page
    assert visits.step(-1) == visited("Pod")
    assert visits.step(-1) == visited("Finding")
    assert visits.step(-1) is None
    visits.note(visited("Node"))
    assert visits.step(1) is None
    assert visits.step(-1) == visited("Finding")


async def test_lists_and_pages_are_visited_again() -> None:
    app = application("oom-killed", "")
    async with running(app) as (pilot, screen):
        await press(pilot, app, "slash", *"checkout", "enter")
        await press(pilot, app, "w")
        await press(pilot, app, "d")
        assert isinstance(on_top(app), TextScreen)
        await press(pilot, app, "left_square_bracket")
        assert isinstance(on_top(app), WhyScreen)
        await press(pilot, app, "escape")
        assert isinstance(on_top(app), ListScreen)
        await command(pilot, app, "no")
        assert screen.view == View("Node")
        await press(pilot, app, "left_square_bracket")
        assert (screen.view, screen.filter) == (View(), "checkout")
        assert shown(screen) == ["checkout"]
        await press(pilot, app, "left_square_bracket")
        assert screen.view == View("Finding")
        await press(pilot, app, "right_square_bracket", "right_square_bracket")
        assert screen.view == View("Node")
        said = heard(app)
        await press(pilot, app, "right_square_bracket")
        assert said == ["Nothing was visited after this."]


async def test_a_page_that_was_closed_is_ahead() -> None:
    app = application("oom-killed", "")
    async with running(app) as (pilot, screen):
        await press(pilot, app, "w", "escape", "right_square_bracket")
        assert isinstance(on_top(app), WhyScreen)
        assert "checkout" in app.screen.query_one(Heading).text
        await press(pilot, app, "left_square_bracket")
        assert on_top(app) is screen


ROWS = tuple(
    Row(
        Ref("Pod", namespace, name),
        Health.HEALTHY,
        ready=ready,
        status=status,
        restarts=restarts,
        node=node,
        ip=ip,
        cause=cause,
    )
    for name, namespace, ready, status, restarts, node, ip, cause in (
        ("a", "y", "1/2", "Running", 10, "n2", "10.0.0.9", ""),
        ("b", "x", "0/1", "Pending", 2, "n1", "10.0.0.10", "x"),
        ("c", "x", "3/3", "Error", 0, "n1", "", "b"),
    )
)


@pytest.mark.parametrize(
    ("order", "names"),
    [
        ("name", "abc"),
        ("-name", "cba"),
        ("namespace", "bca"),
        ("ready", "bac"),
        ("-ready", "cab"),
        ("restarts", "abc"),
        ("status", "cba"),
        ("node", "bca"),
        ("ip", "cab"),
        ("cause", "cba"),
    ],
)
def test_orders(order: str, names: str) -> None:
    rows = arrange(ROWS, order)
    assert "".join(row.ref.name for row in rows) == names
    assert sorted(rows, key=place_in(order)) == list(rows)


async def test_a_second_press_reverses_and_the_title_shows_it() -> None:
    app = application("oom-killed", "")
    async with running(app) as (pilot, screen):
        await command(pilot, app, "po")
        await press(pilot, app, "T")
        table = screen.query_one(VirtualTable)
        assert "RESTARTS↓" in table.render_line(0).text
        counts = [row.restarts for row in table.rows]
        assert counts == sorted(counts, reverse=True)
        await press(pilot, app, "T")
        assert "RESTARTS↑" in table.render_line(0).text
        assert [row.restarts for row in table.rows] == sorted(counts)
        await press(pilot, app, "greater_than_sign")
        assert "AGE↓" in table.render_line(0).text
        await press(pilot, app, "less_than_sign", "less_than_sign")
        assert "STATUS↓" in table.render_line(0).text
        await command(pilot, app, "no")
        assert "↓" not in table.render_line(0).text
        await command(pilot, app, "po")
        assert "STATUS↓" in table.render_line(0).text


async def test_what_a_list_does_not_have_is_said() -> None:
    app = application("oom-killed", "")
    async with running(app, home=True) as (pilot, screen):
        said = heard(screen)
        await press(pilot, app, "T")
        assert said == ["This list has no restarts to sort by. < and > go through its columns."]
        assert screen.order == "health"


async def test_choices_are_found_again(tmp_path: Path) -> None:
    path = tmp_path / "config" / "tui.json"
    for again in (False, True):
        app = application("oom-killed", "")
        app.use(KeptChoices(path))
        async with app.run_test(size=(120, 30)) as pilot:
            await settle(app)
            await command(pilot, app, "po")
            screen = list_screen(app)
            if again:
                assert (screen.order, screen.wide, app.theme) == ("-name", True, "light")
            else:
                await press(pilot, app, "N", "N", "ctrl+w")
                await command(pilot, app, "theme light")
                await asyncio.sleep(0)
    assert [file.name for file in path.parent.iterdir()] == ["tui.json"]


def test_a_file_that_cannot_be_used_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "tui.json"
    assert KeptChoices(path).chosen == Preferences()
    path.write_text('{"sorts": {"Pod": "unknown", "Node": "-name"}, "later": 1}')
    assert KeptChoices(path).chosen == Preferences(sorts={"Node": "-name"})
    path.write_text("[")
    assert KeptChoices(path).chosen == Preferences()
    assert choices_path({"HOME": "/h"}) == Path("/h/.config/kubedoctor/tui.json")
    assert choices_path({"XDG_CONFIG_HOME": "/x", "HOME": "/h"}) == Path("/x/kubedoctor/tui.json")
    assert choices_path({}) is None
