"""HTTP/1.1 without a proxy, by the standard library alone: to import a larger client takes longer than a small answer."""

from __future__ import annotations

import contextlib
import http.client
import select
import socket
import ssl
import threading
import zlib
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from kubedoctor.collect.connecting.carrying import MOST_IDLE, Sent
from kubedoctor.collect.connecting.failures import (
    ConnectionFailed,
    NotReached,
    NotReachedInTime,
    NotResolved,
    NotUnpacked,
    TookTooLong,
)

_GZIP = zlib.MAX_WBITS | 16


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
        connection = self._kept() or _Connection(parts.hostname or "", parts.port, self._tls, self._server_name)
        self._uses(connection)
        try:
            if connection.sock is None:
                connection.open(sent.connect, sent.read)
            through = connection.sock  # an answer without length takes it from its connection
            with _failures():
                response = connection.exchange(sent, parts.path, parts.query)
            return DirectAnswer(connection, through, response, self._keep)
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


class _Connection(http.client.HTTPConnection):
    """`sock` is there from the first byte of the TLS handshake on, so that a deadline can end it."""

    def __init__(self, host: str, port: int | None, tls: ssl.SSLContext | None, server_name: str | None) -> None:
        super().__init__(host, port or (443 if tls else 80))
        self._tls, self._name = tls, server_name or host

    def open(self, connect: float, read: float | None) -> None:
        """Connect, within the time for it, and agree on TLS."""
        try:
            self.sock = socket.create_connection((self.host, self.port), connect)
        except socket.gaierror as error:
            raise NotResolved(error) from None
        except TimeoutError as error:
            raise NotReachedInTime(error) from None
        except (OSError, UnicodeError) as error:
            raise NotReached(error) from None
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self._tls is not None:
            with _failures():
                self.sock = self._tls.wrap_socket(self.sock, server_hostname=self._name)
        self.sock.settimeout(read)

    def exchange(self, sent: Sent, path: str, query: str) -> http.client.HTTPResponse:
        """Send a request; the answer once its headers are there."""
        self.sock.settimeout(sent.read)
        self.putrequest(sent.method, f"{path}?{query}" if query else path, skip_accept_encoding=True)
        for name, value in sent.headers:
            self.putheader(name, value)
        if sent.body is not None:
            self.putheader("Content-Length", str(len(sent.body)))
        self.endheaders(sent.body)
        return self.getresponse()

    @property
    def is_dropped(self) -> bool:
        """Whether the server has closed it, or sent what nobody asked for."""
        try:
            poll = select.poll()
            poll.register(self.sock, select.POLLIN)
            return bool(poll.poll(0))
        except (OSError, ValueError):
            return True


class DirectAnswer:
    """See Answer."""

    def __init__(
        self,
        connection: _Connection,
        through: socket.socket,
        response: http.client.HTTPResponse,
        keep: Callable[[_Connection], None],
    ) -> None:
        self._connection, self._socket, self._response, self._keep = connection, through, response, keep
        packed = (response.headers.get("Content-Encoding") or "").lower() in ("gzip", "x-gzip")
        self._unpacking = zlib.decompressobj(_GZIP) if packed else None

    @property
    def status(self) -> int:
        """The HTTP status."""
        return self._response.status

    @property
    def headers(self) -> Mapping[str, str]:
        """Names in any case."""
        return self._response.headers  # type: ignore[return-value]  # a message reads like a mapping

    @property
    def missing(self) -> int:
        """See Answer."""
        return self._response.length or 0

    def read1(self, most: int) -> bytes:
        """See Answer."""
        while True:
            with _failures():
                piece = self._response.read1(most)
            if self._unpacking is None:
                return piece
            try:
                unpacked = self._unpacking.decompress(piece) if piece else self._unpacking.flush()
            except zlib.error as error:
                raise NotUnpacked(error) from None
            if unpacked or not piece:
                return unpacked

    def close(self) -> None:
        """See Answer."""
        self._response.close()
        self._connection.close()
        with contextlib.suppress(OSError):
            self._socket.close()

    def release(self) -> None:
        """See Answer."""
        whole = self._response.isclosed() or self._response.length == 0
        self._response.close()
        if whole and not self._response.will_close:
            self._keep(self._connection)
        else:
            self.close()

    def shutdown(self) -> None:
        """See Answer."""
        self._socket.shutdown(socket.SHUT_RDWR)


@contextlib.contextmanager
def _failures() -> Iterator[None]:
    try:
        yield
    except ssl.SSLError:
        raise
    except TimeoutError as error:
        raise TookTooLong(error) from None
    except (OSError, http.client.HTTPException) as error:
        raise ConnectionFailed(error) from None
