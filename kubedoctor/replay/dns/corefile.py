"""Corefiles, as far as CoreDNS refuses to load them.

Sources: CoreDNS 1.14 `plugin.cfg` for the plugins, `coremain` and `caddyfile` for the messages.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import msgspec

PLUGINS = frozenset(
    "acl any auto autopath azure bind bufsize cache cancel chaos clouddns debug dns64 dnssec dnstap erratic errors etcd "  # noqa: SIM905  # sixty words read better as text
    "file forward geoip grpc grpc_server header health hosts https https3 import k8s_external kubernetes loadbalance local "
    "log loop metadata minimal multisocket nomad nsid on pprof prometheus proxyproto quic ready reload rewrite root route53 "
    "secondary sign startup shutdown template timeouts tls trace transfer tsig view whoami".split()
)

_REFUSED = re.compile(
    r"(?:^|/)(?P<file>[\w.-]+):(?P<line>\d+) - (?:Error during parsing|Syntax error|Parse error): (?P<what>.+)"
)
_PLUGIN = re.compile(r"^plugin/(?P<plugin>\w+): (?P<what>.+)")
_SERVER = re.compile(r"^(?:cannot serve \S+ - it is already defined|address \S+: invalid port)")
_DIRECTIVE = re.compile(r"Unknown directive '(?P<name>[^']*)'")
_LOOP = re.compile(r"plugin/loop: Loop \((?P<path>[^)]*)\) detected")


class CorefileError(msgspec.Struct, frozen=True):
    """A line of CoreDNS's log that states why it does not run: its index in the log, and its content.

    `line` is the Corefile's, 0 where none is named; `directive` the unknown plugin; `loop` a loop of forwarding.
    """

    index: int
    what: str
    line: int = 0
    directive: str = ""
    loop: bool = False


def corefile_error(lines: Sequence[str]) -> CorefileError | None:
    """The last log line that rejects the Corefile, or None."""
    for index in range(len(lines) - 1, -1, -1):
        text = lines[index].strip()
        if (loop := _LOOP.search(text)) is not None:
            return CorefileError(index, f"forwarding loop ({loop['path']})", loop=True)
        if (refused := _REFUSED.search(text)) is not None:
            problem = refused["what"].strip()
            name = _DIRECTIVE.search(problem)
            return CorefileError(index, problem, int(refused["line"]), name["name"] if name else "")
        if _SERVER.match(text):
            return CorefileError(index, text)
        if (plugin := _PLUGIN.match(text)) is not None:
            return CorefileError(index, f"{plugin['plugin']}: {plugin['what']}")
    return None


def directives(text: str) -> Iterator[tuple[int, str]]:
    """The plugins that a Corefile names, with their lines: the first word of each line in a server's block."""
    depth = 0
    for number, line in enumerate(text.splitlines(), 1):
        words = _words(line)
        if not words:
            continue
        if depth == 1 and words[0] not in ("}", "{"):
            yield number, words[0]
        depth += words.count("{") - words.count("}")
        depth = max(depth, 0)


def unknown_directives(text: str) -> tuple[tuple[int, str], ...]:
    """The directives that are not plugins of CoreDNS itself; a CoreDNS built with more plugins may have them."""
    return tuple((number, name) for number, name in directives(text) if name not in PLUGINS)


def _words(line: str) -> list[str]:
    words: list[str] = []
    for word in line.split():
        if word.startswith("#"):
            break
        words.append(word)
    return words
