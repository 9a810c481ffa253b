"""Ask: every question that fits an object."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from kubedoctor.answers.question import Question
from kubedoctor.cluster import Ref
from kubedoctor.cluster.grammar.text import visible
from kubedoctor.tui.widgets.titles import as_title


class QuestionsScreen(ModalScreen[Question]):
    """Returns the chosen question, None without a choice."""

    CSS_PATH = "dialog.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,q,a", "app.pop_screen", "Back")]

    def __init__(self, questions: tuple[Question, ...], subject: Ref) -> None:
        super().__init__()
        self._questions = questions
        self._subject = subject

    def compose(self) -> ComposeResult:
        with Vertical(id="box") as box:
            box.border_title = as_title(f"Ask about {self._subject.title}")
            box.border_subtitle = as_title("enter asks  esc back")
            yield OptionList(*(Option(self._option(question)) for question in self._questions))

    @staticmethod
    def _option(question: Question) -> Content:
        key = f"{question.key}  " if question.key else ""
        name = (f"{key}{visible(question.name, 60)}", "bold $text-primary")
        return Content.assemble(name, "\n  ", (visible(question.help, 200), "$quiet"))

    @on(OptionList.OptionSelected)
    def _selected(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(self._questions[event.option_index])
