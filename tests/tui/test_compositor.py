"""What lies behind other widgets is not drawn, and what is seen is what Textual draws."""

from __future__ import annotations

from typing import Any

from textual._compositor import Compositor
from textual.app import App, ComposeResult
from textual.containers import Container
from textual.geometry import Region
from textual.screen import Screen
from textual.strip import Strip
from textual.widgets import Static

from kubedoctor.tui.screens.compositor import FrontCompositor


class Behind(Container):
    """Filled by its widgets, but for a gap."""

    drawn = 0

    def render_lines(self, crop: Region) -> list[Strip]:
        self.drawn += 1
        return super().render_lines(crop)


class Layers(Screen[None]):
    CSS = """
    Layers { layers: base top; }
    Static { width: 10; height: 4; }
    .wide { width: 1fr; }
    .over { layer: top; offset: 5 2; width: 12; }
    """

    def __init__(self) -> None:
        super().__init__()
        self._compositor = self.front = FrontCompositor()

    def compose(self) -> ComposeResult:
        with Behind(id="behind"):
            yield Static("one\nsecond line", classes="wide")
            yield Static("left")
        yield Static("over\nall", classes="over")


def text(screen: Layers, kind: type[Any]) -> list[str]:
    strips: list[str] = []
    for y, line in enumerate(kind._render_chops(screen.front, screen.size.region, lambda _: True)):
        parts = [line[cut] for cut in screen.front.cuts[y][:-1]]
        strips.append("".join(part.text for part in parts))
    return strips


async def test_each_cell_shows_the_widget_in_front() -> None:
    app: App[None] = App()
    async with app.run_test(size=(40, 12)) as pilot:
        screen = Layers()
        await app.push_screen(screen)
        await pilot.pause()
        assert text(screen, FrontCompositor) == text(screen, Compositor)
        behind = screen.query_one(Behind)
        drawn = behind.drawn
        FrontCompositor._render_chops(screen.front, Region(0, 0, 40, 2), lambda y: y < 2)
        assert behind.drawn == drawn
