"""Which of several hosts and paths a request matches best (networking.k8s.io/v1 `IngressRule` and `HTTPIngressPath`;
gateway-api `HTTPRouteRule`, v1.3): the more specific host first, then an exact path, then the longest."""

from __future__ import annotations

from typing import Final, NamedTuple

_EXACT: Final = "Exact"
_BY_ELEMENT: Final = ("Prefix", "PathPrefix")
_PATTERN: Final = "RegularExpression"


class Rank(NamedTuple):
    """How closely a rule matches; of two the greater one takes the request."""

    host: int
    exact: bool
    length: int


def covers(name: str, host: str) -> bool:
    """Whether a host of an Ingress, or a name in a certificate, is for a host: a wildcard stands for one label."""
    name, host = name.lower(), host.lower()
    return name == host or (name.startswith("*.") and host.partition(".")[2] == name[2:])


def covers_below(name: str, host: str) -> bool:
    """As `covers`, for a route: its wildcard stands for one label or more."""
    name, host = name.lower(), host.lower()
    return name == host or (name.startswith("*.") and host.endswith(name[1:]))


def rank(name: str, path: str, path_type: str, asked: str) -> Rank | None:
    """The rank of a rule whose host, `name`, is for the request; None where its path is not. An empty name is for every
    host; a pattern is not replayed."""
    asked = asked.partition("?")[0] or "/"
    if not _fits(path or "/", path_type, asked):
        return None
    return Rank(0 if not name else len(name) if name.startswith("*.") else 1000, path_type == _EXACT, len(path or "/"))


def _fits(path: str, path_type: str, asked: str) -> bool:
    if path_type == _EXACT:
        return asked == path
    if path_type in _BY_ELEMENT:
        start = path.rstrip("/")
        return asked.rstrip("/") == start or asked.startswith(f"{start}/")
    return path_type != _PATTERN and asked.startswith(path)
