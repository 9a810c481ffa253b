"""What the log of a DNS server of the cluster says about lookups that fail: CoreDNS, and NodeLocal DNSCache, which is
built from it.

Sources: CoreDNS 1.0 to 1.14, plugins errors, forward, proxy, grpc, kubernetes, ready, loop, file, secondary; client-go's
reflector.
"""

from __future__ import annotations

import enum
from collections.abc import Sequence
from typing import Final

import msgspec

from kubedoctor.cluster.grammar.patterns import compiled_later

ENOUGH: Final = 3
"""Errors of one kind that are no accident: a healthy server writes one now and then."""


class ServerTrouble(enum.Enum):
    """Why a DNS server cannot answer."""

    LOOP = enum.auto()
    API_FORBIDDEN = enum.auto()
    API_UNREACHABLE = enum.auto()
    OVERLOADED = enum.auto()
    UPSTREAM_TLS = enum.auto()
    UPSTREAM_REFUSED = enum.auto()
    UPSTREAM_UNREACHABLE = enum.auto()
    UPSTREAM_SILENT = enum.auto()
    NO_UPSTREAM = enum.auto()
    ZONE_TRANSFER = enum.auto()


OF_THE_API: Final = frozenset({ServerTrouble.API_FORBIDDEN, ServerTrouble.API_UNREACHABLE})
OF_THE_UPSTREAM: Final = frozenset({
    ServerTrouble.UPSTREAM_TLS,
    ServerTrouble.UPSTREAM_REFUSED,
    ServerTrouble.UPSTREAM_UNREACHABLE,
    ServerTrouble.UPSTREAM_SILENT,
    ServerTrouble.NO_UPSTREAM,
})  # fmt: skip
_AT_ONCE: Final = frozenset({ServerTrouble.LOOP, *OF_THE_API})
"""One line is enough."""


class ServerFault(msgspec.Struct, frozen=True):
    """The newest line that states a trouble. `upstream`: the server that is asked; `zone`: that is transferred; `count`:
    how many lines state it. `names_host`: one of them is about the host that was asked for."""

    trouble: ServerTrouble
    index: int
    upstream: str = ""
    zone: str = ""
    count: int = 1
    names_host: bool = False


_LOOKUP: Final = compiled_later(
    r"(?:plugin/errors:|\[?ERROR\]?) +(?:\d+|\w+) (?P<name>\S+) (?P<type>[A-Z0-9]+): (?P<why>.+)"
)
"""`[ERROR] plugin/errors: 2 shop.example. A: read udp …`; before 1.4 without the plugin."""
_ALIKE: Final = compiled_later(r"plugin/errors: (?P<count>\d+) errors like '(?P<why>.+)' occurred")
_PEER: Final = compiled_later(r"(?:->|(?:dial|lookup) \w+ )(?:\[(?P<six>[^\]]+)\]|(?P<four>[\d.]+)):\d+")
_LOOP: Final = compiled_later(r"plugin/loop: (?:Loop|Forwarding loop) ?\(?(?P<way>[^)]*)\)?.* detected")
_API: Final = compiled_later(
    r"[Ff]ailed to (?:list|watch) \*|Kubernetes API connection failure|unsynced Kubernetes API"
)
_WAITS_FOR_API: Final = compiled_later(
    r"waiting for Kubernetes API|(?:Still waiting on|Plugins not ready): \"?(?:\w+,)*kubernetes"
)
_FORBIDDEN: Final = compiled_later(r"is forbidden: User|Unauthorized")
_TRANSFER: Final = compiled_later(
    r"Failed to (?:setup )?transfer `(?P<zone>[^']+)'(?: from \"(?P<from>[^\"]+)\"| with `(?P<with>[^']+)')"
    r"|All '(?P<all>[^']+)' masters failed to transfer|Zone (?P<expired>\S+) is expired"
)
_OVERLOADED: Final = compiled_later(r"concurrent queries exceeded maximum")
_NO_UPSTREAM: Final = compiled_later(r"no healthy (?:\w+ )?(?:proxies|upstream|backends?|hosts)|unreachable backend$")
_TLS: Final = compiled_later(r"x509:|tls:|certificate")
_REFUSED: Final = compiled_later(r"connection refused|code = Unavailable")
_NO_ROUTE: Final = compiled_later(r"no route to host|network is unreachable|host is unreachable|permission denied")
_SILENT: Final = compiled_later(r"i/o timeout|deadline exceeded|unreachable backend|EOF|connection reset")


