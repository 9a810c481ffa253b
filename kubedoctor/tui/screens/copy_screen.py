"""Copy a command by its number."""

from __future__ import annotations

from typing import Any, ClassVar

import msgspec
from textual import events
from textual.app import App
from textual.binding import Binding, BindingType

from kubedoctor.cluster.grammar.text import visible
from kubedoctor.engine.words import EFFECTS
from kubedoctor.findings import Effect
from kubedoctor.findings.commands import in_cluster
from kubedoctor.tui.pages.incidents import Copyable, ObjectVerdict, copyables
from kubedoctor.tui.pages.page import Page
from kubedoctor.tui.rows import Row
from kubedoctor.tui.screens.choice_screen import ChoiceScreen
from kubedoctor.tui.widgets.themed_app import ThemedApp

HEADING = "Copy a command: kubedoctor is read-only and never runs it"


def commands_of(verdict: ObjectVerdict | None, row: Row) -> tuple[Copyable, ...]:
    """The commands to copy for a row: those of its incidents, else `kubectl describe`."""
    commands = copyables(verdict) if verdict is not None else ()
    return commands or (
        Copyable(row.ref.describe_command, "everything that kubectl shows of it", EFFECTS[Effect.READS]),
    )


class CopyScreen(ChoiceScreen):
    """Copies a command line to the clipboard (OSC 52). It never runs one."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,q,x", "app.pop_screen", "Back")]
    heading, keys = HEADING, (("1-9", "copy"), ("enter", "copy"))
    commands: tuple[Copyable, ...] = ()

    @classmethod
    def show(cls, app: App[Any], commands: tuple[Copyable, ...]) -> None:
        """Open with these commands, each for the cluster that is shown."""
        flags = app.flags if isinstance(app, ThemedApp) else ()
        screen = cls.unused(app)
        screen.commands = tuple(
            msgspec.structs.replace(command, line=in_cluster(command.line, flags)) for command in commands
        )
        screen.open(app)

    def choices(self) -> list[Page]:
        return [_page(number, copyable) for number, copyable in enumerate(self.commands, start=1)]

    def forget(self) -> None:
        self.commands = ()
        super().forget()

    def on_key(self, event: events.Key) -> None:
        if event.character and event.character.isdigit() and 1 <= int(event.character) <= len(self.commands):
            event.stop()
            self.choose(int(event.character) - 1)

    def choose(self, index: int) -> None:
        line = visible(self.commands[index].line)  # a control character must not run anything where it is pasted
        self.app.copy_to_clipboard(line)
        self.dismiss()
        self.app.notify(f"Copied: {line[:300]}", timeout=4)


def _page(number: int, copyable: Copyable) -> Page:
    page = Page()
    page.add((f"{number} ", "key"), (copyable.line, "command"), hang=4)
    why = f"{copyable.why} · {copyable.effect}" if copyable.why else copyable.effect
    page.add((why, "dim"), indent=2)
    return page
