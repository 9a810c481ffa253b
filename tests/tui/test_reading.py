"""While a large cluster or recording is being read: its rows appear part by part."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable, Iterable
from pathlib import Path

from textual.message import Message
from textual.pilot import Pilot

from kubedoctor.cluster import Ref
from kubedoctor.collect.bundles import BundleSource
from kubedoctor.collect.opening import open_source
from kubedoctor.collect.options import Options
from kubedoctor.engine import load_catalogue
from kubedoctor.problems import BundleProblem
from kubedoctor.sandbox import Sandbox, load_recording, recording_path, serve
from kubedoctor.sandbox.faults import slow
from kubedoctor.tui import work
from kubedoctor.tui.app import KubedoctorApp
from kubedoctor.tui.messages import Progress, RowsMade, SomeRowsMade
from kubedoctor.tui.rows import View
from kubedoctor.tui.screens.list_screen import ListScreen
from kubedoctor.tui.session import Session
from kubedoctor.tui.widgets.incident_pane import IncidentPane
from kubedoctor.tui.widgets.status_bar import StatusBar
from kubedoctor.tui.widgets.virtual_table import VirtualTable
from tests.tui.recordings import press
from tests.tui.test_live import until

DEPLOYMENT = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "web", "namespace": "shop", "creationTimestamp": "2026-11-01T00:00:00Z"},
    "spec": {"replicas": 1, "selector": {"matchLabels": {"app": "web"}}, "template": {"metadata": {}, "spec": {}}},
    "status": {"replicas": 1, "readyReplicas": 1, "availableReplicas": 1, "updatedReplicas": 1},
}
ORPHAN = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {
        "name": "lost-1",
        "namespace": "shop",
        "creationTimestamp": "2026-11-01T00:00:00Z",
        "ownerReferences": [
            {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "lost", "uid": "u", "controller": True}
        ],
    },
    "spec": {"containers": [{"name": "app", "image": "app:1"}]},
    "status": {"phase": "Running"},
}


class HeldBundle(BundleSource):
    """Reads no further after its first objects until it is told to."""

    def __init__(self, paths: tuple[str, ...]) -> None:
        super().__init__(paths)
        self.goes_on = threading.Event()

    def list_all(
        self, kinds: Iterable[str], namespace: str | None = None, on_part: Callable[[], None] | None = None
    ) -> None:
        def wait() -> None:
            for _ in range(1000):
                if on_part is not None:
                    on_part()
                if self.goes_on.wait(0.02):
                    return

        super().list_all(kinds, namespace, wait if on_part else None)


def held(tmp_path: Path) -> HeldBundle:
    for name, obj in (("deployment.json", DEPLOYMENT), ("pod.json", ORPHAN)):
        (tmp_path / name).write_text(json.dumps(obj))
    return HeldBundle((str(tmp_path),))


def names(screen: ListScreen) -> list[str]:
    return [row.ref.name for row in screen.query_one(VirtualTable).rows]


def shown(pilot: Pilot[int]) -> ListScreen | None:
    """The list of workloads, once it has rows."""
    screen = pilot.app.screen
    if not isinstance(screen, ListScreen) or not screen.is_mounted:
        return None
    if screen.view.kind == "Finding":
        screen.action_switch(1)
    return screen if names(screen) else None


def text(screen: ListScreen) -> str:
    strips = screen._compositor.render_strips()
    return "\n".join("".join(segment.text for segment in strip) for strip in strips)


async def test_rows_of_a_recording_appear_before_all_of_it_is_read(tmp_path: Path) -> None:
    source = held(tmp_path)
    app = KubedoctorApp(lambda: Session(source, load_catalogue()), "")
    async with app.run_test(size=(120, 32)) as pilot:
        await until(lambda: shown(pilot))
        screen = shown(pilot)
        assert screen is not None
        assert names(screen) == ["web"]
        assert screen.report is None
        bar = screen.query_one(StatusBar)
        await until(lambda: bar.doing == "reading: 1 object")
        assert "<invalid>" not in text(screen)
        source.goes_on.set()
        await until(lambda: screen.report)
        assert sorted(names(screen)) == ["lost-1", "web"]
        await until(lambda: not bar.doing)


async def test_work_that_ends_leaves_the_progress_of_work_that_began_meanwhile(tmp_path: Path) -> None:
    source = held(tmp_path)
    source.goes_on.set()
    app = KubedoctorApp(lambda: Session(source, load_catalogue()), "")
    async with app.run_test(size=(120, 32)) as pilot:
        await until(lambda: (screen := shown(pilot)) and screen.report)
        screen = shown(pilot)
        assert screen is not None
        bar = screen.query_one(StatusBar)
        await until(lambda: not bar.doing)
        posted = list[Message]()

        def post(message: Message) -> None:
            """The list ends after the diagnostics began."""
            if isinstance(message, Progress) and not message.doing:
                posted.append(message)
            else:
                screen.post_message(message)

        work.load(screen.session, screen.view, screen.report, lambda: "health", post, present=lambda: screen.view)
        work.examine(screen.session, "", post)
        await until(lambda: bar.doing == "running diagnostics")
        for ending, after in zip(posted, ("running diagnostics", ""), strict=True):
            screen.post_message(ending)
            await pilot.pause()
            assert bar.doing == after


async def test_another_view_and_order_wait_for_the_recording(tmp_path: Path) -> None:
    source = held(tmp_path)
    app = KubedoctorApp(lambda: Session(source, load_catalogue()), "")
    async with app.run_test(size=(120, 32)) as pilot:
        await until(lambda: shown(pilot))
        screen = shown(pilot)
        assert screen is not None
        await pilot.press("N")
        assert names(screen) == ["web"]
        await pilot.press("colon", *"po", "enter")
        await until(lambda: screen.view == View("Pod"))
        source.goes_on.set()
        await until(lambda: names(screen) == ["lost-1"])
        await pilot.press("escape")
        await until(lambda: names(screen) == ["lost-1", "web"])


async def test_another_list_shows_what_was_read_of_it_so_far(tmp_path: Path) -> None:
    source = held(tmp_path)
    app = KubedoctorApp(lambda: Session(source, load_catalogue()), "")
    async with app.run_test(size=(120, 32)) as pilot:
        await until(lambda: shown(pilot))
        screen = shown(pilot)
        assert screen is not None
        await pilot.press("colon", *"deploy", "enter")
        await until(lambda: screen.view == View("Deployment") and names(screen) == ["web"])
        assert screen.report is None
        await pilot.press("colon", *"ctx", "enter")
        await until(lambda: screen.view == View("Context") and names(screen) == [source.context])
        await pilot.press("escape")
        await until(lambda: screen.view == View("Deployment"))
        source.goes_on.set()
        await until(lambda: screen.report and names(screen) == ["web"])


def test_a_list_is_not_read_with_the_contexts(tmp_path: Path) -> None:
    """Left at once, they would be waited for, and nothing would read the list."""
    session = Session(held(tmp_path), load_catalogue())
    assert session.reads_with(View("Deployment"), View("Finding"))
    assert not session.reads_with(View("Deployment"), View("Context"))
    assert not session.reads_with(View("Context"), View("Deployment"))


async def test_work_that_reads_for_a_list_that_was_left_makes_no_rows(tmp_path: Path) -> None:
    session = Session(held(tmp_path), load_catalogue())
    posted = list[Message]()
    work.load(session, View("Pod"), None, lambda: "health", posted.append, present=lambda: None)
    assert not [message for message in posted if isinstance(message, SomeRowsMade | RowsMade)]


async def test_a_page_that_is_asked_for_meanwhile_is_about_the_whole_recording(tmp_path: Path) -> None:
    source = held(tmp_path)
    app = KubedoctorApp(lambda: Session(source, load_catalogue()), "")
    async with app.run_test(size=(120, 32)) as pilot:
        await until(lambda: shown(pilot))
        assert app.session is not None
        question = asyncio.create_task(asyncio.to_thread(app.session.seen))
        await asyncio.sleep(0.05)
        assert not question.done()
        source.goes_on.set()
        assert (await question).get(Ref("Pod", "shop", "lost-1")) is not None


async def test_a_file_without_objects_ends_the_application_with_the_reason(tmp_path: Path) -> None:
    file = tmp_path / "x.json"
    file.write_text("{}")
    options = Options(from_=(str(file),))
    app = KubedoctorApp(lambda: Session(open_source(options, read=False), load_catalogue()), "")
    async with app.run_test():
        await until(lambda: app.problem)
    assert isinstance(app.problem, BundleProblem)


async def test_live_rows_appear_while_other_lists_are_being_read() -> None:
    sandbox = Sandbox(load_recording(recording_path("oom-killed")))
    sandbox.faults.append(slow("pods", seconds=3.0, times=1))
    with serve(sandbox) as served:
        options = Options(kubeconfig=str(served.kubeconfig))
        app = KubedoctorApp(lambda: Session(open_source(options), load_catalogue()), "shop")
        async with app.run_test(size=(120, 32)) as pilot:
            await until(lambda: shown(pilot))
            screen = shown(pilot)
            assert screen is not None
            await until(lambda: "checkout" in names(screen))
            assert screen.report is None
            assert screen.session.snapshot.of_kind("Pod") == ()
            assert not screen.query_one(IncidentPane).page.plain.startswith("No ")
            await press(pilot, app, "j")
            await until(lambda: screen.report)
            assert screen.session.snapshot.of_kind("Pod")
            assert app.session is not None
            await asyncio.to_thread(app.session.close)
