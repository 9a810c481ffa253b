"""The application from key to state, on recorded clusters."""

from __future__ import annotations

import asyncio
import threading

import pytest

from kubedoctor.cluster import Ref, Snapshot
from kubedoctor.engine import load_catalogue
from kubedoctor.tui.app import KubedoctorApp
from kubedoctor.tui.messages import RowsMade
from kubedoctor.tui.rows import View, counts
from kubedoctor.tui.screens.copy_screen import CopyScreen
from kubedoctor.tui.screens.list_screen import ListScreen
from kubedoctor.tui.screens.text_screen import TextScreen
from kubedoctor.tui.screens.why_screen import WhyScreen
from kubedoctor.tui.session import Session
from kubedoctor.tui.widgets.incident_pane import IncidentPane
from kubedoctor.tui.widgets.prompt import Prompt
from kubedoctor.tui.widgets.virtual_table import VirtualTable
from tests.tui.recordings import command, list_screen, opened, press
from tests.tui.running import SIZE, on_top, running, shown, text_of
from tests.tui.screenshots import application, settle


async def test_moving_the_cursor_tells_the_next_row() -> None:
    app = application("oom-killed")
    async with running(app) as (pilot, screen):
        await press(pilot, app, "j")
        row = screen.query_one(IncidentPane).row
        assert row is not None
        assert row.ref.name == shown(screen)[1]
        await press(pilot, app, "G")
        assert screen.query_one(VirtualTable).cursor == len(shown(screen)) - 1
        await press(pilot, app, "g")
        assert screen.query_one(VirtualTable).cursor == 0


async def test_a_filter_applies_while_it_is_typed_and_escape_takes_it_away() -> None:
    app = application("oom-killed")
    async with running(app) as (pilot, screen):
        before = shown(screen)
        await press(pilot, app, "slash", "w")
        assert shown(screen) == [name for name in before if "w" in name]
        await press(pilot, app, "enter")
        assert not screen.query_one(Prompt).is_open
        assert app.focused is screen.query_one(VirtualTable)
        assert len(shown(screen)) < len(before)
        await press(pilot, app, "escape")
        assert shown(screen) == before


def last_line(app: KubedoctorApp) -> str:
    return app.screen._compositor.render_strips()[-1].text


async def test_the_prompt_leaves_the_panes_as_they_are() -> None:
    app = application("oom-killed")
    async with running(app) as (pilot, screen):
        panes = [screen.query_one(VirtualTable), screen.query_one(IncidentPane)]
        before = [pane.region for pane in panes]
        closed = last_line(app)
        assert "/ filter" in closed
        assert "w why" in closed
        assert "? help" in closed
        await press(pilot, app, "colon", *"po")
        prompt = screen.query_one(Prompt)
        assert [pane.region for pane in panes] == before
        assert prompt.region.y == screen.size.height - 1
        assert last_line(app).startswith(" :po")
        await press(pilot, app, "escape")
        assert last_line(app) == closed


async def test_a_key_may_come_before_the_widgets_are_there() -> None:
    app = application("oom-killed")
    async with running(app) as (_, screen):
        early = ListScreen(screen.session, "")
        assert not early.check_action("ask", ("filter",))
        assert early.subject() is None


async def test_a_filter_that_fits_nothing_says_so() -> None:
    app = application("oom-killed")
    async with running(app) as (pilot, screen):
        await press(pilot, app, "slash", *"zzz")
        assert shown(screen) == []
        assert "No rows match the filter" in screen.query_one(IncidentPane).page.plain


async def test_a_command_lists_a_kind_and_escape_goes_back_to_the_same_row() -> None:
    app = application("oom-killed")
    async with running(app) as (pilot, screen):
        await press(pilot, app, "j", "j", "colon", *"svc", "enter")
        assert screen.view == View("Service", "shop")
        assert shown(screen) == ["api", "db", "web"]
        await press(pilot, app, "escape")
        assert screen.view == View("", "shop")
        assert screen.query_one(VirtualTable).cursor == 2


async def test_a_wrong_command_changes_nothing() -> None:
    app = application("oom-killed")
    async with running(app) as (pilot, screen):
        await press(pilot, app, "colon", *"deploymnt", "enter")
        assert screen.view == View("", "shop")
        assert [note.message for note in app._notifications if "deployment" in note.message]