def server_fault(lines: Sequence[str], host: str = "") -> ServerFault | None:
    """Why the server cannot answer; None where its log shows no reason.

    host: the name that was looked up. Lines about it count at once, others only where they are many.
    """
    groups: dict[tuple[ServerTrouble, str, str], ServerFault] = {}
    waits = None
    for index, line in enumerate(lines):
        if _WAITS_FOR_API.search(line):
            waits = ServerFault(ServerTrouble.API_UNREACHABLE, index)
        found = _stated(line, index, host)
        if found is None:
            continue
        key = (found.trouble, found.upstream, found.zone)
        before = groups.get(key)
        if before is not None:
            names_host = before.names_host or found.names_host
            # The line about the host is the one to show.
            shown = before.index if before.names_host and not found.names_host else index
            found = msgspec.structs.replace(found, count=before.count + found.count, names_host=names_host, index=shown)
        groups[key] = found
    if not groups:
        # It says so at each start too: then it serves soon after.
        return waits if waits is not None and not any(lines[waits.index + 1 :]) else None
    enough = [
        fault for fault in groups.values() if fault.names_host or fault.count >= ENOUGH or fault.trouble in _AT_ONCE
    ]
    return max(
        enough, key=lambda fault: (fault.trouble in _AT_ONCE, fault.names_host, fault.count, fault.index), default=None
    )


def _stated(line: str, index: int, host: str) -> ServerFault | None:
    if loop := _LOOP.search(line):
        return ServerFault(ServerTrouble.LOOP, index, loop["way"].rpartition("-> ")[2])
    if transfer := _TRANSFER.search(line):
        zone = transfer["zone"] or transfer["all"] or transfer["expired"]
        return ServerFault(ServerTrouble.ZONE_TRANSFER, index, transfer["from"] or transfer["with"] or "", zone)
    if _API.search(line):
        trouble = ServerTrouble.API_FORBIDDEN if _FORBIDDEN.search(line) else ServerTrouble.API_UNREACHABLE
        return ServerFault(trouble, index)
    lookup, alike = _LOOKUP.search(line), _ALIKE.search(line)
    if alike is not None:
        why, count, name = alike["why"].replace("\\", ""), int(alike["count"]), ""
    elif lookup is not None:
        why, count, name = lookup["why"], 1, lookup["name"]
    else:
        return None
    of_lookup = _of_a_lookup(why)
    if of_lookup is None:
        return None
    peer = _PEER.search(why)
    upstream = (peer["six"] or peer["four"]) if peer is not None else ""
    return ServerFault(of_lookup, index, upstream, "", count, _is_about(name, host))


def _is_about(name: str, host: str) -> bool:
    """The resolver of a pod appends its search domains to the host."""
    asked, host = name.rstrip(".").lower(), host.rstrip(".").lower()
    return bool(host) and (asked == host or asked.startswith(f"{host}."))


def _of_a_lookup(why: str) -> ServerTrouble | None:
    for trouble, pattern in (
        (ServerTrouble.OVERLOADED, _OVERLOADED),
        (ServerTrouble.NO_UPSTREAM, _NO_UPSTREAM),
        (ServerTrouble.UPSTREAM_TLS, _TLS),
        (ServerTrouble.UPSTREAM_REFUSED, _REFUSED),
        (ServerTrouble.UPSTREAM_UNREACHABLE, _NO_ROUTE),
        (ServerTrouble.UPSTREAM_SILENT, _SILENT),
    ):
        if pattern.search(why):
            return trouble
    return None
