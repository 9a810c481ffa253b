"""Ask: every question that fits an object."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from textual import events
from textual.app import App
from textual.binding import Binding, BindingType

from kubedoctor.answers.question import Question
from kubedoctor.cluster import Ref
from kubedoctor.tui.pages.page import Page
from kubedoctor.tui.screens.choice_screen import ChoiceScreen


class QuestionsScreen(ChoiceScreen):
    """Asks the chosen question."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,q,a", "app.pop_screen", "Back")]
    keys = (("enter", "ask"),)
    questions: tuple[Question, ...] = ()
    _ask: Callable[[Question], object] | None = None

    @classmethod
    def show(
        cls, app: App[Any], questions: tuple[Question, ...], subject: Ref, ask: Callable[[Question], object]
    ) -> None:
        """Open with these questions about an object; `ask` is called with the chosen one."""
        screen = cls.unused(app)
        screen.questions, screen._ask = questions, ask
        screen.heading = f"Ask about {subject.title}"
        screen.open(app)

    def choices(self) -> list[Page]:
        return [_page(question) for question in self.questions]

    def forget(self) -> None:
        self.questions, self._ask = (), None
        super().forget()

    def on_key(self, event: events.Key) -> None:
        """The key of a question chooses it here as well."""
        for index, question in enumerate(self.questions):
            if question.key and question.key == event.character:
                event.stop()
                self.choose(index)

    def choose(self, index: int) -> None:
        question, ask = self.questions[index], self._ask
        self.dismiss()
        if ask is not None:
            self.app.call_later(ask, question)


def _page(question: Question) -> Page:
    page = Page()
    page.add((f"{question.key or ' '}  ", "key"), (question.name, "strong"))
    page.add((question.help, "dim"), indent=3)
    return page
