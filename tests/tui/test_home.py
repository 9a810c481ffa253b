"""The list that the application opens on: incidents, tabs, trees and links."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from kubedoctor.cluster import Ref
from kubedoctor.engine import load_catalogue
from kubedoctor.engine.health import Health
from kubedoctor.engine.questions import load_questions
from kubedoctor.tui.app import KubedoctorApp
from kubedoctor.tui.incidents.incident_rows import IncidentRow
from kubedoctor.tui.rows import READING, View
from kubedoctor.tui.screens.why_screen import WhyScreen
from kubedoctor.tui.session import Session
from kubedoctor.tui.widgets.incident_pane import IncidentPane
from kubedoctor.tui.widgets.one_line import Heading, Keys
from kubedoctor.tui.widgets.status_bar import StatusBar
from kubedoctor.tui.widgets.virtual_table import VirtualTable
from tests.tui.recordings import command, list_screen, opened, press
from tests.tui.running import SIZE, on_top, running, shown
from tests.tui.screenshots import application, settle
from tests.tui.test_live import until


async def test_it_opens_on_what_is_broken_with_the_reason_beside_it() -> None:
    async with running(application("oom-killed"), home=True) as (_, screen):
        assert screen.view == View("Finding", "shop")
        assert shown(screen) == ["checkout"]
        pane = screen.query_one(IncidentPane)
        assert pane.row is not None
        assert pane.row.ref == Ref("Deployment", "shop", "checkout")
        assert pane.verdict is not None
        assert "OOMKilled" in pane.page.plain
        assert pane.verdict.causes[0].code in pane.page.plain
        bar = screen.query_one(StatusBar)
        assert (bar.incidents or {})[Health.BROKEN] == 1
        assert (bar.counts or {})[Health.HEALTHY] == 6


async def test_keys_before_the_source_is_open_end_nothing() -> None:
    gate = threading.Event()

    def late() -> Session:
        gate.wait(20)
        return Session(opened("oom-killed"), load_catalogue())

    app = KubedoctorApp(late, "")
    async with app.run_test(size=SIZE) as pilot:
        await pilot.press("colon", "e", "escape", "shift+tab", "j", "enter", "minus", "tab")
        gate.set()
        await settle(app)
        assert shown(list_screen(app)) == ["checkout"]


async def test_incidents_that_are_on_their_way_are_not_called_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a large cluster they take a second."""
    app = application("oom-killed")
    async with running(app, home=True) as (pilot, screen):
        await press(pilot, app, "colon", *"po", "enter")
        gate, plain = threading.Event(), screen.session.keep_rows

        def late(*given: Any) -> Any:
            gate.wait(20)
            return plain(*given)

        monkeypatch.setattr(screen.session, "keep_rows", late)
        await pilot.press("f")
        await until(lambda: screen.view.kind == "Finding" and not shown(screen))
        assert screen.query_one(IncidentPane).page.plain == READING
        gate.set()
        await settle(app)
        assert shown(screen) == ["checkout"]


async def test_tab_goes_from_the_incidents_to_the_workloads_and_back() -> None:
    app = application("shop-at-night", "")
    async with running(app, home=True) as (pilot, screen):
        await press(pilot, app, "j", "j")
        incident = screen.query_one(VirtualTable).current
        await press(pilot, app, "tab")
        assert screen.view == View()
        assert any(row.cause for row in screen.rows)
        await press(pilot, app, "j", "shift+tab")
        assert screen.view == View("Finding")
        assert screen.query_one(VirtualTable).current == incident
        await press(pilot, app, "tab")
        assert screen.query_one(VirtualTable).cursor == 1
        await press(pilot, app, "escape")
        assert screen.view == View("Finding")


async def test_tab_cycles_all_tabs_and_shift_tab_goes_back() -> None:
    app = application("shop-at-night", "")
    async with running(app, home=True) as (pilot, screen):
        for kind in ("", "Node", "Event", "Finding"):
            await press(pilot, app, "tab")
            assert screen.view == View(kind)
        await press(pilot, app, "shift+tab")
        assert screen.view == View("Event")
        await press(pilot, app, "shift+tab")
        assert screen.view == View("Node")


async def test_the_row_that_unfolds_below_the_last_visible_one_is_in_view() -> None:
    app = application("shop-at-night", "")
    async with running(app, (80, 24), home=True) as (pilot, screen):
        table = screen.query_one(VirtualTable)
        for index, row in enumerate(table.rows):
            if isinstance(row, IncidentRow) and row.breaks:
                table.highlight(index)
        await press(pilot, app, "enter")
        child = table.cursor + 1
        row = table.rows[child]
        assert isinstance(row, IncidentRow)
        assert row.lead
        assert child in table._visible()