async def test_enter_opens_the_pods_and_then_why() -> None:
    app = application("oom-killed")
    async with running(app) as (pilot, screen):
        await press(pilot, app, "enter")
        assert screen.view.owner == Ref("Deployment", "shop", "checkout")
        assert all(name.startswith("checkout-") for name in shown(screen))
        await press(pilot, app, "enter")
        assert isinstance(app.screen, WhyScreen)
        assert "OOMKilled" in text_of(app)
        await press(pilot, app, "escape")
        assert on_top(app) is screen


async def test_enter_on_a_service_lists_the_pods_that_it_selects() -> None:
    app = application("shop-at-night", "shop")
    async with running(app) as (pilot, screen):
        await command(pilot, app, "svc/api")
        await press(pilot, app, "enter")
        assert screen.view.owner == Ref("Service", "shop", "api")
        assert [row.ref.name.partition("-")[0] for row in screen.rows] == ["api", "api"]


async def test_namespaces_by_list_and_by_number() -> None:
    app = application("oom-killed")
    async with running(app) as (pilot, screen):
        await press(pilot, app, "0")
        assert screen.view == View()
        assert any(row.ref.namespace == "kube-system" for row in screen.rows)
        await command(pilot, app, "ns")
        assert "shop" in shown(screen)
        screen.query_one(VirtualTable).highlight(shown(screen).index("shop"))
        await press(pilot, app, "enter")
        assert screen.view == View(namespace="shop")
        assert shown(screen)[0] == "checkout"


async def test_another_order_has_the_same_rows_and_late_rows_come_in_it() -> None:
    app = application("oom-killed")
    async with running(app) as (pilot, screen):
        before = screen.rows
        await press(pilot, app, "N")
        assert [row.ref.name for row in screen.rows] == sorted(row.ref.name for row in before)
        assert {id(row) for row in screen.rows} == {id(row) for row in before}
        screen.post_message(RowsMade(screen.view, before, counts(before), "health"))
        await press(pilot, app)
        assert [row.ref.name for row in screen.rows] == sorted(row.ref.name for row in before)


async def test_faults_only_and_order() -> None:
    app = application("oom-killed")
    async with running(app) as (pilot, screen):
        await press(pilot, app, "ctrl+z")
        assert shown(screen) == ["checkout"]
        await press(pilot, app, "ctrl+z", "N")
        assert shown(screen) == sorted(shown(screen))
        await press(pilot, app, "S")
        assert shown(screen)[0] == "checkout"


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("d", ("Container checkout", "resources.limits.memory  128Mi", "Events", "Conditions")),
        ("y", ("apiVersion:", "kind: Deployment", "replicas:")),
        ("e", ("What it means", "How to fix it")),
        ("question_mark", ("ctrl-z", "faults only")),
    ],
)
async def test_texts_open_on_a_screen_of_their_own(key: str, words: tuple[str, ...]) -> None:
    app = application("oom-killed")
    async with running(app) as (pilot, screen):
        await press(pilot, app, key)
        assert isinstance(app.screen, TextScreen)
        for word in words:
            assert word in text_of(app)
        await press(pilot, app, "escape")
        assert on_top(app) is screen


async def test_who_uses_a_workload() -> None:
    app = application("oom-killed")
    async with running(app) as (pilot, _):
        await press(pilot, app, "j", "u")
        assert "Used by: Deployment shop/api" in text_of(app)
        assert "Service shop/api  selects its pods" in text_of(app)


async def test_node_and_owner_of_a_pod() -> None:
    app = application("oom-killed")
    async with running(app) as (pilot, screen):
        await press(pilot, app, "enter", "J")
        assert screen.view == View("ReplicaSet", "shop")
        current = screen.query_one(VirtualTable).current
        assert current is not None
        assert current.ref.name.startswith("checkout-")
        await press(pilot, app, "escape")
        pod = screen.query_one(VirtualTable).current
        assert pod is not None
        await press(pilot, app, "o")
        node = screen.query_one(VirtualTable).current
        assert node is not None
        assert node.ref == Ref("Node", "", pod.node)


async def test_a_command_is_copied_by_its_number() -> None:
    app = application("oom-killed")
    async with running(app) as (pilot, screen):
        await press(pilot, app, "X")
        assert isinstance(app.screen, CopyScreen)
        await press(pilot, app, "1")
        assert on_top(app) is screen
        verdict = screen.query_one(IncidentPane).verdict
        assert verdict is not None
        assert app.clipboard == verdict.causes[0].fixes[0].command


