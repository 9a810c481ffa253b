"""The line at the bottom for filters, searches (`/`, `&`) and commands (`:`)."""

from __future__ import annotations

from typing import ClassVar

from rich.segment import Segment
from textual import on
from textual.binding import Binding, BindingType
from textual.geometry import Region, Size
from textual.message import Message
from textual.reactive import Reactive
from textual.strip import Strip
from textual.style import Style
from textual.suggester import Suggester, SuggestFromList
from textual.widgets import Input

from kubedoctor.tui.look import STYLES
from kubedoctor.tui.widgets.one_line import Keys

SIGNS = {"filter": "/", "command": ":", "search": "/", "lines": "&"}


class Prompt(Input):
    """Hidden until it is opened. A filter applies while it is typed, a command when it is entered."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "cancel", "Back", show=False),
        Binding("tab", "complete", "Complete", show=False),
    ]

    virtual_size = Reactive(Size(0, 0))
    """Not laid out at each letter: the prompt has one line of fixed width."""

    def watch_has_focus(self, _has_focus: bool) -> None:
        """In place of Textual's own, which applies the style sheets: an open prompt has the focus."""

    class Filter(Message):
        """The filter's text changed."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    class Command(Message):
        """A command was entered."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    class Closed(Message):
        """The prompt is gone. `cancelled`: by escape."""

        def __init__(self, *, cancelled: bool) -> None:
            super().__init__()
            self.cancelled = cancelled

    def __init__(self, words: tuple[str, ...] | Suggester, *, id: str | None = None) -> None:
        """words: those that complete a command, or what suggests them."""
        super().__init__(id=id, compact=True, select_on_focus=False)
        self._suggest = words if isinstance(words, Suggester) else SuggestFromList(words, case_sensitive=False)
        self.mode = ""
        self.is_open = self.can_focus = False

    def ask(self, mode: str, text: str = "") -> None:
        """Open for a `filter` of a list, a `command`, a `search` in a text, or a filter of its `lines`."""
        self.mode = ""  # this text was not typed
        self.suggester = self._suggest if mode == "command" else None
        self.placeholder = {
            "filter": "filter: web, !web, -l app=web, -f letters",
            "search": "search: a word or a regular expression",
            "lines": "only lines with: a word, a regular expression, ! and one for the others",
            "command": "po, deploy NAMESPACE, po @CONTEXT, ns, ctx, incidents, events, theme NAME, q; tab completes",
        }[mode]
        self.value = text
        self.cursor_position = len(text)
        self.is_open = self.can_focus = True
        self.mode = mode
        self.refresh()
        # Immediately, not in the next turn of the loop, so that keys typed meanwhile arrive here.
        self.screen.set_focus(self)

    def render_lines(self, crop: Region) -> list[Strip]:
        """The sign of the mode stands in the padding. While the prompt is closed, what it lies on is seen: to take it off
        the screen and put it back would lay out and draw all of the screen."""
        if not self.is_open:
            return [self._beneath()] * crop.height
        line, *others = super().render_lines(crop)
        style = (self.visual_style + Style.parse(STYLES["key"])).rich_style
        sign = Strip([Segment(f" {SIGNS.get(self.mode, '')}".ljust(2), style)], 2)
        return [Strip.join([sign, line.crop(2)]), *others]

    def _beneath(self) -> Strip:
        return self.screen.query_one(Keys).render_line(0)

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        event.stop()
        if self.mode and self.mode != "command" and self.is_open:
            self.post_message(self.Filter(event.value))

    @on(Input.Submitted)
    def _entered(self, event: Input.Submitted) -> None:
        event.stop()
        mode, text = self.mode, self.value
        self.close(cancelled=False)
        if mode == "command":
            self.post_message(self.Command(text))

    def action_cancel(self) -> None:
        self.close(cancelled=True)

    def action_complete(self) -> None:
        self.action_cursor_right()

    def close(self, *, cancelled: bool) -> None:
        """Hide again."""
        self.is_open = self.can_focus = False
        self.refresh()
        self.post_message(self.Closed(cancelled=cancelled))
