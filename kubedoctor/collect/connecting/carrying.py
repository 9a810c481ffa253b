"""What carries requests to one server: connections that are kept for the next request."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import msgspec

MOST_IDLE = 16
"""Connections that are kept."""


class Sent(msgspec.Struct, frozen=True):
    """A request as it leaves. A header may occur several times. Times are seconds: to connect, and from one piece of the
    answer to the next, None for no limit."""

    method: str
    url: str
    headers: Sequence[tuple[str, str]]
    body: bytes | None
    connect: float
    read: float | None


class Headers(Protocol):
    """Headers of an answer, whose names are found in any case."""

    def get(self, name: str, /) -> str | None:
        """The value of a header."""


class CarriedAnswer(Protocol):
    """An answer whose headers are there. `missing` counts the bytes that are still to come; 0 where that is unknown.

    Reading raises ConnectionFailed or ssl.SSLError.
    """

    @property
    def status(self) -> int: ...
    @property
    def headers(self) -> Headers: ...
    @property
    def missing(self) -> int: ...

    def read1(self, most: int) -> bytes:
        """The next piece, unpacked; empty at the end."""

    def close(self) -> None:
        """End it, with its connection."""

    def release(self) -> None:
        """Keep the connection of a whole answer for another request."""

    def shutdown(self) -> None:
        """Wake the thread that reads it."""


class Carrier(Protocol):
    """Safe for threads. Made with `uses`, which gets the connection, with its `sock`, before the first byte is sent."""

    def send(self, sent: Sent) -> CarriedAnswer:
        """The answer, once its headers are there. Raises as reading it does."""

    def close(self) -> None:
        """Close the connections that wait for a request."""
