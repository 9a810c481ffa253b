"""Connections without a proxy, over sockets alone: to import a library for HTTP takes longer than a small answer."""

from __future__ import annotations

import contextlib
import select
import socket
import ssl
import threading
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from kubedoctor.collect.connecting.carrying import MOST_IDLE, Sent
from kubedoctor.collect.connecting.failures import (
    ConnectionFailed,
    NotReached,
    NotReachedInTime,
    NotResolved,
    failures,
)
from kubedoctor.collect.connecting.http_answer import HttpAnswer, read_head


class Direct:
    """Connections to one server. tls: None for plain HTTP. server_name: the name in its certificate, where it is another
    than in the URL."""

    def __init__(self, tls: ssl.SSLContext | None, server_name: str | None, uses: Callable[[Any], None]) -> None:
        self._tls, self._server_name, self._uses = tls, server_name, uses
        self._lock = threading.Lock()
        self._idle: list[_Connection] = []
        self._closed = False

    def send(self, sent: Sent) -> DirectAnswer:
        """See Carrier."""
        parts = urlsplit(sent.url)
        target = f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"
        message = _message(sent, target, parts.netloc.rpartition("@")[2])
        connection = self._kept() or _Connection()
        self._uses(connection)
        try:
            if connection.sock is None:
                port = parts.port or (443 if self._tls else 80)
                connection.open(parts.hostname or "", port, sent, self._tls, self._server_name)
            return DirectAnswer(connection, connection.exchange(message, sent.read), self._keep)
        except BaseException:
            connection.close()
            raise

    def close(self) -> None:
        """See Carrier."""
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()

    def _kept(self) -> _Connection | None:
        while True:
            with self._lock:
                connection = self._idle.pop() if self._idle else None
            if connection is None or not connection.is_dropped:
                return connection
            connection.close()

    def _keep(self, connection: _Connection) -> None:
        with self._lock:
            if not self._closed and len(self._idle) < MOST_IDLE:
                self._idle.append(connection)
                return
        connection.close()


class _Connection:
    """`sock` is there from the first byte of the TLS handshake on, so that a deadline can end it."""

    def __init__(self) -> None:
        self.sock: socket.socket | None = None
        self._reader: Any = None

    def open(self, host: str, port: int, sent: Sent, tls: ssl.SSLContext | None, server_name: str | None) -> None:
        """Connect, within the time for it, and agree on TLS."""
        try:
            self.sock = socket.create_connection((host, port), sent.connect)
        except socket.gaierror as error:
            raise NotResolved(error) from None
        except TimeoutError as error:
            raise NotReachedInTime(error) from None
        except (OSError, UnicodeError) as error:
            raise NotReached(error) from None
        with failures():
            self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if tls is not None:
                self.sock = tls.wrap_socket(self.sock, server_hostname=server_name or host)
            self._reader = self.sock.makefile("rb", buffering=1 << 16)

    def exchange(self, message: bytes, read: float | None) -> HttpAnswer:
        """Send a request; the answer once its headers are there."""
        if self.sock is None:
            raise ConnectionFailed("it was closed")
        with failures():
            self.sock.settimeout(read)
            self.sock.sendall(message)
            return read_head(self._reader)

    @property
    def is_dropped(self) -> bool:
        """Whether the server has closed it, or sent something without a request."""
        if self.sock is None:
            return True
        try:
            poll = select.poll()
            poll.register(self.sock, select.POLLIN)
            return bool(poll.poll(0))
        except (OSError, ValueError):
            return True

    def shutdown(self) -> None:
        """Wake the thread that waits for the server."""
        if self.sock is not None:
            self.sock.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Raises nothing."""
        reader, sock, self._reader, self.sock = self._reader, self.sock, None, None
        for part in (reader, sock):
            with contextlib.suppress(OSError, ValueError):
                if part is not None:
                    part.close()


class DirectAnswer:
    """See CarriedAnswer."""

    def __init__(self, connection: _Connection, answer: HttpAnswer, keep: Callable[[_Connection], None]) -> None:
        self._connection, self._answer, self._keep = connection, answer, keep
        self.status, self.headers = answer.status, answer.headers

    @property
    def missing(self) -> int:
        """See CarriedAnswer."""
        return self._answer.missing

    def read1(self, most: int) -> bytes:
        """See CarriedAnswer."""
        with failures():
            return self._answer.read1(most)

    def close(self) -> None:
        """See CarriedAnswer."""
        self._connection.close()

    def release(self) -> None:
        """See CarriedAnswer."""
        if self._answer.keeps_connection:
            self._keep(self._connection)
        else:
            self._connection.close()

    def shutdown(self) -> None:
        """See CarriedAnswer."""
        self._connection.shutdown()


def _message(sent: Sent, target: str, host: str) -> bytes:
    """The request as it is sent. Raises ValueError, without the value, where a header would be more than one line."""
    lines = [f"{sent.method} {target} HTTP/1.1", f"Host: {host}", *(f"{name}: {value}" for name, value in sent.headers)]
    if sent.body is not None:
        lines.append(f"Content-Length: {len(sent.body)}")
    for line in lines:
        if any(character in line for character in "\r\n\0"):
            raise ValueError(f"the header {line.partition(':')[0]!r} has a value that is more than one line")
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + (sent.body or b"")
