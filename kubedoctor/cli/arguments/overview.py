"""`kubedoctor --help`: every command in a line."""

from __future__ import annotations

from collections.abc import Iterator

from kubedoctor.cli.arguments.command import SECTIONS, Subcommand
from kubedoctor.cli.arguments.known import every_command
from kubedoctor.cli.formats.wrapping import wrapped
from kubedoctor.cli.terminal import text_width

_PURPOSE = "kubedoctor tells why a Kubernetes workload is broken, how sure it is, and what to type next. It only reads the cluster."
_FORMS = (
    ("", "open the terminal UI on the current context"),
    ("KIND NAME", "diagnose an object and what it depends on; several names and KIND/NAME too"),
    ("KIND", "list and diagnose all objects of a kind: kubedoctor pods -l app=web"),
    ("NAME", "diagnose whatever object has that name"),
    ("COMMAND", "see below; kubedoctor COMMAND --help has its options"),
)
_EXIT_CODES = (
    ("0", "nothing found, everything was checked"),
    ("1", "findings of at least the severity of --fail-on"),
    ("2", "wrong usage, or what is asked for cannot be read"),
    ("3", "nothing found, but something could not be checked or explained"),
)
_ANYWHERE = (
    ("-n NAMESPACE, -A", "where to look, as with kubectl; also --context, --kubeconfig, --as"),
    ("-f FILE", "read a recording instead of a cluster"),
    ("-o FORMAT", "text, json, yaml, markdown, junit, sarif, wide or name"),
)


def overview(program: str) -> str:
    """The help without a command."""
    width = text_width()
    lines = [*wrapped(_PURPOSE.replace("kubedoctor", program), width), "", "usage:"]
    lines += _rows(
        [(f"{program} {form}".rstrip(), meaning.replace("kubedoctor ", f"{program} ")) for form, meaning in _FORMS],
        width,
    )
    commands = list(every_command())
    for section in (*SECTIONS, *sorted({command.section for command in commands} - set(SECTIONS))):
        rows = [(command.name, command.summary) for command in commands if command.section == section]
        if rows:
            lines += ["", f"{section.lower()}:", *_rows(rows, width, _longest(commands))]
    lines += ["", *wrapped("options of most commands, before or after it:", width), *_rows(_ANYWHERE, width)]
    lines += ["", "exit codes:", *_rows(_EXIT_CODES, width)]
    return "\n".join(lines)


def _longest(commands: list[Subcommand]) -> int:
    return max(len(command.name) for command in commands)


def _rows(rows: list[tuple[str, str]] | tuple[tuple[str, str], ...], width: int, longest: int = 0) -> Iterator[str]:
    column = max(longest, *(len(name) for name, _ in rows)) + 4
    for name, meaning in rows:
        yield from wrapped(meaning, width, f"  {name:<{column - 2}}", " " * column)
