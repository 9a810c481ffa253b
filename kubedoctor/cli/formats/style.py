"""How text is drawn."""

from __future__ import annotations

import msgspec

from kubedoctor.cli.formats.wrapping import PIPE_WIDTH


class Style(msgspec.Struct, frozen=True):
    """width: in columns. debug: with tracebacks, and nothing left out."""

    width: int = PIPE_WIDTH
    colour: bool = False
    debug: bool = False


PLAIN = Style()
