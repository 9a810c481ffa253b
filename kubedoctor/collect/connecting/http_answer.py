"""Answers of HTTP/1.1 (RFC 9112): their headers, and their body piece by piece."""

from __future__ import annotations

import re
import zlib
from typing import IO, Any, Final

from kubedoctor.collect.connecting.failures import ConnectionFailed, EndedEarly, NotUnpacked

_STATUS: Final = re.compile(rb"HTTP/1\.([01]) +(\d{3})(?: [^\r\n]*)?\r?\n")
_LONGEST_LINE = 1 << 16
_MOST_HEADERS = 100
_GZIP = zlib.MAX_WBITS | 16


class Headers(dict[str, str]):
    """Headers by their names in small letters; equal ones are joined. Names are found in any case."""

    def get(self, name: str, default: Any = None) -> Any:
        """The value of a header."""
        return super().get(name.lower(), default)


def read_head(reader: IO[bytes]) -> HttpAnswer:
    """The answer once its headers are there. Raises ConnectionFailed where it is not HTTP."""
    while True:
        line = _line(reader)
        if not line:
            raise ConnectionFailed("the server closed it without an answer")
        found = _STATUS.fullmatch(line)
        if found is None:
            raise ConnectionFailed("the answer is not HTTP")
        version, status = int(found[1]), int(found[2])
        headers = _headers(reader)
        if status >= 200 or status == 101:
            return HttpAnswer(reader, version, status, headers)


class HttpAnswer:
    """An answer whose body is read with `read1`. `missing`: bytes that are still to come by its length."""

    def __init__(self, reader: IO[bytes], version: int, status: int, headers: Headers) -> None:
        self.status, self.headers = status, headers
        self._reader = reader
        self._chunked = headers.get("Transfer-Encoding", "").lower().endswith("chunked")
        lengths = {length.strip() for length in headers.get("Content-Length", "").split(",")}
        length = lengths.pop() if len(lengths) == 1 else ""
        self._left: int | None = int(length) if length.isdecimal() and not self._chunked else None
        if status in (204, 304):
            self._chunked, self._left = False, 0
        self._ended = False
        self._lasts = version == 1 and "close" not in headers.get("Connection", "").lower()
        packed = headers.get("Content-Encoding", "").lower() in ("gzip", "x-gzip")
        self._unpacking = zlib.decompressobj(_GZIP) if packed else None

    @property
    def missing(self) -> int:
        """0 where the length is unknown."""
        return 0 if self._chunked else self._left or 0

    @property
    def keeps_connection(self) -> bool:
        """Whether it is read to its end, and the connection can carry another request."""
        return self._lasts and (self._ended if self._chunked else self._left == 0)

    def read1(self, most: int) -> bytes:
        """The next piece, unpacked; empty at the end, also where a body with a length ends too early."""
        if self._unpacking is None:
            return self._piece(most)
        while True:
            piece = self._unpacking.unconsumed_tail or self._piece(most)
            try:
                # A small piece may hold a very long text: it is unpacked bit by bit.
                unpacked = self._unpacking.decompress(piece, most) if piece else self._unpacking.flush()
            except zlib.error as error:
                raise NotUnpacked(error) from None
            if unpacked or not piece:
                return unpacked

    def _piece(self, most: int) -> bytes:
        if self._ended or (self._left == 0 and not self._chunked):
            return b""
        if self._chunked and not self._left:
            self._left = self._next_chunk()
            if not self._left:
                _headers(self._reader)  # the trailer
                self._ended = True
                return b""
        piece: bytes = self._reader.read1(most if self._left is None else min(most, self._left))  # type: ignore[attr-defined]
        if self._left is not None:
            self._left -= len(piece)
        if not piece and self._chunked:
            raise EndedEarly("in the middle of a chunk")
        self._ended = not piece
        if self._chunked and not self._left and _line(self._reader).strip():
            raise EndedEarly("a chunk is longer than it says")
        return piece

    def _next_chunk(self) -> int:
        text = _line(self._reader).partition(b";")[0].strip()
        try:
            size = int(text, 16)
        except ValueError:
            size = -1
        if size < 0:
            raise EndedEarly("where the next chunk should begin")
        return size


def _headers(reader: IO[bytes]) -> Headers:
    headers = Headers()
    name = ""
    for _ in range(_MOST_HEADERS):
        line = _line(reader)
        if line in (b"\r\n", b"\n", b""):
            return headers
        text = line.decode("latin-1").rstrip("\r\n")
        if text[0] in " \t" and name:  # a folded line
            headers[name] += " " + text.strip()
            continue
        name, _, value = text.partition(":")
        name, value = name.strip().lower(), value.strip()
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    raise ConnectionFailed(f"the answer has more than {_MOST_HEADERS} headers")


def _line(reader: IO[bytes]) -> bytes:
    line = reader.readline(_LONGEST_LINE + 1)
    if len(line) > _LONGEST_LINE:
        raise ConnectionFailed("a header of the answer is too long")
    return line
