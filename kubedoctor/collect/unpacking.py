"""What is compressed, unpacked bit by bit: a small piece may hold a very long text."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from typing import Final

MOST_RATIO: Final = 200
"""JSON of a cluster shrinks to a tenth or a thirtieth; a factor of a thousand is a decompression bomb."""
RATIO_FROM: Final = 64 << 20
"""Bytes. Smaller content is harmless."""
BOMB: Final = f"it unpacks to more than {MOST_RATIO} times its size"
_GZIP: Final = zlib.MAX_WBITS | 16


class Bomb(ValueError):
    """What is packed is small, and what it holds has hardly an end."""

    def __init__(self) -> None:
        super().__init__(BOMB)


def check_is_no_bomb(unpacked: int, packed: int) -> None:
    """Raises Bomb where so many packed bytes have become too many."""
    if unpacked > RATIO_FROM and unpacked > MOST_RATIO * max(1, packed):
        raise Bomb


class Unpacking:
    """The body of an answer, unpacked where its header Content-Encoding says that it is packed."""

    def __init__(self, read: Callable[[int], bytes], encoding: str | None) -> None:
        """read: gives up to so many bytes of the body as they came, none at its end."""
        self._read = read
        self._unpacking = zlib.decompressobj(_GZIP) if (encoding or "").lower() in ("gzip", "x-gzip") else None
        self._in = self._out = 0

    def read1(self, most: int) -> bytes:
        """The next piece, unpacked; empty at the end. Raises zlib.error for what is not packed as it says, and Bomb."""
        if self._unpacking is None:
            return self._read(most)
        while True:
            piece = self._unpacking.unconsumed_tail
            if not piece:
                piece = self._read(most)
                self._in += len(piece)
            unpacked = self._unpacking.decompress(piece, most) if piece else self._unpacking.flush()
            self._out += len(unpacked)
            check_is_no_bomb(self._out, self._in)
            if unpacked or not piece:
                return unpacked
