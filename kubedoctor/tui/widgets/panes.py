"""The list and the page beside it."""

from __future__ import annotations

from textual import events
from textual.containers import Container
from textual.geometry import Size
from textual.message import Message
from textual.reactive import Reactive
from textual.widget import Widget

from kubedoctor.tui.widgets.line_view import LineView


class Panes(Container):
    """Marks the pane that keys go to; it stays marked while the prompt is open."""

    virtual_size = Reactive(Size(0, 0))
    """Only a layout changes it, and none follows from that."""

    class Activated(Message):
        """Keys go to another pane."""

        def __init__(self, pane: Widget) -> None:
            super().__init__()
            self.pane = pane

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        for pane in self.query(LineView):
            pane.activate(active=pane is event.widget)
        self.post_message(self.Activated(event.widget))
