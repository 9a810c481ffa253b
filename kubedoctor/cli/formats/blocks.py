"""Labelled blocks of text: the labels of a finding and of a sheet are in one column."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from kubedoctor.cli.formats.wrapping import columns, is_command, padded, uncoloured, wrapped
from kubedoctor.cluster.grammar.text import visible
from kubedoctor.engine.words import EFFECTS
from kubedoctor.findings import Command, Effect, Fix

LABEL = 13
_MARKS = ("✓ ", "· ", "✗ ", "! ")


def block(label: str, texts: Iterable[str], width: int) -> Iterator[str]:
    """Texts after a label. A command stays on its line, since it is pasted; its note moves below where the line would
    be too long."""
    for number, text in enumerate(texts):
        inner = len(text) - len(text.lstrip())
        first = padded(f"  {label if number == 0 else ''}", LABEL + 4) + " " * inner
        text = text.lstrip()
        if is_command(text):
            yield from _command_lines(text, first, width)
        else:
            deeper = 2 if inner or uncoloured(text).startswith(_MARKS) else 0
            yield from wrapped(text, width, first, " " * (columns(first) + deeper))


def fix_lines(fix: Fix, proven: str = "✓") -> Iterator[str]:
    """The fix, marked `proven` where a replay has proven it, and its command."""
    yield f"{proven if fix.verified else '·'} {visible(fix.summary)}"
    if fix.command:
        yield f"  {visible(fix.command)}  # {EFFECTS[fix.effect]}"


def command_text(command: Command) -> str:
    """A command with its purpose, and with its effect if it does more than read."""
    notes = [visible(command.why), "" if command.effect is Effect.READS else EFFECTS[command.effect]]
    note = ", ".join(filter(None, notes))
    return visible(command.line) + (f"  # {note}" if note else "")


def _command_lines(text: str, first: str, width: int) -> Iterator[str]:
    command, hash_, note = text.rpartition("  # ")
    if not hash_ or columns(first + text) <= width:
        yield first + text
        return
    yield first + command
    margin = " " * columns(first) + "# "
    yield from wrapped(note, width, margin, margin)
