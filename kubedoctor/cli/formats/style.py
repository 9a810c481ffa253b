"""How text is drawn."""

from __future__ import annotations

from dataclasses import dataclass

from kubedoctor.cli.formats.wrapping import PIPE_WIDTH


@dataclass(frozen=True)
class Style:
    """width: in columns. debug: with tracebacks, and nothing left out."""

    width: int = PIPE_WIDTH
    colour: bool = False
    debug: bool = False


PLAIN = Style()
