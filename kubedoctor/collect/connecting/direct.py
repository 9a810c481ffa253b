"""Connections without a proxy, by the standard library: urllib3 takes longer to import than a small answer takes."""

from __future__ import annotations

import contextlib
import select
import socket
import ssl
import threading
import zlib
from collections.abc import Callable, Iterator
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
from kubedoctor.collect.connecting.http_messages import HeaderFields, ReceivedAnswer, request
from kubedoctor.collect.unpacking import Bomb, Unpacking


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
        with _failures():
            connection = self._kept() or self._connection(sent)
            try:
                connection.open(self._uses)
                sock = connection.sock
                return DirectAnswer(connection, sock, connection.exchange(sent), self._keep)
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

    def _connection(self, sent: Sent) -> _Connection:
        parts = urlsplit(sent.url)
        port = parts.port or (443 if self._tls else 80)
        return _Connection(parts.hostname or "", port, sent.connect, self._tls, self._server_name)

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
    def __init__(
        self, host: str, port: int, timeout: float | None, tls: ssl.SSLContext | None, server_name: str | None
    ) -> None:
        self.sock: Any = None
        self._host, self._port, self._timeout = host, port, timeout
        self._tls, self._server_name = tls, server_name

    def open(self, uses: Callable[[Any], None]) -> None:
        """Connect where it is not connected yet. `uses` gets it before the first byte is sent."""
        fresh = self.sock is None
        if fresh:
            self.connect()
        uses(self)
        if fresh and isinstance(self.sock, ssl.SSLSocket):
            self.sock.do_handshake()

    def connect(self) -> None:
        """Connect, within the time for it; the TLS handshake is still to come."""
        self.sock = dial(self._host, self._port, self._timeout)
        if self._tls is not None:
            # A socket that is wrapped gives its connection to the new one, by which alone a handshake can be ended.
            name = _name(self._server_name or self._host)
            self.sock = self._tls.wrap_socket(self.sock, server_hostname=name, do_handshake_on_connect=False)

    def close(self) -> None:
        """Close it; the next request connects again."""
        sock, self.sock = self.sock, None
        if sock is not None:
            sock.close()

    def shutdown(self) -> None:
        """End it while another thread uses it, if it is connected."""
        if (sock := self.sock) is not None:
            _shut(sock)

    def exchange(self, sent: Sent) -> ReceivedAnswer:
        """Send a request; the answer once its headers are there."""
        parts = urlsplit(sent.url)
        target = f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"
        text = request(sent.method, target, self._named(), sent.headers, sent.body)
        self.sock.settimeout(sent.read)
        self.sock.sendall(text)
        return ReceivedAnswer(self.sock.recv)

    def _named(self) -> str:
        """The server in the header Host."""
        host = self._host if self._host.isascii() else self._host.encode("idna").decode("ascii")
        host = f"[{host}]" if ":" in host else host
        return host if self._port == (443 if self._tls else 80) else f"{host}:{self._port}"

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


def dial(host: str, port: int, timeout: float | None) -> socket.socket:
    """A connection without TLS. Raises NotResolved, NotReached or NotReachedInTime."""
    try:
        sock = socket.create_connection((_name(host), port), timeout)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    except socket.gaierror as error:
        raise NotResolved(error) from None
    except TimeoutError as error:
        raise NotReachedInTime(error) from None
    except (OSError, UnicodeError) as error:
        raise NotReached(error) from None
    return sock


def greet(host: str, port: int, timeout: float | None, tls: ssl.SSLContext | None, name: str) -> tuple[str, bytes]:
    """The address of a server, and the certificate that it shows, as DER; no request is sent. Raises as `dial`, and
    ssl.SSLError where the handshake fails."""
    with contextlib.closing(dial(host, port, timeout)) as sock:
        address = str(sock.getpeername()[0])
        if tls is None:
            return address, b""
        with tls.wrap_socket(sock, server_hostname=name) as secure:
            return address, secure.getpeercert(binary_form=True) or b""


class DirectAnswer:
    """See CarriedAnswer."""

    def __init__(
        self,
        connection: _Connection,
        sock: socket.socket,
        response: ReceivedAnswer,
        keep: Callable[[_Connection], None],
    ) -> None:
        self._connection, self._sock, self._response, self._keep = connection, sock, response, keep
        self._ended = False
        self._unpacking = Unpacking(self._piece, response.headers.get("Content-Encoding"))

    @property
    def status(self) -> int:
        """The HTTP status."""
        return self._response.status

    @property
    def headers(self) -> HeaderFields:
        """Names in any case."""
        return self._response.headers

    @property
    def missing(self) -> int:
        """See CarriedAnswer."""
        return self._response.length or 0

    def read1(self, most: int) -> bytes:
        """See CarriedAnswer."""
        try:
            return self._unpacking.read1(most)
        except (zlib.error, Bomb) as error:
            raise NotUnpacked(error) from None

    def _piece(self, most: int) -> bytes:
        with _failures():
            piece = self._response.read1(most)
        self._ended = not piece
        return piece

    def close(self) -> None:
        """See CarriedAnswer."""
        with contextlib.suppress(OSError, ValueError):
            self._connection.close()

    def release(self) -> None:
        """See CarriedAnswer."""
        if self._response.will_close or self.missing or not self._ended:
            self.close()
            return
        self._keep(self._connection)

    def shutdown(self) -> None:
        """See CarriedAnswer."""
        _shut(self._sock)


def _shut(sock: Any) -> None:
    """End a connection that another thread uses. The method of a socket with TLS ends TLS first: what the other thread
    sends just then, a token, would be plain text."""
    socket.socket.shutdown(sock, socket.SHUT_RDWR)


def _name(host: str) -> Any:
    """A host name for the library, which imports the rules of international names for each that is text."""
    return host.encode("ascii") if host.isascii() else host


@contextlib.contextmanager
def _failures() -> Iterator[None]:
    try:
        yield
    except ssl.SSLError:
        raise
    except TimeoutError as error:
        raise TookTooLong(error) from None
    except OSError as error:
        raise ConnectionFailed(error) from None
