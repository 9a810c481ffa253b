"""HTTP through a proxy: urllib3 knows HTTP, HTTPS and SOCKS proxies."""

from __future__ import annotations

import contextlib
import socket
import ssl
import zlib
from collections.abc import Callable, Iterator, Mapping
from http.client import IncompleteRead
from typing import Any

import urllib3
from urllib3.exceptions import (
    ConnectTimeoutError,
    HTTPError,
    NameResolutionError,
    NewConnectionError,
    ProxyError,
    SSLError,
)
from urllib3.exceptions import TimeoutError as Late

from kubedoctor.collect.connecting.carrying import MOST_IDLE, Sent
from kubedoctor.collect.connecting.failures import (
    ConnectionFailed,
    EndedEarly,
    NotReached,
    NotReachedInTime,
    NotResolved,
    NotUnpacked,
    ProxyRefused,
    TookTooLong,
)
from kubedoctor.collect.unpacking import Bomb, Unpacking


class Proxied:
    """Connections to one server through a proxy. Raises ImportError, ValueError or urllib3's errors for a proxy that
    cannot be used."""

    def __init__(
        self,
        proxy: str,
        tls: ssl.SSLContext | None,
        server_name: str | None,
        uses: Callable[[Any], None],
        *,
        insecure: bool,
    ) -> None:
        settings: dict[str, Any] = {"maxsize": MOST_IDLE, "num_pools": 2}
        if tls is not None:
            settings["ssl_context"] = tls
            if server_name:
                settings["server_hostname"] = settings["assert_hostname"] = server_name
            if insecure:
                urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)
                settings["cert_reqs"] = "CERT_NONE"
        self._manager: urllib3.PoolManager
        if proxy.startswith("socks"):
            from urllib3.contrib.socks import SOCKSProxyManager

            self._manager = SOCKSProxyManager(proxy, **settings)
        else:
            self._manager = urllib3.ProxyManager(proxy, **settings)
        classes = self._manager.pool_classes_by_scheme
        self._manager.pool_classes_by_scheme = {scheme: _watched(pool, uses) for scheme, pool in classes.items()}

    def send(self, sent: Sent) -> ProxiedAnswer:
        """See Carrier."""
        headers = urllib3.HTTPHeaderDict()
        for name, value in sent.headers:
            headers.add(name, value)
        with _failures():
            response = self._manager.urlopen(
                sent.method,
                sent.url,
                body=sent.body,
                headers=headers,
                timeout=urllib3.Timeout(connect=sent.connect, read=sent.read),
                retries=False,
                redirect=False,
                preload_content=False,
            )
        return ProxiedAnswer(response)

    def close(self) -> None:
        """See Carrier."""
        self._manager.clear()


class ProxiedAnswer:
    """See CarriedAnswer."""

    def __init__(self, response: urllib3.BaseHTTPResponse) -> None:
        self._response = response
        self._unpacking = Unpacking(self._piece, response.headers.get("Content-Encoding"))

    @property
    def status(self) -> int:
        """The HTTP status."""
        return self._response.status

    @property
    def headers(self) -> Mapping[str, str]:
        """Names in any case."""
        return self._response.headers

    @property
    def missing(self) -> int:
        """See CarriedAnswer."""
        return getattr(self._response, "length_remaining", 0) or 0

    def read1(self, most: int) -> bytes:
        """See CarriedAnswer."""
        try:
            return self._unpacking.read1(most)
        except (zlib.error, Bomb) as error:
            raise NotUnpacked(error) from None

    def _piece(self, most: int) -> bytes:
        with _failures():
            return self._response.read1(most, decode_content=False)

    def close(self) -> None:
        """See CarriedAnswer."""
        self._response.close()

    def release(self) -> None:
        """See CarriedAnswer."""
        self._response.release_conn()

    def shutdown(self) -> None:
        """See CarriedAnswer."""
        with contextlib.suppress(HTTPError):
            self._response.shutdown()


class _Used:
    """A connection that can be ended while another thread uses it."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    def shutdown(self) -> None:
        """The method of a socket with TLS ends TLS first: what the other thread sends just then would be plain text."""
        sock = self._connection.sock
        if isinstance(sock, socket.socket):
            socket.socket.shutdown(sock, socket.SHUT_RDWR)
        elif sock is not None:
            sock.shutdown(socket.SHUT_RDWR)


def _watched(pool: Any, uses: Callable[[Any], None]) -> Any:
    """The kind of pool, whose connections can be ended from their first byte on."""

    def get(self: Any, timeout: float | None = None) -> Any:
        connection = pool._get_conn(self, timeout)
        uses(_Used(connection))
        return connection

    return type(pool.__name__, (pool,), {"_get_conn": get})


@contextlib.contextmanager
def _failures() -> Iterator[None]:
    try:
        yield
    except ProxyError as error:
        raise ProxyRefused(error.original_error) from None
    except SSLError as error:
        raise ssl.SSLError(str(error)) from None
    except NameResolutionError as error:
        raise NotResolved(error) from None
    except NewConnectionError as error:
        raise NotReached(error.__cause__ or error) from None
    except ConnectTimeoutError as error:
        raise NotReachedInTime(error) from None
    except Late as error:
        raise TookTooLong(error) from None
    except HTTPError as error:
        if any(isinstance(cause, IncompleteRead) for cause in (error, *error.args)):
            raise EndedEarly(error) from None
        raise ConnectionFailed(*error.args[1:] or (error,)) from None
