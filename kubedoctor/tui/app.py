"""The application: it only wires."""

from __future__ import annotations

from functools import partial
from typing import ClassVar

from textual import on
from textual.app import App
from textual.binding import BindingType

from kubedoctor.tui import work
from kubedoctor.tui.messages import Switched, ThemeWanted
from kubedoctor.tui.screens.list_screen import ListScreen
from kubedoctor.tui.session import Session
from kubedoctor.tui.themes import DARK, THEMES
from kubedoctor.tui.threads import in_thread


class KubedoctorApp(App[int]):
    """Opens on the workloads of a namespace."""

    TITLE = "kubedoctor"
    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar[list[BindingType]] = []

    def __init__(self, session: Session, namespace: str) -> None:
        super().__init__()
        self.session = session
        self._namespace = namespace
        for theme in THEMES:
            self.register_theme(theme)
        self.theme = DARK.name

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """`quiet`, for what is less important: Textual's own `text-muted` is known to style sheets only."""
        return {"quiet": "#8f959e"}

    def on_mount(self) -> None:
        self.push_screen(ListScreen(self.session, self._namespace))

    @on(ThemeWanted)
    def _theme_wanted(self, message: ThemeWanted) -> None:
        name = message.name
        if name in self.available_themes:
            self.theme = name
        else:
            own = [theme.name for theme in THEMES]
            others = sorted(set(self.available_themes) - set(own))
            self.notify(f"Themes: {', '.join(own)}; also {', '.join(others)}", timeout=8)

    @on(Switched)
    def _switched(self, message: Switched) -> None:
        before, self.session = self.session, message.session
        self.run_worker(in_thread(partial(work.close, before), self.post_message))
        self.switch_screen(ListScreen(self.session, self.session.source.namespace))

    def action_help_quit(self) -> None:
        """ctrl-c leaves, as it does in k9s."""
        self.exit()
