"""A screen on which one of several things is chosen."""

from __future__ import annotations

from collections.abc import Sequence

from textual import on
from textual.app import ComposeResult
from textual.message import Message

from kubedoctor.tui.pages.page import Page
from kubedoctor.tui.screens.kept_screen import KeptScreen
from kubedoctor.tui.widgets.choice_view import ChoiceView
from kubedoctor.tui.widgets.titles import as_title


class ChoiceScreen(KeptScreen):
    """Offers things; `choose` says what follows. It has the whole screen: what lies below a dialog is drawn with it."""

    CSS_PATH = "choice_screen.tcss"
    heading = hint = ""

    def compose(self) -> ComposeResult:
        yield ChoiceView(id="choices")

    def choices(self) -> Sequence[Page]:
        """What is offered."""
        raise NotImplementedError

    def choose(self, index: int) -> None:
        """Do what follows from this choice."""
        raise NotImplementedError

    def draw(self) -> None:
        view = self.query_one(ChoiceView)
        view.border_title, view.border_subtitle = as_title(self.heading, 200), as_title(self.hint)
        view.offer(self.choices())

    def take(self, message: Message) -> None:
        """No work posts anything."""

    def forget(self) -> None:
        self.query_one(ChoiceView).offer(())

    @on(ChoiceView.Chosen)
    def _chosen(self, message: ChoiceView.Chosen) -> None:
        self.choose(message.index)
