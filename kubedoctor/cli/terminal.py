"""The abilities of stdout and stderr: colour, characters, or none."""

from __future__ import annotations

import argparse
import codecs
import io
import os
import sys
from typing import TextIO

from kubedoctor.cli.formats.wrapping import NARROWEST, PIPE_WIDTH

_HANDLER = "kubedoctor.plain"
_PLAIN = str.maketrans(
    {"✗": "x", "✓": "+", "·": "-", "…": "...", "–": "-", "—": "-", "→": "->", "×": "x", "≥": ">=", "≤": "<="}
)


def wants_colour(options: argparse.Namespace) -> bool:
    """Colour on a terminal only, and not with --no-color, NO_COLOR (no-color.org) or a terminal without colours."""
    if options.no_color or os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        return False
    return sys.stdout.isatty()


def text_width() -> int:
    """Columns for text: those of the terminal, COLUMNS where it is set, else PIPE_WIDTH."""
    named = os.environ.get("COLUMNS", "")
    if named.isdecimal() and int(named) > 0:
        return max(int(named), NARROWEST)
    try:
        return max(os.get_terminal_size(sys.stdout.fileno()).columns or PIPE_WIDTH, NARROWEST)
    except (OSError, ValueError, AttributeError):
        return PIPE_WIDTH


def error_width() -> int | None:
    """Columns of the terminal for errors; None where they are read by a program, whose lines are not wrapped."""
    try:
        return max(os.get_terminal_size(sys.stderr.fileno()).columns, NARROWEST) if sys.stderr.isatty() else None
    except (OSError, ValueError, AttributeError):
        return None


def prepare_streams() -> None:
    """Make sure that printing never fails for a character, or for a stream that the caller closed."""
    codecs.register_error(_HANDLER, _in_plain_letters)
    for name in ("stdout", "stderr"):
        stream: TextIO | None = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115  # open until the process ends
        elif isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=_HANDLER)


def speak_utf8() -> None:
    """JSON and YAML are UTF-8 in every locale."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8", errors=_HANDLER)


def _in_plain_letters(error: UnicodeError) -> tuple[str, int]:
    """`✗` as `x` where the encoding lacks the character; others by their code point."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    text = error.object[error.start : error.end].translate(_PLAIN)
    return text.encode(error.encoding, "backslashreplace").decode(error.encoding), error.end
