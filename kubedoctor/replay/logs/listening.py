"""What a program's log says of its own port: its number, for which addresses, whether it speaks TLS, and for whom it answers."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from kubedoctor.cluster.grammar.patterns import compiled_later
from kubedoctor.replay.logs.log_lines import LONGEST_LINE

_LISTENS: Final = compiled_later(
    r"\b(?:listen(?:ing|s)?|serving|started|running) (?:on|at)\b|\blistening\b"
    r"|\bstart(?:ing|ed)? (?:[\w/.+-]+ ){0,3}(?:server|listener|service|endpoint)s? (?:on|at)\b",
    re.IGNORECASE,
)
_LISTENED_PORT: Final = compiled_later(r"(?::|port(?:\(s\))?[ =:]+)(\d{2,5})\b(?!:\d)", re.IGNORECASE)
_NUMBER: Final = compiled_later(r"(?<!\d)\d{2,5}(?!\d)")
_ON_LOOPBACK: Final = compiled_later(
    r"(?:(?<![\w.])127(?:\.\d{1,3}){3}|\[::1\]|Now listening on: https?://localhost):(\d{2,5})\b", re.IGNORECASE
)
"""Most programs write `localhost` for any address that they listen on; Kestrel (.NET) means it."""
_BELOW: Final = compiled_later(
    r"(?:context[ -]?path|base[ -]?(?:path|url)|path ?prefix|url ?prefix|sub-?path|mounted (?:at|under)|PathBase)\b[^/\n]{0,12}"
    r"(?P<path>/[\w.~-]+(?:/[\w.~-]+)*)/?(?=[\s'\"`,;)\]]|$)",
    re.IGNORECASE,
)
"""Of Tomcat, Jetty and Undertow under Spring Boot, and as other servers call it."""
_PLAIN_TO_TLS: Final = compiled_later(
    r"client sent an HTTP request to an HTTPS server|plain HTTP request was sent to HTTPS port"
    r"|SSL routines:[^\n]{0,80}http request|HTTP spoken on HTTPS port",
    re.IGNORECASE,
)
_REFUSED_HOST: Final = compiled_later(
    r"Invalid HTTP_HOST header|Blocked hosts?: \S|Blocked request\. This host|Invalid Host header|Untrusted host\b"
    r"|Trusted domain error|Invalid host header|Host \S+ is not (?:trusted|allowed)|DisallowedHost|HostAuthorization",
    re.IGNORECASE,
)
"""Of Django, Rails, Vite, webpack, Symfony, Nextcloud, Starlette."""


def port_listened_on(lines: Sequence[str]) -> int:
    """The port that the program logs as its own, where others reach it; 0 if it logs none."""
    on_loopback = loopback_ports(lines)
    return next((port for index, port in ports_listened_on(lines).items() if index not in on_loopback), 0)


def loopback_ports(lines: Sequence[str]) -> dict[int, int]:
    """Each port that the program logs as its own at the loopback address only, by the index of the line."""
    return {
        index: port
        for index, port in ports_listened_on(lines).items()
        if any(int(found[1]) == port for found in _ON_LOOPBACK.finditer(lines[index][:LONGEST_LINE]))
    }


def ports_listened_on(lines: Sequence[str]) -> dict[int, int]:
    """Each port that the program logs as its own by the index of the line, the newest first."""
    ports = {}
    for index in range(len(lines) - 1, -1, -1):
        line = lines[index][:LONGEST_LINE]
        listens = _LISTENS.search(line)
        port = _LISTENED_PORT.search(line, listens.end()) if listens else None
        if port and 0 < int(port.group(1)) < 65536:
            ports[index] = int(port.group(1))
    return ports


def base_path(lines: Sequence[str], port: int) -> tuple[int, str]:
    """The path below which the program logs that it serves everything on the port, and the line; an empty path if it logs
    none, or the line, or else the log, names only other ports."""
    own = set(ports_listened_on(lines).values())
    for index in range(len(lines) - 1, -1, -1):
        line = lines[index][:LONGEST_LINE]
        found = _BELOW.search(line) if _LISTENS.search(line) else None
        if found is None:
            continue
        if port in ({int(named) for named in _NUMBER.findall(line)} if _LISTENED_PORT.search(line) else own or {port}):
            return index, found["path"]
    return 0, ""


def expects_tls(lines: Sequence[str]) -> bool:
    """Whether the program refused a plain HTTP request because its port speaks TLS."""
    return any(_PLAIN_TO_TLS.search(line[:LONGEST_LINE]) for line in lines)


def refuses_the_host(lines: Sequence[str]) -> int | None:
    """The last line in which the program refuses a request for the host that it names; None where none does."""
    found = (index for index in range(len(lines) - 1, -1, -1) if _REFUSED_HOST.search(lines[index][:LONGEST_LINE]))
    return next(found, None)
