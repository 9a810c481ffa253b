"""The list and the page beside it."""

from __future__ import annotations

from textual import events
from textual.containers import Container
from textual.geometry import Size
from textual.reactive import Reactive

from kubedoctor.tui.widgets.line_view import LineView


class Panes(Container):
    """Marks the pane that keys go to by its frame; it stays marked while the prompt is open."""

    virtual_size = Reactive(Size(0, 0))
    """Only a layout changes it, and none follows from that."""

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        for pane in self.query(LineView):
            pane.frame(active=pane is event.widget)
