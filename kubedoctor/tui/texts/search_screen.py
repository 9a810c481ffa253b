"""Searches the text of a screen, as `less` does."""

from __future__ import annotations

import re
from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.screen import Screen

from kubedoctor.cluster.grammar.patterns import written_pattern
from kubedoctor.cluster.grammar.text import visible
from kubedoctor.tui.widgets.prompt import Prompt
from kubedoctor.tui.widgets.text_view import TextView


def pattern_of(text: str) -> re.Pattern[str]:
    """A regular expression; capitals count where there is one. ValueError with a sentence for what is none."""
    try:
        return written_pattern(text, 0 if any(map(str.isupper, text)) else re.IGNORECASE)
    except re.error as error:
        raise ValueError(f"{text} is no regular expression: {error}") from None


class SearchScreen(Screen[None]):
    """Has a TextView and a Prompt. What is found is marked while it is typed."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "search", "Search", priority=True),
        Binding("n", "match(1)", "Next match"),
        Binding("N,shift+n", "match(-1)", "Previous match"),
        Binding("ctrl+s", "save", "Save"),
    ]
    searched = ""

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """While the prompt is open, its keys are letters."""
        return self.is_mounted and not (action in ("search", "filter") and self.query_one(Prompt).is_open)

    @property
    def _text(self) -> TextView:
        return self.query_one(TextView)

    def action_search(self) -> None:
        self.query_one(Prompt).ask("search", self.searched)

    @on(Prompt.Filter)
    def _search_typed(self, message: Prompt.Filter) -> None:
        if self.query_one(Prompt).mode == "search":
            self._search(message.text)

    @on(Prompt.Closed)
    def _search_closed(self, message: Prompt.Closed) -> None:
        prompt = self.query_one(Prompt)
        if prompt.mode == "search":
            self._search("" if message.cancelled else prompt.value)
            try:
                pattern_of(self.searched)
            except ValueError as error:
                self.notify(visible(f"{error}.", 200), severity="warning")
            if self.searched:
                self.action_match(0)
        self.set_focus(self._text)

    def _search(self, text: str) -> None:
        self.searched = text
        try:
            self._text.search(pattern_of(text) if text else None)
        except ValueError:
            self._text.search(None)  # half an expression

    def action_match(self, by: int) -> None:
        """To the next match (1), the one before (-1), or from here to the nearest (0)."""
        if not self.searched:
            self.notify("/ searches; then n and N go to the next match and the one before.", timeout=3)
            return
        place, number = self._text.go_to_match(by)
        if number:
            self.notify(f"match {place} of {number}: {visible(self.searched, 60)}", timeout=2)
        else:
            self.notify(f"No match: {visible(self.searched, 60)}", timeout=3)

    def stop_searching(self) -> bool:
        """Forget the search; whether there was one."""
        was_searching = bool(self.searched)
        if was_searching:
            self._search("")
        return was_searching
