"""An application with the colours of `look.py`."""

from __future__ import annotations

from typing import Any

from textual.app import App

from kubedoctor.tui.look import DARK, THEMES


class ThemedApp(App[int]):
    """Has the three themes, and their colours by role."""

    moment_shown = ""
    """The earlier moment that all screens show; empty in the present."""

    def __init__(self, **arguments: Any) -> None:
        super().__init__(**arguments)
        for theme in THEMES:
            self.register_theme(theme)
        self.theme = DARK.name

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """The roles have a colour in Textual's own themes too."""
        return dict(DARK.variables)