async def test_a_namespace_that_does_not_exist_changes_nothing() -> None:
    app = application("shop-at-night", "")
    async with running(app, home=True) as (pilot, screen):
        before, counted = screen.view, screen.query_one(StatusBar).counts
        await command(pilot, app, "pods zzz")
        assert screen.view == before
        assert screen.query_one(StatusBar).counts == counted
        assert [note.message for note in app._notifications] == ["no namespace zzz"]


async def test_counts_of_another_namespace_are_not_kept() -> None:
    app = application("shop-at-night", "")
    async with running(app, home=True) as (pilot, screen):
        await command(pilot, app, "pods kube-system")
        assert screen.view == View("Pod", "kube-system")
        assert screen.query_one(StatusBar).counts is None


async def test_enter_unfolds_an_incident_and_each_line_of_its_tree_opens() -> None:
    app = application("shop-at-night", "")
    async with running(app, home=True) as (pilot, screen):
        table, before = screen.query_one(VirtualTable), shown(screen)
        await press(pilot, app, "enter", "j")
        assert len(table.rows) > len(before)
        line = table.current
        assert isinstance(line, IncidentRow)
        assert line.lead
        assert line.ref == Ref("Service", "shop", "payments")
        assert "because" in screen.query_one(IncidentPane).page.plain
        await press(pilot, app, "enter")
        assert isinstance(app.screen, WhyScreen)
        await press(pilot, app, "escape", "k", "enter")
        assert shown(screen) == before


async def test_links_of_the_page_open_objects_and_escape_returns() -> None:
    app = application("shop-at-night", "")
    async with running(app, home=True) as (pilot, screen):
        await press(pilot, app, "right", "j", "j", "enter")
        assert isinstance(app.screen, WhyScreen)
        first = app.screen.subject()
        assert first is not None
        await press(pilot, app, "minus")
        assert on_top(app) is screen
        await press(pilot, app, "right", "j")
        assert screen.query_one(VirtualTable).cursor == 1


async def test_a_page_is_not_below_itself_whenever_it_is_drawn() -> None:
    app = application("oom-killed", "")
    async with running(app, home=True) as (pilot, _):
        await press(pilot, app, "w")
        assert isinstance(app.screen, WhyScreen)
        app.screen.draw()
        assert app.screen.query_one(Heading).text == "Home › Why  Deployment shop/checkout"


async def test_digits_are_fixes_while_the_page_has_the_keys() -> None:
    app = application("quota-exceeded", "")
    async with running(app, home=True) as (pilot, screen):
        verdict = screen.query_one(IncidentPane).verdict
        assert verdict is not None
        first, second = verdict.causes[0].fixes
        assert not first.command
        assert second.command not in " ".join(screen.query_one(IncidentPane).page.plain.split())
        await press(pilot, app, "right", "2", "x")
        assert second.command in " ".join(screen.query_one(IncidentPane).page.plain.replace("\\", "").split())
        assert app.clipboard == second.command
        assert screen.view == View("Finding")


async def test_the_first_key_does_not_import_the_questions() -> None:
    load_questions.cache_clear()
    async with running(application("oom-killed")) as (pilot, _):
        for _ in range(100):
            await pilot.pause(0.05)
            if load_questions.cache_info().currsize:
                break
        assert load_questions.cache_info().currsize == 1


async def test_the_header_counts_incidents_on_every_list() -> None:
    app = application("shop-at-night", "")
    async with running(app, home=True) as (pilot, screen):
        bar = screen.query_one(StatusBar)
        at_home = bar.incidents or {}
        await command(pilot, app, "pods")
        assert bar.incidents == {health: number for health, number in at_home.items() if number}
        await command(pilot, app, "pods kube-system")
        assert bar.incidents is not None
        assert sum(bar.incidents.values()) < sum(at_home.values())


async def test_a_brief_notice_stands_in_the_place_of_the_keys_for_a_while() -> None:
    async with running(application("oom-killed"), home=True) as (pilot, screen):
        keys = screen.query_one(Keys)
        offered = keys.line(80)
        pilot.app.notify("Copied: shop/[b]web[/b]", timeout=3)
        await pilot.pause()
        assert "Copied: shop/[b]web[/b]" in "".join(piece.text for piece in keys.line(80))
        assert not pilot.app._notifications
        keys.end_notice()
        assert keys.line(80) == offered
        pilot.app.notify("one\ntwo", timeout=3)
        pilot.app.notify("It failed", severity="error", timeout=3)
        await pilot.pause()
        assert keys.line(80) == offered
        assert pilot.app._notifications
