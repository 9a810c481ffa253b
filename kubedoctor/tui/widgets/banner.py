"""A line across the screen for urgent messages."""

from __future__ import annotations

from textual.geometry import Size
from textual.reactive import Reactive
from textual.widgets import Static

from kubedoctor.cluster.grammar.text import visible


class Banner(Static):
    """Hidden while there is no message. Its class is the kind of the message."""

    virtual_size = Reactive(Size(0, 0))
    """Only a layout changes it, and none follows from that."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id, markup=False)
        self._said = ("", "")

    def say(self, text: str, kind: str) -> None:
        """Show a text, or with an empty text remove the message of that kind."""
        if text:
            if (text, kind) == self._said:
                return
            self._said = (text, kind)
            self.update(visible(text, 400))
            self.set_classes(kind)
            self.display = True
        elif self.has_class(kind):
            self._said = ("", "")
            self.display = False
            self.set_classes("")
