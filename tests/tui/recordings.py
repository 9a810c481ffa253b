"""The package's own recordings, as the application opens them."""

from __future__ import annotations

from textual.pilot import Pilot

from kubedoctor.cluster import Snapshot
from kubedoctor.collect.opening import open_source
from kubedoctor.collect.options import Options
from kubedoctor.collect.source import ReadableCluster
from kubedoctor.sandbox import recording_path
from kubedoctor.tui.app import KubedoctorApp
from kubedoctor.tui.screens.list_screen import ListScreen
from kubedoctor.tui.widgets.prompt import Prompt
from tests.tui.screenshots import settle


def opened(name: str) -> ReadableCluster:
    """A recording as a source."""
    return open_source(Options(from_=(str(recording_path(name)),)))


def recorded(name: str) -> Snapshot:
    """The snapshot of a recording."""
    return opened(name).snapshot


def list_screen(app: KubedoctorApp) -> ListScreen:
    """The list, whatever lies on top of it."""
    return next(screen for screen in app.screen_stack if isinstance(screen, ListScreen))


async def press(pilot: Pilot[int], app: KubedoctorApp, *keys: str) -> None:
    """Press keys, and wait until nothing is being made any more."""
    for key in keys:
        await pilot.press(key)
    await settle(app)
    await pilot.pause()


async def command(pilot: Pilot[int], app: KubedoctorApp, text: str) -> None:
    """Enter a command as the prompt does, without the time that typing takes."""
    list_screen(app).post_message(Prompt.Command(text))
    await press(pilot, app)