@pytest.mark.parametrize(
    ("key", "line"),
    [
        ("ctrl+d", "kubectl delete deployment/checkout -n shop"),
        ("ctrl+k", "kubectl delete deployment/checkout -n shop --force --grace-period=0"),
        ("s", "kubectl scale deployment/checkout -n shop --replicas=1"),
    ],
)
async def test_keys_that_change_something_elsewhere_only_show_the_command(key: str, line: str) -> None:
    app = application("oom-killed")
    async with running(app) as (pilot, _):
        await press(pilot, app, key)
        assert isinstance(app.screen, CopyScreen)
        assert app.clipboard == ""
        await press(pilot, app, "enter")
        assert app.clipboard == line


async def test_findings_of_the_namespace() -> None:
    app = application("oom-killed")
    async with running(app) as (pilot, screen):
        await press(pilot, app, "f")
        assert screen.view == View("Finding", "shop")
        first = screen.rows[0]
        pane = screen.query_one(IncidentPane)
        assert pane.verdict is not None
        assert pane.verdict.causes[0].id == first.finding
        assert first.status in " ".join(pane.page.plain.split())


async def test_below_112_columns_the_page_is_below() -> None:
    app = application("oom-killed")
    async with running(app, (80, 24)) as (pilot, screen):
        table, pane = screen.query_one(VirtualTable), screen.query_one(IncidentPane)
        assert pane.region.y > table.region.bottom
        assert table.region.width == pane.region.width == 80
        await pilot.resize_terminal(120, 32)
        await pilot.pause()
        assert pane.region.x >= table.region.right


async def test_themes() -> None:
    app = application("oom-killed")
    async with running(app) as (pilot, _):
        await command(pilot, app, "theme light")
        assert app.theme == "light"
        await command(pilot, app, "theme contrast")
        assert app.theme == "contrast"
        await command(pilot, app, "theme nonsense")
        assert app.theme == "contrast"


async def test_the_mouse_highlights_and_opens() -> None:
    app = application("oom-killed")
    async with running(app) as (pilot, screen):
        await pilot.click(VirtualTable, offset=(10, 3))
        await press(pilot, app)
        assert screen.query_one(VirtualTable).cursor == 2
        await pilot.click(VirtualTable, offset=(10, 3), times=2)
        await press(pilot, app)
        assert screen.view.owner is not None


async def test_nothing_from_the_cluster_is_obeyed_or_read_as_markup() -> None:
    source = opened("oom-killed")
    snapshot = source.snapshot
    _rename(snapshot, "checkout", "[bold red]\x1b[31mevil\x1b]52;c;eA==\x07[/]")
    app = KubedoctorApp(lambda: Session(source, load_catalogue()), "shop")
    async with running(app) as (pilot, screen):
        table = screen.query_one(VirtualTable)
        table.highlight(next(n for n, row in enumerate(table.rows) if "evil" in row.ref.name))
        for key in ("d", "y", "l", "w", "X", "c"):
            await press(pilot, app, key)
            picture = app.export_screenshot()
            assert "\x1b" not in picture
            assert "\x07" not in picture
            if on_top(app) is not screen:
                await press(pilot, app, "escape")
        assert "\x1b" not in app.clipboard
        row = table.render_line(table.cursor + 1).text
        assert "[bold red]" in row
        assert row.isprintable()


def _rename(snapshot: Snapshot, name: str, other: str) -> None:
    import msgspec

    obj = snapshot.get(Ref("Deployment", "shop", name))
    assert obj is not None
    snapshot.remove(Ref("Deployment", "shop", name))
    snapshot.add([msgspec.structs.replace(obj, metadata=msgspec.structs.replace(obj.metadata, name=other))])


async def test_the_event_loop_is_free_while_diagnostics_run(monkeypatch: pytest.MonkeyPatch) -> None:
    gate = threading.Event()
    scan = Session.scan

    def slow(self: Session, namespace: str) -> object:
        gate.wait(20)
        return scan(self, namespace)

    monkeypatch.setattr(Session, "scan", slow)
    app = application("oom-killed")
    async with app.run_test(size=SIZE) as pilot:
        while not app.screen_stack or not isinstance(app.screen, ListScreen) or not app.screen.is_mounted:
            await asyncio.sleep(0.01)
        screen = list_screen(app)
        await pilot.press("tab")
        while not screen.rows:
            await asyncio.sleep(0.01)
        await pilot.press("j")
        assert screen.query_one(VirtualTable).cursor == 1
        assert screen.report is None
        gate.set()
        await settle(app)
        assert screen.report is not None
