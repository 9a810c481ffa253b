"""One connection to the server, to see where it fails and which certificate it shows; nothing is sent over it."""

from __future__ import annotations

import contextlib
import ssl
from typing import NamedTuple
from urllib.parse import urlsplit

from kubedoctor.collect.connecting.connection import Connection
from kubedoctor.collect.connecting.direct import greet
from kubedoctor.collect.connecting.failures import NotReachedInTime
from kubedoctor.collect.live.parallel import in_time


class Reached(NamedTuple):
    """address: of the server. certificate: DER; empty where it was not seen."""

    address: str
    certificate: bytes


def reach(connection: Connection, tls: ssl.SSLContext | None) -> Reached:
    """Raises ConnectionFailed where there is no connection, and ssl.SSLError where the handshake fails."""
    found = in_time([lambda: _tried(connection, tls)], 2 * connection.connect_timeout)[0]
    if found is None:  # looking up a name has no limit of its own
        raise NotReachedInTime(TimeoutError())
    return found


def _tried(connection: Connection, tls: ssl.SSLContext | None) -> Reached:
    parts = urlsplit(connection.server)
    port = parts.port or (443 if tls else 80)
    return Reached(
        *greet(connection.host, port, connection.connect_timeout, tls, connection.server_name or connection.host)
    )


def unchecked_certificate(connection: Connection) -> bytes:
    """The certificate of a server that is not trusted, to say when it expired; empty where it shows none. Neither a client
    certificate nor a request is sent."""
    open_ended = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    open_ended.check_hostname, open_ended.verify_mode = False, ssl.CERT_NONE
    with contextlib.suppress(Exception):  # only a detail of a sentence
        found = in_time([lambda: _tried(connection, open_ended)], 2 * connection.connect_timeout)[0]
        return found.certificate if found is not None else b""
    return b""
