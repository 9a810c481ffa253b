"""A line across the screen for urgent messages."""

from __future__ import annotations

from textual.geometry import Size
from textual.reactive import Reactive
from textual.widgets import Static

from kubedoctor.cluster.grammar.text import visible

ORDER = ("filter", "failed", "lost", "past", "strained", "refused", "unheeded")
"""The kinds of messages, the most urgent first."""


class Banner(Static):
    """Shows the most urgent message, and is hidden while there is none. Its class is the kind of the message."""

    virtual_size = Reactive(Size(0, 0))
    """Only a layout changes it, and none follows from that."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id, markup=False)
        self._messages: dict[str, str] = {}
        self._shown = ("", "")

    def say(self, text: str, kind: str) -> None:
        """Show a text, or with an empty text remove the message of that kind; one that it has hidden is shown again."""
        if text:
            self._messages[kind] = text
        else:
            self._messages.pop(kind, None)
        first = min(self._messages, key=ORDER.index, default="")
        shown = (self._messages.get(first, ""), first)
        if shown == self._shown:
            return
        self._shown = shown
        if first:
            self.update(visible(shown[0], 400))
        self.set_classes(first)
        self.display = bool(first)
