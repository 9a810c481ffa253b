"""Screens that stay mounted when they are left."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from itertools import count
from typing import Any, Self

from textual import events, on
from textual.app import App
from textual.geometry import Size
from textual.message import Message
from textual.reactive import Reactive
from textual.screen import Screen
from textual.timer import Timer

from kubedoctor.engine import Report
from kubedoctor.tui.messages import Arrived, PageOpened
from kubedoctor.tui.screens.compositor import FrontCompositor
from kubedoctor.tui.threads import InThread
from kubedoctor.tui.widgets.text_view import TextView
from kubedoctor.tui.work import wrapping

HOLD = 0.1
"""Seconds that a screen may wait for its first page before it is drawn without one."""


class KeptScreen(Screen[None]):
    """Opened repeatedly with other content: to mount its widgets costs more than to draw them. `draw` shows what it is
    opened for, `take` what its work posts, and `forget` lets go of both once it is left."""

    virtual_size = Reactive(Size(0, 0))
    """Only a layout changes it, and none follows from that."""

    def __init__(self) -> None:
        super().__init__()
        self._compositor = FrontCompositor()
        self._turn: object | None = None
        self._hold = ExitStack()
        self._patience: Timer | None = None
        self._styled_for = ""

    @classmethod
    def unused(cls, app: App[Any]) -> Self:
        """A screen of this class that is not on the stack; mounted already, but for the first time."""
        for number in count(1):
            name = f"{cls.__name__} {number}"
            if not app.is_screen_installed(name):
                app.install_screen(cls(), name)
            screen = app.get_screen(name, cls)
            if screen not in app.screen_stack:
                return screen
        raise AssertionError  # the numbers do not end

    def draw(self) -> None:
        """Show what the screen was opened for."""
        raise NotImplementedError

    def take(self, message: Message) -> None:
        """Show what the work of this opening has made."""
        raise NotImplementedError

    def forget(self) -> None:
        """Let go of what was shown."""
        raise NotImplementedError

    def renew(self, report: Report) -> bool:
        """Show the same of the moment that is shown now, of which this is the report; whether that is possible."""
        self._turn = object()
        self.draw()
        return True

    def open(self, app: App[Any]) -> None:
        """Put the screen on top. Its content was set before."""
        self._turn = object()
        if self.is_mounted:
            self.draw()
        app.push_screen(self)
        if (visited := self.again()) is not None:
            app.post_message(PageOpened(*visited))

    def again(self) -> tuple[str, Callable[[App[Any]], object]] | None:
        """A title, the same for the same page, and what shows it again; None for what is not visited again."""
        return None

    def work(self, job: Callable[..., None]) -> None:
        """Run a job whose messages are taken as long as the screen stays open for the same content. The screen is not
        drawn before the first of them, unless that takes long: to draw it twice costs twice as much."""
        turn, width = self._turn, self.query_one(TextView).line_width
        post = wrapping(lambda message: self.post_message(Arrived(turn, message)), width)
        self.run_worker(InThread(job, post))
        if self._patience is None:
            self._hold.enter_context(self.app.batch_update())
            self._patience = self.set_timer(HOLD, self._release)

    def _release(self) -> None:
        if self._patience is not None:
            self._patience.stop()
            self._patience = None
            self._hold.close()

    def on_mount(self) -> None:
        self._styled_for = self.app.theme
        if self._turn is not None:
            self.draw()

    @on(Arrived)
    def _arrived(self, arrived: Arrived) -> None:
        if arrived.turn is self._turn:
            self.take(arrived.message)
            self._release()

    def on_screen_resume(self, event: events.ScreenResume) -> None:
        """Runs before Textual's own, which applies the style sheets whenever a screen is opened."""
        event.refresh_styles = self._styled_for != self.app.theme
        self._styled_for = self.app.theme

    def on_screen_suspend(self) -> None:
        self._release()
        if self not in self.app.screen_stack:
            self._turn = None
            self.workers.cancel_node(self)
            self.forget()
