"""HTTP/1.1 as it is written and read (RFC 9112). `http.client` reads headers as e-mail: importing that takes longer than
a small answer."""

from __future__ import annotations

import re
from collections.abc import Sequence
from io import BufferedReader
from typing import Final

from kubedoctor.collect.connecting.failures import ConnectionFailed, EndedEarly

_LONGEST_LINE: Final = 1 << 16
_AHEAD: Final = 1 << 16
_MOST_HEADERS: Final = 100
_STATUS: Final = re.compile("[1-9][0-9]{2}")
_LENGTH: Final = re.compile("[0-9]{1,18}")
_CHUNK_SIZE: Final = re.compile(b"[0-9a-fA-F]{1,15}")
_WITHOUT_BODY: Final = (204, 304)
_NO_TARGET: Final = re.compile(r"[\x00-\x20\x7f]")


class HeaderFields(dict[str, str]):
    """The headers of an answer; of a name that occurs again, the first."""

    def get(self, name: str, default: str | None = None) -> str | None:  # type: ignore[override]  # any case
        """The value of a header, its name in any case."""
        return super().get(name.lower(), default)


class ReceivedAnswer:
    """One answer. `length`: bytes of the body that are still to come; None where that is unknown. `will_close`: the
    connection carries no other request."""

    def __init__(self, file: BufferedReader) -> None:
        """Waits for the headers. file: what the server sends. Raises ConnectionFailed, or OSError."""
        self._file = file
        self._chunks: _Chunks | None = None
        self._ended = False
        try:
            version, self.status = self._status_line()
            while 100 <= self.status < 200 and self.status != 101:
                self._headers()
                version, self.status = self._status_line()
            self.headers = self._headers()
            self._measure(version)
        except BaseException:
            self._file.close()
            raise

    def read1(self, most: int) -> bytes:
        """The next piece of the body; empty at its end, or where the connection ends. Raises EndedEarly between chunks."""
        if self._chunks is not None:
            return self._chunks.read1(most)
        if self._ended or self.length == 0:
            return b""
        piece = self._file.read1(most if self.length is None else min(most, self.length))
        if self.length is not None:
            self.length -= len(piece)
        self._ended = not piece
        return piece

    def close(self) -> None:
        """Stop reading; the connection stays open."""
        self._file.close()

    def _status_line(self) -> tuple[str, int]:
        line = self._line()
        if not line:
            raise ConnectionFailed("the server closed it without an answer")
        version, _, rest = line.decode("latin-1").strip().partition(" ")
        status = rest.strip()[:4].rstrip()
        if not version.startswith("HTTP/1.") or not _STATUS.fullmatch(status):
            raise ConnectionFailed("the answer is not HTTP")
        return version, int(status)

    def _headers(self) -> HeaderFields:
        headers, count = HeaderFields(), 0
        while (line := self._line()).strip():
            count += 1
            if count > _MOST_HEADERS:
                raise ConnectionFailed(f"the answer has more than {_MOST_HEADERS} headers")
            name, colon, value = line.decode("latin-1").partition(":")
            if colon:
                headers.setdefault(name.strip().lower(), value.strip())
        return headers

    def _measure(self, version: str) -> None:
        """How the body ends (RFC 9112, 6.3)."""
        chunked = (self.headers.get("Transfer-Encoding") or "").lower() == "chunked"
        self.length: int | None = None
        length = self.headers.get("Content-Length") or ""
        if self.status in _WITHOUT_BODY or self.status < 200:
            self.length, chunked = 0, False
        elif not chunked and _LENGTH.fullmatch(length):
            self.length = int(length)
        wishes = (self.headers.get("Connection") or "").lower()
        stays = "keep-alive" in wishes if version == "HTTP/1.0" else "close" not in wishes
        self.will_close = not stays or not (chunked or self.length is not None)
        self._chunks = _Chunks(self._file) if chunked else None

    def _line(self) -> bytes:
        line = self._file.readline(_LONGEST_LINE + 1)
        if len(line) > _LONGEST_LINE:
            raise ConnectionFailed(f"a line of the answer's headers is longer than {_LONGEST_LINE} bytes")
        return line


class _Chunks:
    """A body in chunks (RFC 9112, 7.1). A watch sends each event as one: those that have arrived are read together."""

    def __init__(self, file: BufferedReader) -> None:
        self._file = file
        self._ahead = b""  # what has arrived, and how far it was read
        self._at = 0
        self._left = 0  # of the present chunk
        self._between = False  # the line end after a chunk is still to come: a piece does not wait for it
        self._last = False
        self._ended = False

    def read1(self, most: int) -> bytes:
        """See ReceivedAnswer; waits only for the first byte."""
        pieces: list[bytes] = []
        while most > 0 and (self._left or self._next_chunk(wait=not pieces)):
            piece = self._ahead[self._at : self._at + min(self._left, most)]
            if piece:
                pieces.append(piece)
                self._at += len(piece)
                self._left -= len(piece)
                most -= len(piece)
            elif pieces:
                break
            elif not self._receive():
                raise EndedEarly("the connection ended in the middle of a chunk")
        return b"".join(pieces)

    def _next_chunk(self, *, wait: bool) -> bool:
        """Read up to the content of the next chunk; false after the last, and where it would have to be waited for."""
        if self._between:
            if (line := self._line(wait)) is None:
                return False
            if line.strip():
                raise EndedEarly("a chunk is longer than it says")
            self._between = False
        if not (self._last or self._ended):
            if (line := self._line(wait)) is None:
                return False
            self._left = _size(line)
            self._last = not self._left
        while not (self._left or self._ended):  # trailers
            if (line := self._line(wait)) is None:
                return False
            self._ended = not line.strip()
        self._between = bool(self._left)
        return bool(self._left)

    def _line(self, wait: bool) -> bytes | None:
        """The next line; what is there of it where the connection ends."""
        while (end := self._ahead.find(b"\n", self._at)) < 0:
            if len(self._ahead) - self._at > _LONGEST_LINE:
                raise ConnectionFailed(f"a line between chunks is longer than {_LONGEST_LINE} bytes")
            if not wait:
                return None
            if not self._receive():
                end = len(self._ahead)
                break
        line, self._at = self._ahead[self._at : end], end + 1
        return line

    def _receive(self) -> bool:
        """Wait for more; false where the connection has ended."""
        received = self._file.read1(_AHEAD)
        self._ahead, self._at = self._ahead[self._at :] + received, 0
        return bool(received)


def _size(line: bytes) -> int:
    size = line.partition(b";")[0].strip()
    if not _CHUNK_SIZE.fullmatch(size):
        raise EndedEarly("the size of a chunk is not a number")
    return int(size, 16)


def request(method: str, target: str, host: str, headers: Sequence[tuple[str, str]], body: bytes | None) -> bytes:
    """A request as it is sent, as kubectl does in UTF-8. Raises ValueError, without the value, for what would be more than one line."""
    if _NO_TARGET.search(target):
        raise ValueError("the path of a request has a blank or a control character")
    lines = [f"{method} {target} HTTP/1.1", f"Host: {host}"]
    for name, value in headers:
        if any(character in value for character in "\r\n\0"):
            raise ValueError(f"the header {name!r} has a value that is more than one line")
        lines.append(f"{name}: {value}")
    if body is not None:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join((*lines, "", "")).encode() + (body or b"")
