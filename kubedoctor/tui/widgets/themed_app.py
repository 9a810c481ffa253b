"""An application with the colours of `look.py`."""

from __future__ import annotations

from typing import Any

from textual.app import App

from kubedoctor.tui.look import DARK, THEMES
from kubedoctor.tui.state.choices import KeptChoices
from kubedoctor.tui.state.own_settings import OwnSettings


class ThemedApp(App[int]):
    """Has the three themes, and their colours by role."""

    moment_shown = ""
    """The earlier moment that all screens show; empty in the present."""

    @property
    def flags(self) -> tuple[str, ...]:
        """Those that commands need to reach the cluster that is shown."""
        return ()

    def __init__(self, **arguments: Any) -> None:
        super().__init__(**arguments)
        self.kept = KeptChoices()
        self.own = OwnSettings()
        for theme in THEMES:
            self.register_theme(theme)
        self.theme = DARK.name

    def use(self, kept: KeptChoices, own: OwnSettings | None = None) -> None:
        """What was chosen the last time, and where it is kept; own: what the person has written."""
        self.kept = kept
        self.own = own or self.own
        if kept.chosen.theme in self.available_themes:
            self.theme = kept.chosen.theme

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """The roles have a colour in Textual's own themes too."""
        return dict(DARK.variables)
