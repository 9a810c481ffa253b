"""A program that speaks TLS to a server that does not, or the other way round, by the words of its library."""

from __future__ import annotations

import re
from typing import Final

from diagnostics.pods.crashes._story import Story
from kubedoctor.findings import Fix
from kubedoctor.replay.logs.reading import LogCause

_PLAIN_SERVER: Final = frozenset({"http response to https client", "wrong version number"})
"""Patterns of Go's client, and of OpenSSL: what the server answered is no record of TLS."""
_TLS_SERVER: Final = frozenset({"client sent an http request to an https server", "http request was sent to https"})
_URL: Final = re.compile(r"https?://[^\s\"'<>]+")


def other_scheme(cause: LogCause, message: str) -> Story | None:
    """None where the fault is of a certificate."""
    if cause.pattern in _PLAIN_SERVER:
        clause, old, new, server = "the server speaks plain HTTP, not TLS", "https", "http", "serve TLS on this port"
    elif cause.pattern in _TLS_SERVER:
        clause, old, new, server = "the server takes TLS only", "http", "https", "serve plain HTTP on this port"
    else:
        return None
    url = next((found for found in _URL.findall(message) if found.startswith(f"{old}://")), "")
    use = f"{new}{url.removeprefix(old)}" if url else f"{new}://"
    return Story(f"{clause}: {message}", fixes=(Fix(f"Use {use} in the program's settings, or {server}"),))
