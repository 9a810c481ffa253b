"""Requests that nginx ends because of a limit of its own, by its error log (`ngx_http_upstream.c`, `ngx_http_core_module.c`, 1.27)."""

from __future__ import annotations

import enum
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Final, NamedTuple

from kubedoctor.cluster.grammar.patterns import compiled_later


class NginxLimit(enum.Enum):
    """The limit, by the name of the setting that ingress controllers have for it."""

    RESPONSE_HEADER = "proxy-buffer-size"
    REQUEST_BODY = "proxy-body-size"


class EndedRequest(NamedTuple):
    """A request that met a limit. line: its index in the log; at: None where the line has no time."""

    line: int
    limit: NginxLimit
    host: str
    path: str
    at: datetime | None


_LIMITS: Final = (
    (NginxLimit.RESPONSE_HEADER, "upstream sent too big header while reading response header from upstream"),
    (NginxLimit.REQUEST_BODY, "client intended to send too large body"),
)
_TIME: Final = compiled_later(r"^(\d{4}/\d\d/\d\d \d\d:\d\d:\d\d) \[(?:error|warn|crit)\]")
_SERVER: Final = compiled_later(r"\bserver: (?P<server>[^,\s]+)")
_REQUEST: Final = compiled_later(r"request: \"[A-Z]+ (?P<path>/[^\s?\"]*)")
_HOST: Final = compiled_later(r"host: \"(?P<host>[^\":]+)")


def ended_requests(lines: Sequence[str]) -> Iterator[EndedRequest]:
    """In the order of the log."""
    for index, text in enumerate(lines):
        limit = next((limit for limit, words in _LIMITS if words in text), None)
        if limit is None:
            continue
        host, server, request, time = (
            _HOST.search(text),
            _SERVER.search(text),
            _REQUEST.search(text),
            _TIME.match(text),
        )
        name = host["host"] if host is not None else server["server"] if server is not None else ""
        at = datetime.strptime(time[1], "%Y/%m/%d %H:%M:%S").replace(tzinfo=UTC) if time is not None else None
        yield EndedRequest(index, limit, name, request["path"] if request is not None else "/", at)
