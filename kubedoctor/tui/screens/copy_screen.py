"""Copy a command by its number."""

from __future__ import annotations

from typing import ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from kubedoctor.cluster.grammar.text import visible
from kubedoctor.engine.words import EFFECTS
from kubedoctor.findings import Effect
from kubedoctor.tui.pages.incidents import Copyable, ObjectVerdict, copyables
from kubedoctor.tui.rows import Row
from kubedoctor.tui.widgets.titles import as_title


def commands_of(verdict: ObjectVerdict | None, row: Row) -> tuple[Copyable, ...]:
    """The commands to copy for a row: those of its incidents, else `kubectl describe`."""
    commands = copyables(verdict) if verdict is not None else ()
    return commands or (
        Copyable(row.ref.describe_command, "everything that kubectl shows of it", EFFECTS[Effect.READS]),
    )


class CopyScreen(ModalScreen[None]):
    """Copies a command line to the clipboard (OSC 52). It never runs one."""

    CSS_PATH = "dialog.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,q,x", "app.pop_screen", "Back")]

    def __init__(self, commands: tuple[Copyable, ...], title: str = "Copy a command") -> None:
        super().__init__()
        self._commands = commands
        self._heading = title

    def compose(self) -> ComposeResult:
        with Vertical(id="box") as box:
            box.border_title = as_title(self._heading)
            box.border_subtitle = as_title("number or enter copies  esc back")
            yield OptionList(*(Option(self._option(n, copyable)) for n, copyable in enumerate(self._commands, start=1)))
            yield Static("kubedoctor is read-only: it copies commands and never runs them.", id="note", markup=False)

    @staticmethod
    def _option(number: int, copyable: Copyable) -> Content:
        why = visible(f"{copyable.why} · {copyable.effect}" if copyable.why else copyable.effect, 200)
        return Content.assemble(
            (f"{number} ", "bold $text-primary"),
            (visible(copyable.line, 1000), "$text-secondary"),
            "\n  ",
            (why, "$quiet"),
        )

    def on_key(self, event: events.Key) -> None:
        if event.character and event.character.isdigit() and 1 <= int(event.character) <= len(self._commands):
            event.stop()
            self._copy(int(event.character) - 1)

    @on(OptionList.OptionSelected)
    def _selected(self, event: OptionList.OptionSelected) -> None:
        self._copy(event.option_index)

    def _copy(self, index: int) -> None:
        line = visible(self._commands[index].line)  # a control character must not run anything where it is pasted
        self.app.copy_to_clipboard(line)
        self.dismiss()
        self.app.notify(f"Copied: {line[:300]}", timeout=4)
