"""A request against the match of an HTTP rule, as the proxy compares them (Istio, `pilot/pkg/networking/core/route/route.go`,
TranslateRouteMatch; Envoy's `config.route.v3.RouteMatch`; 1.31)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, Final, NamedTuple

from kubedoctor.cluster.grammar.patterns import written_pattern
from kubedoctor.replay.mesh.config import part

Match = Mapping[str, Any]
_ESCAPES: Final = re.compile(r"(?:%[0-9A-Fa-f]{2})+")


class HTTPRequest(NamedTuple):
    """`host`: the Host header as sent; `target`: path and query; `headers`: names in small letters."""

    host: str
    target: str = "/"
    method: str = "GET"
    headers: Mapping[str, str] = {}

    @property
    def path(self) -> str:
        return _unescaped(self.target.partition("?")[0])

    @property
    def query(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for pair in self.target.partition("?")[2].split("&"):
            name, _, value = pair.replace("+", " ").partition("=")
            if name:
                found.setdefault(_unescaped(name), []).append(_unescaped(value))
        return found

    def header(self, name: str) -> str | None:
        own = {":method": self.method, ":authority": self.host, ":path": self.target, ":scheme": "http"}
        name = name.lower()
        return self.headers.get(name, own.get(name))


def matches_all(match: Match) -> bool:
    """Whether the match takes every request, so that no rule behind it is reached."""
    uri = part(match, "uri")
    fields = ("headers", "withoutHeaders", "queryParams", "method", "authority", "scheme")
    everything = not uri or uri.get("prefix") == "/" or uri.get("regex") == ".*"
    return everything and not any(match.get(field) is not None and match.get(field) != {} for field in fields)


def request_matches(match: Match, request: HTTPRequest) -> bool:
    return (
        _path_matches(match, request.path)
        and all(_header_matches(request.header(name), wanted) for name, wanted in _headers(match))
        and all(_left_out(request.header(name), wanted) for name, wanted in part(match, "withoutHeaders").items())
        and all(_query_matches(request, name, wanted) for name, wanted in part(match, "queryParams").items())
    )


def _headers(match: Match) -> Iterator[tuple[str, Any]]:
    yield from part(match, "headers").items()
    for name in ("method", "authority", "scheme"):
        if match.get(name) is not None:
            yield f":{name}", match[name]


def _path_matches(match: Match, path: str) -> bool:
    uri = part(match, "uri")
    fold = bool(match.get("ignoreUriCase"))

    def same(value: str) -> str:
        return value.lower() if fold else value

    if "exact" in uri:
        return same(path) == same(uri["exact"])
    if "regex" in uri:
        return _whole(uri["regex"], path)
    return same(path).startswith(same(uri.get("prefix") or "/"))


def only_present(wanted: object) -> bool:
    """A match without a value asks only whether the header is there; so does `*`, which is no regular expression."""
    return not isinstance(wanted, dict) or not wanted or wanted.get("regex") == "*"


def _header_matches(value: str | None, wanted: object) -> bool:
    if value is None:
        return False
    return only_present(wanted) or _text_matches(wanted, value)


def _left_out(value: str | None, wanted: object) -> bool:
    if only_present(wanted):
        return value is None
    return not _text_matches(wanted, value or "")


def _query_matches(request: HTTPRequest, name: str, wanted: object) -> bool:
    values = request.query.get(name)
    if values is None:
        return False
    return only_present(wanted) or _text_matches(wanted, values[0])


def _text_matches(wanted: object, value: str) -> bool:
    if not isinstance(wanted, dict):
        return True
    if "exact" in wanted:
        return bool(value == wanted["exact"])
    if "prefix" in wanted:
        return value.startswith(wanted["prefix"])
    return "regex" not in wanted or _whole(wanted["regex"], value)


def _whole(pattern: str, value: str) -> bool:
    compiled = _compiled(pattern)
    return compiled is not None and compiled.fullmatch(value) is not None


@cache
def _compiled(pattern: str) -> re.Pattern[str] | None:
    try:
        return written_pattern(pattern)
    except (re.error, OverflowError, RecursionError):
        return None


def _unescaped(value: str) -> str:
    def plain(found: re.Match[str]) -> str:
        return bytes.fromhex(found[0].replace("%", "")).decode("utf-8", "replace")

    return _ESCAPES.sub(plain, value) if "%" in value else value
