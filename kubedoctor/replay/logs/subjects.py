"""What a log line names: addresses, paths, ports, quoted words."""

from __future__ import annotations

import re
from typing import Final

from kubedoctor.cluster.grammar.patterns import compiled_later

_ADDRESS: Final = compiled_later(
    r"(?<![\w./@-])((?:\d{1,3}(?:\.\d{1,3}){3}|\[[0-9a-fA-F:.]+\]|localhost|[A-Za-z_][\w-]*(?:\.[\w-]+)*):\d{2,5})\b(?![:.]\d)"
)
_URL: Final = compiled_later(r"\b[a-z][a-z0-9+.-]*://(?:[^\s/@\"']*@)?([\w.\[\]-]+(?::\d+)?)", re.IGNORECASE)
_HOST_AND_PORT: Final = compiled_later(
    r"host(?:name)?[=:]? ?[\"']?(?P<host>[\w.-]+)[\"']?,? (?:and )?(?:on )?port[=:]? ?[\"']?(?P<port>\d+)",
    re.IGNORECASE,
)
_LIBPQ: Final = compiled_later(
    r'running on host "(?P<host>[^"]+)".{0,60}?accepting\s+TCP/IP connections on port (?P<port>\d+)', re.DOTALL
)
"""Of libpq before 14, over three lines."""
_PORT_APART: Final = compiled_later(
    r"[\"']?(?P<host>[\w.-]+)[\"']? ?(?:\([\da-fA-F.:]+\))?,? port:? (?P<port>\d+)", re.IGNORECASE
)
_SLASHED: Final = compiled_later(r"(?P<host>[\w.-]+)/(?:<unresolved>|\d{1,3}(?:\.\d{1,3}){3}):(?P<port>\d+)")
_SOURCE_PLACE: Final = compiled_later(
    r"\.(?:go|py|js|ts|rb|rs|java|kt|scala|c|cc|cpp|cs|php|ex|exs|erl|mjs|cjs|sh):\d+$"
)
_PATH: Final = compiled_later(r"(?<![\w:/.])(/[\w.@+~$-]+(?:/[\w.@+~$*-]+)*/?)")
_QUOTED: Final = compiled_later(r"[\"'`]([^\"'`]+)[\"'`]")
_FILE: Final = compiled_later(
    r"[\"'`]([\w.@+-]*[./][\w.@+/-]+)[\"'`]|(?:open|mkdir|stat|unlink|rename|create|touch|access|read|load(?:ing)?) (?!(?:directory|folder|file|or|an?|the|to|for|new)\b)([\w.@+/-]+)"
)
_PORT_OF_A_TUPLE: Final = compiled_later(r"\('[^']*', (\d{1,5})(?:, \d+, \d+)?\)")
"""Python writes an address so."""
_PORT: Final = compiled_later(r":(\d{1,5})\b(?![:.]\d)|\bport[ =:]+(\d{1,5})\b", re.IGNORECASE)


def address(message: str) -> str:
    """`host:port` of the other side, the last in the message; of a URL, its host. Empty where none is named."""
    apart = (
        _LIBPQ.search(message)
        or _HOST_AND_PORT.search(message)
        or _SLASHED.search(message)
        or _PORT_APART.search(message)
    )
    if apart is not None and apart["host"].lower() not in ("server", "on", "the", "at", "tcp", "to", "host", "local"):
        return f"{apart['host']}:{apart['port']}"
    found = [text for text in _ADDRESS.findall(message) if not _SOURCE_PLACE.search(text)]
    if found:
        return str(found[-1])
    urls = _URL.findall(message)
    return str(urls[-1]) if urls else ""


def host(message: str) -> str:
    """The host of the first URL, or of an address."""
    url = _URL.search(message)
    return url[1] if url is not None else address(message)


def first_path(message: str) -> str:
    """The first absolute path."""
    match = _PATH.search(message)
    return match[1] if match is not None else ""


def last_path(message: str) -> str:
    """The last absolute path, a quoted one before others."""
    quoted = [text for text in _QUOTED.findall(message) if text.startswith(("/", "./", "../"))]
    paths = quoted or _PATH.findall(message)
    return str(paths[-1]) if paths else ""


def file(message: str) -> str:
    """The last absolute path, else the name of a file that is quoted or opened."""
    path = last_path(message)
    if path:
        return path
    match = _FILE.search(message)
    return next(filter(None, match.groups()), "") if match is not None else ""


def quoted(message: str) -> str:
    """The first word in quotes."""
    match = _QUOTED.search(message)
    return match[1] if match is not None else ""


def port(message: str) -> str:
    """The last port."""
    if pair := _PORT_OF_A_TUPLE.search(message):
        return pair[1]
    ports = _PORT.findall(message)
    return str(ports[-1][0] or ports[-1][1]) if ports else ""
