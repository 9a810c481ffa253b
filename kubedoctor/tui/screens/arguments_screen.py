"""The words that a question needs beside its subject."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from kubedoctor.answers.question import Question
from kubedoctor.cluster import Ref
from kubedoctor.tui.widgets.one_line import Heading, Keys


class ArgumentsScreen(ModalScreen[tuple[str, ...] | None]):
    """Gives the words that were typed, None where they were not."""

    CSS_PATH = "dialog.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "app.pop_screen", "Back")]

    def __init__(self, question: Question, subject: Ref, words: tuple[str, ...]) -> None:
        super().__init__()
        self._question = question
        self._subject = subject
        self._words = words

    def compose(self) -> ComposeResult:
        with Vertical(id="box"):
            yield Heading(id="heading")
            yield Input("".join(f"{word} " for word in self._words), self._question.usage, select_on_focus=False)
            for argument in self._question.arguments:
                yield Static(f"{argument.metavar}: {argument.help}", classes="argument", markup=False)
            yield Keys(id="keys")

    def on_mount(self) -> None:
        self.query_one(Heading).entitle(self._question.name, self._subject.title, ())
        self.query_one(Keys).offer((("enter", "ask"),), (("esc", "back"),))

    @on(Input.Submitted)
    def _entered(self, event: Input.Submitted) -> None:
        words = tuple(event.value.split())
        if len(words) >= len(self._question.arguments):
            self.dismiss(words)
