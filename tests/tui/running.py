"""The application on a recorded cluster, on the list that a test is about."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from textual.pilot import Pilot
from textual.screen import Screen

from kubedoctor.tui.app import KubedoctorApp
from kubedoctor.tui.screens.list_screen import ListScreen
from kubedoctor.tui.widgets.text_view import TextView
from kubedoctor.tui.widgets.virtual_table import VirtualTable
from tests.tui.recordings import list_screen, press
from tests.tui.screenshots import settle

SIZE = (120, 32)


@asynccontextmanager
async def running(
    app: KubedoctorApp, size: tuple[int, int] = SIZE, *, home: bool = False
) -> AsyncIterator[tuple[Pilot[int], ListScreen]]:
    """On the workloads, or on the incidents with which it opens."""
    async with app.run_test(size=size) as pilot:
        await settle(app)
        if not home:
            await press(pilot, app, "tab")
        yield pilot, list_screen(app)


def heard(node: KubedoctorApp | Screen[Any]) -> list[str]:
    """The notices that it would show from now on, as they come."""
    said: list[str] = []
    node.notify = lambda text, **_: said.append(text)  # type: ignore[method-assign]  # a toast has no text to read back
    return said


def shown(screen: ListScreen) -> list[str]:
    return [row.ref.name for row in screen.query_one(VirtualTable).rows]


def on_top(app: KubedoctorApp) -> object:
    return app.screen


def text_of(app: KubedoctorApp) -> str:
    return app.screen.query_one(TextView).page.plain
