"""Reads the examples: what real programs wrote, which line decides, and what it states.

A file has cases with an empty line between them. A case begins `== program; class; subject; source`, then as needed
`; exit CODE` and `; also CLASS CLASS`; then its lines, `> ` before those that decide and `| ` before the others. In the
files of innocent logs no line decides. Hosts, addresses and names of people are neutral; a prefix or an end that the
thread cuts off is restored in the program's own format.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Example:
    """A log and what is true of it."""

    program: str
    fault: str
    subject: str
    source: str
    lines: tuple[str, ...]
    deciding: frozenset[int]
    exit_code: int | None = None
    also: frozenset[str] = frozenset()

    @property
    def name(self) -> str:
        return f"{self.program}-{self.fault}-{self.source.rsplit('/', 1)[-1]}"


def read_examples(folder: str) -> Iterator[Example]:
    """All cases of a folder beside this file."""
    for path in sorted((HERE / folder).glob("*.txt")):
        for text in path.read_text(encoding="utf-8").split("\n\n"):
            if text.strip():
                yield _example(text.strip("\n"))


def _example(text: str) -> Example:
    header, *lines = text.split("\n")
    assert header.startswith("== "), header
    program, fault, subject, source, *more = [part.strip() for part in header[3:].split("; ")]
    exits = [int(part.split()[1]) for part in more if part.startswith("exit ")]
    also = [word for part in more if part.startswith("also ") for word in part.split()[1:]]
    assert all(line[:1] in ("|", ">") for line in lines), header
    deciding = frozenset(index for index, line in enumerate(lines) if line.startswith(">"))
    bare = tuple(line[2:] for line in lines)
    return Example(program, fault, subject, source, bare, deciding, exits[0] if exits else None, frozenset(also))
