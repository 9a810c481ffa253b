"""The input and output of the sandbox, without any transport: requests, responses, streams and refusals."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

Object = dict[str, Any]
"""A Kubernetes object as decoded JSON."""


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request. `path` has no query; header names are lower-case."""

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    @property
    def watches(self) -> bool:
        """Whether a stream of changes is requested, not a list."""
        return self.flag("watch")

    def flag(self, name: str) -> bool:
        """A boolean query parameter; absent is false."""
        return self.query.get(name, "") in ("true", "1", "True")

    def number(self, name: str) -> int | None:
        """A query parameter that is a whole number, not negative; None when absent. Other values are refused."""
        text = self.query.get(name, "")
        if not text:
            return None
        if not text.isdecimal():
            raise FailureStatus(400, "BadRequest", f"The query parameter {name}={text!r} is not a whole number.")
        return int(text)

    def accepts(self, word: str) -> bool:
        """Whether the Accept header contains this word, such as `as=Table`."""
        return word in self.headers.get("accept", "")


class Stream:
    """A body that grows: a watch or a followed log. Filled by the sandbox, emptied by the transport.

    `on_change` is called in the writing thread when there are new chunks. `lasts` is how many seconds the
    transport lets it live, None for as long as the client stays. `dropped` means that the connection breaks off
    without an orderly end.
    """

    def __init__(self, lasts: float | None = None, bookmark: Callable[[], bytes] | None = None) -> None:
        self.lasts = lasts
        self.on_change: Callable[[], None] = _nothing
        self.on_close: Callable[[], None] = _nothing
        self.ended = False
        self.dropped = False
        self.drop_after: int | None = None
        self._bookmark = bookmark
        self._chunks: deque[bytes] = deque()
        self._written = 0
        self._lock = Lock()

    def write(self, chunk: bytes) -> None:
        """Appends a chunk; chunks after the end are lost."""
        with self._lock:
            if self.ended:
                return
            self._chunks.append(chunk)
            self._written += 1
            if self.drop_after is not None and self._written >= self.drop_after:
                self.ended = self.dropped = True
        self.on_change()

    def bookmark(self) -> None:
        """Writes a bookmark if the client allows them."""
        if self._bookmark is not None:
            self.write(self._bookmark())

    def take(self) -> list[bytes]:
        """What was written since the last call; never waits."""
        with self._lock:
            chunks = list(self._chunks)
            self._chunks.clear()
        return chunks

    def end(self, *, dropped: bool = False) -> None:
        """Ends the body after what was written."""
        with self._lock:
            self.ended = True
            self.dropped = self.dropped or dropped
        self.on_change()

    def close(self) -> None:
        """The reader has disconnected: nothing more is written."""
        self.ended = True
        self.on_close()


def _nothing() -> None:
    return


@dataclass(slots=True)
class Response:
    """One HTTP response: `body`, and after it `stream` where there is one. `delay` is in seconds, before the first byte."""

    code: int = 200
    body: bytes = b""
    content_type: str = "application/json"
    headers: dict[str, str] = field(default_factory=dict)
    stream: Stream | None = None
    delay: float = 0.0

    def json(self) -> Any:
        """The body, decoded."""
        return json.loads(self.body)


def encode(document: object) -> bytes:
    """Compact JSON."""
    return json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode()


def respond(document: object, code: int = 200, content_type: str = "application/json") -> Response:
    """A response with a JSON body."""
    return Response(code, encode(document), content_type)


class FailureStatus(Exception):
    """An answer that is a failure `Status`, as the API server words it."""

    def __init__(
        self, code: int, reason: str, message: str, details: Object | None = None, retry_after: int | None = None
    ) -> None:
        super().__init__(message)
        self.code = code
        self.reason = reason
        self.message = message
        self.details = dict(details or {})
        self.retry_after = retry_after
        if retry_after is not None:
            self.details["retryAfterSeconds"] = retry_after

    def status(self) -> Object:
        """The `Status` object of `meta/v1`."""
        status: Object = {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "message": self.message,
            "reason": self.reason,
            "code": self.code,
        }
        if self.details:
            status["details"] = self.details
        return status

    def response(self) -> Response:
        """The status as an answer, with a Retry-After header where necessary."""
        response = respond(self.status(), self.code)
        if self.retry_after is not None:
            response.headers["Retry-After"] = str(self.retry_after)
        return response


def no_such_path() -> FailureStatus:
    """The API server's answer to a path, group, version or resource that it does not serve."""
    return FailureStatus(404, "NotFound", "the server could not find the requested resource")
