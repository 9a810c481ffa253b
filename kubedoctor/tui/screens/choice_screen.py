"""A screen on which one of several things is chosen."""

from __future__ import annotations

from collections.abc import Sequence

from textual import on
from textual.app import ComposeResult
from textual.message import Message

from kubedoctor.tui.pages.page import Page
from kubedoctor.tui.screens.kept_screen import KeptScreen
from kubedoctor.tui.widgets.choice_view import ChoiceView
from kubedoctor.tui.widgets.one_line import Heading, Key, Keys, Rule


class ChoiceScreen(KeptScreen):
    """Offers things; `choose` says what follows. It has the whole screen: what lies below a dialog is drawn with it."""

    CSS_PATH = "choice_screen.tcss"
    heading = ""
    keys: tuple[Key, ...] = ()

    def compose(self) -> ComposeResult:
        yield Heading(id="heading")
        yield Rule()
        yield ChoiceView(id="choices")
        yield Keys(id="keys")

    def choices(self) -> Sequence[Page]:
        """What is offered."""
        raise NotImplementedError

    def choose(self, index: int) -> None:
        """Do what follows from this choice."""
        raise NotImplementedError

    def draw(self) -> None:
        view = self.query_one(ChoiceView)
        self.query_one(Heading).entitle(self.heading)
        self.query_one(Keys).offer(self.keys, (("esc", "back"),))
        view.offer(self.choices())

    def take(self, message: Message) -> None:
        """No work posts anything."""

    def forget(self) -> None:
        self.query_one(ChoiceView).offer(())

    @on(ChoiceView.Chosen)
    def _chosen(self, message: ChoiceView.Chosen) -> None:
        self.choose(message.index)
