"""EnvoyFilters (Istio, `pkg/config/validation/envoyfilter`). Values are not compared with Envoy's own types: unknown and
deprecated fields in them are not found."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from kubedoctor.cluster.grammar.patterns import written_pattern
from kubedoctor.cluster.kinds.meta import CustomResource
from kubedoctor.replay.mesh.analysis.validation.problems import SchemaProblem, error, selector, warning
from kubedoctor.replay.mesh.config import part, rows, text

Row = Mapping[str, Any]
_INTERNAL: Final = (
    "EnvoyFilter exposes internal implementation details that may change at any time."  # upstream's words
)
_MANAGERS: Final = frozenset({"envoy.filters.network.http_connection_manager", "envoy.http_connection_manager"})
_LISTENERS: Final = frozenset({"LISTENER", "FILTER_CHAIN", "NETWORK_FILTER", "HTTP_FILTER"})
_ROUTES: Final = frozenset({"ROUTE_CONFIGURATION", "VIRTUAL_HOST", "HTTP_ROUTE"})
_MATCHES: Final = ("listener", "routeConfiguration", "cluster")
_TYPED: Final = frozenset({"HTTP_FILTER", "NETWORK_FILTER", "LISTENER_FILTER", "EXTENSION_CONFIG"})
_OLD: Final = frozenset(
    {
        f"envoy.{name}"
        for name in [
            "buffer",
            "cors",
            "csrf",
            "http_dynamo_filter",
            "ext_authz",
            "fault",
            "grpc_http1_bridge",
            "grpc_json_transcoder",
            "grpc_web",
            "gzip",
            "health_check",
            "ip_tagging",
            "lua",
            "rate_limit",
            "router",
            "squash",
            "client_ssl_auth",
            "http_connection_manager",
            "mongo_proxy",
            "ratelimit",
            "redis_proxy",
            "tcp_proxy",
        ]
    }
)


def envoy_filter(found: CustomResource) -> Iterator[SchemaProblem]:
    spec = found.spec or {}
    wrong = list(selector(spec, "workloadSelector", "labels", "Envoy filter: "))
    rejected = [problem for problem in wrong if problem.code == "IST0106"]
    if rejected:
        yield from rejected
        return
    yield warning(_INTERNAL)
    yield from wrong
    for _, row in rows(spec, "configPatches"):
        if part(row, "match").get("context") != "WAYPOINT":
            yield from _patch(row)


def _patch(row: Row) -> Iterator[SchemaProblem]:
    target, patch, match = text(row.get("applyTo")), row.get("patch"), part(row, "match")
    if target in ("", "INVALID"):
        yield error("Envoy filter: missing applyTo")
        return
    if not isinstance(patch, dict):
        yield error("Envoy filter: missing patch")
        return
    operation = text(patch.get("operation"))
    if operation in ("", "INVALID"):
        yield error("Envoy filter: missing patch operation")
        return
    if operation != "REMOVE" and patch.get("value") is None:
        yield error("Envoy filter: missing patch value for non-remove operation")
        return
    version = text(part(match, "proxy").get("proxyVersion"))
    if version and not _is_expression(version):
        yield error("Envoy filter: invalid regex for proxy version")
        return
    kinds = [name for name in _MATCHES if match.get(name) is not None]
    if target in _LISTENERS and kinds:
        if "listener" not in kinds:
            yield error("Envoy filter: applyTo for listener class objects cannot have non listener match")
            return
        problems = list(_filter_match(target, part(part(part(match, "listener"), "filterChain"), "filter"), match))
        yield from problems
        if any(problem.code == "IST0106" for problem in problems):
            return
    elif target in _ROUTES and kinds and "routeConfiguration" not in kinds:
        yield error("Envoy filter: applyTo for http route class objects cannot have non route configuration match")
    elif target == "CLUSTER" and kinds and "cluster" not in kinds:
        yield error("Envoy filter: applyTo for cluster class objects cannot have non cluster match")
    value = part(patch, "value")
    if untyped := _untyped(value, is_typed=target in _TYPED):
        yield warning(f"using deprecated types by name without typed_config; {', '.join(untyped)}")


def _filter_match(target: str, found: Row, match: Row) -> Iterator[SchemaProblem]:
    if part(part(match, "listener"), "filterChain").get("filter") is None:
        return
    if target in ("LISTENER", "FILTER_CHAIN"):
        yield warning(f"Envoy filter: filter match has no effect when used with {target}")
    name, inner = text(found.get("name")), found.get("subFilter")
    if not name:
        yield error("Envoy filter: filter match has no name to match on")
        return
    if isinstance(inner, dict):
        if target != "HTTP_FILTER":
            yield error("Envoy filter: subfilter match can be used with applyTo HTTP_FILTER only")
            return
        if name not in _MANAGERS:
            yield error("Envoy filter: subfilter match requires filter match with the connection manager of HTTP")
            return
        if not inner.get("name"):
            yield error("Envoy filter: subfilter match has no name to match on")
            return
    for written in (name, text(part(found, "subFilter").get("name"))):
        if written in _OLD or written.startswith("envoy.listener."):
            yield warning(f'using deprecated filter name "{written}"')


def _untyped(value: Row, *, is_typed: bool) -> list[str]:
    """The names of extensions that are configured by their name alone."""
    found = []
    if value and is_typed and not any(value.get(name) for name in ("typedConfig", "typed_config", "configDiscovery")):
        found.append(text(value.get("name")))
    for name in ("transportSocket", "transport_socket"):
        if inner := part(value, name):
            found += _untyped(inner, is_typed=True)
    return found


def _is_expression(written: str) -> bool:
    try:
        written_pattern(written)
    except re.error:
        return False
    return True
