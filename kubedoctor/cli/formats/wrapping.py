"""Text laid out in columns: reports, sheets and lessons wrap through here."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

from kubedoctor.cluster.grammar.patterns import compiled_later
from kubedoctor.cluster.grammar.text import LIST_ITEM

PIPE_WIDTH = 100
"""The width of text in columns where the output is not a terminal."""
NARROWEST = 40
"""The minimum width of text in columns."""
_COMMAND = compiled_later(r"(?<=: )(?:kubectl|kubedoctor) .*$|^(?:kubectl|kubedoctor) .*$")
_COLOUR = compiled_later("\x1b\\[[0-9;]*m")


def columns(text: str) -> int:
    """The columns of a line on a terminal: two for wide characters, none for combining characters and for colour."""
    if text.isascii() and "\x1b" not in text:
        return len(text)
    return sum(map(_letter_columns, uncoloured(text)))


def uncoloured(text: str) -> str:
    """The text without colour."""
    return _COLOUR.sub("", text)


def wrapped(text: str, width: int, first: str = "", rest: str | None = None) -> list[str]:
    """The lines of a text, broken at spaces only; `first` starts the first line, `rest` all others.

    A word that is longer than the width stays whole, so that names and commands can be copied; text of wide letters,
    which has no spaces, is broken between them. A line feed in the text starts a new line; an item of a list hangs.
    """
    rest = " " * columns(first) if rest is None else rest
    lines: list[str] = []
    for paragraph in text.split("\n"):
        hanging = rest + " " * len(LIST_ITEM) if paragraph.startswith(LIST_ITEM) else rest
        lines += _filled(paragraph, max(width, NARROWEST), rest if lines else first, hanging)
    return lines


def wrapped_advice(text: str, width: int, first: str = "", rest: str = "  ") -> list[str]:
    """As `wrapped`; a command at the end of a line (`Check: kubectl …`) stays whole, on a line of its own if it must."""
    lines: list[str] = []
    for paragraph in text.split("\n"):
        command = _COMMAND.search(paragraph)
        words = paragraph[: command.start()].rstrip() if command else paragraph
        lines += wrapped(words, width, rest if lines else first, rest)
        if command and columns(lines[-1]) + 1 + columns(command[0]) <= width:
            lines[-1] += f" {command[0]}"
        elif command:
            lines.append(rest + command[0])
    return lines


def in_cell(text: str, width: int) -> list[str]:
    """The lines of a cell of a table, however narrow; a word that is longer than the width stays whole."""
    return list(_filled(text, width, "", ""))


def padded(text: str, width: int) -> str:
    """The text with spaces up to so many columns; longer text as it is."""
    return text + " " * (width - columns(text))


def is_command(text: str) -> bool:
    """Whether a line is a command, which is pasted and therefore never wrapped."""
    return text.lstrip().startswith(("kubectl ", "kubedoctor "))


def _filled(paragraph: str, width: int, first: str, rest: str) -> Iterator[str]:
    line, empty = first, True
    for space, word in _words(paragraph):
        gap = "" if empty else space
        if not empty and columns(line) + columns(gap) + columns(word) > width:
            yield line.rstrip()
            line, gap = rest, ""
        line += gap + word
        empty = False
    yield line.rstrip()


def _words(text: str) -> Iterator[tuple[str, str]]:
    """Each word with the spaces before it; wide letters are words of their own without spaces between."""
    for match in re.finditer(r"(\s*)(\S+)", text):
        space, word = match[1], match[2]
        if word.isascii():
            yield space, word
            continue
        for piece in _pieces(word):
            yield space, piece
            space = ""


def _pieces(word: str) -> Iterator[str]:
    """The parts between which a word may be broken: after each wide letter and the marks that belong to it."""
    piece = ""
    for letter in word:
        if piece and _letter_columns(letter) and (_is_wide(letter) or _is_wide(piece[-1])):
            yield piece
            piece = ""
        piece += letter
    yield piece


def _is_wide(letter: str) -> bool:
    return unicodedata.east_asian_width(letter) in "WF"


def _letter_columns(letter: str) -> int:
    if unicodedata.combining(letter) or unicodedata.category(letter) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if _is_wide(letter) else 1
