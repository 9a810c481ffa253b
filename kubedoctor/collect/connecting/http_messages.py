"""HTTP/1.1: answers are read by llhttp, the parser of Node. `http.client` reads headers as e-mail, and urllib3 is made on
it: importing them takes longer than a small answer."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Final

from httptools import HttpParserError, HttpResponseParser

from kubedoctor.collect.connecting.failures import ConnectionFailed, EndedEarly

_MOST_OF_HEADERS: Final = 1 << 18  # bytes
_PIECE: Final = 1 << 16
_LENGTH: Final = re.compile("[0-9]{1,18}")
_WITHOUT_BODY: Final = (204, 304)
_NO_TARGET: Final = re.compile(r"[\x00-\x20\x7f]")


class HeaderFields(dict[str, str]):
    """The headers of an answer; of a name that occurs again, the first."""

    def get(self, name: str, default: str | None = None) -> str | None:  # type: ignore[override]  # any case
        """The value of a header, its name in any case."""
        return super().get(name.lower(), default)


class ReceivedAnswer:
    """One answer. `length`: bytes of the body that are still to come; None where that is unknown."""

    def __init__(self, receive: Callable[[int], bytes]) -> None:
        """Waits for the headers. receive: gives up to so many bytes that the server sent, none at the end of the
        connection. Raises ConnectionFailed, or OSError."""
        self._receive = receive
        self._message = message = _Message()
        received = 0
        while not message.has_headers:
            size = self._parse(_PIECE)
            received += size
            if not size:
                raise ConnectionFailed(
                    f"the server closed it {'amid the headers' if received else 'without an answer'}"
                )
            if received > _MOST_OF_HEADERS and not message.has_headers:
                raise ConnectionFailed(f"the headers of the answer are longer than {_MOST_OF_HEADERS >> 10} KiB")
        self.status, self.headers = message.status, message.headers
        length = self.headers.get("Content-Length") or ""
        self.length = int(length) if _LENGTH.fullmatch(length) else None
        if self.status in _WITHOUT_BODY or self.status < 200:
            self.length = 0

    @property
    def will_close(self) -> bool:
        """Whether the connection carries no other request."""
        return not self._message.keeps

    def read1(self, most: int) -> bytes:
        """The next piece of the body; empty at its end, or where the connection ends. Raises EndedEarly within chunks."""
        message = self._message
        while not message.body and not message.ended:
            if message.wrong:
                raise EndedEarly(f"the body is not as its headers say: {message.wrong}")
            if self._parse(min(most, _PIECE)):
                continue
            if "transfer-encoding" in self.headers:
                raise EndedEarly("the connection ended before the last chunk")
            message.ended = True
        body = b"".join(message.body)
        piece, rest = body[:most], body[most:]
        message.body = [rest] if rest else []
        if self.length is not None:
            self.length -= len(piece)
        return piece

    def _parse(self, most: int) -> int:
        """The number of bytes that came; 0 at the end of the connection."""
        piece, message = self._receive(most), self._message
        try:
            message.parser.feed_data(piece)
        except HttpParserError as error:
            if not message.has_headers:
                raise ConnectionFailed(f"the answer is not HTTP: {error}") from None
            message.wrong, message.keeps = str(error), False
        return len(piece)


class _Message:
    """What the parser calls."""

    def __init__(self) -> None:
        self.parser = HttpResponseParser(self)
        self.headers = HeaderFields()
        self.body: list[bytes] = []
        self.has_headers = self.ended = self.keeps = False
        self.wrong = ""

    @property
    def status(self) -> int:
        return self.parser.get_status_code()

    @property
    def _is_before_the_answer(self) -> bool:
        """RFC 9110, 15.2."""
        return 100 <= self.status < 200 and self.status != 101

    def on_message_begin(self) -> None:
        if self.ended:
            raise ValueError("something follows the answer")
        self.headers.clear()

    def on_header(self, name: bytes, value: bytes) -> None:
        if not self.has_headers:  # else a trailer
            self.headers.setdefault(name.decode("latin-1").lower(), value.decode("latin-1").strip())

    def on_headers_complete(self) -> None:
        self.has_headers = not self._is_before_the_answer

    def on_body(self, piece: bytes) -> None:
        self.body.append(piece)

    def on_message_complete(self) -> None:
        if self.has_headers:
            self.ended, self.keeps = True, self.parser.should_keep_alive()


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
