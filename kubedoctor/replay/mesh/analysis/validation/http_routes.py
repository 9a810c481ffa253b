"""HTTP routes of a VirtualService (Istio, `pkg/config/validation/virtualservice.go`)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from kubedoctor.replay.mesh.analysis.traffic.virtual_services import is_claim
from kubedoctor.replay.mesh.analysis.validation.problems import (
    SchemaProblem,
    domain,
    duration,
    error,
    is_dns_label,
    label_map,
    percentage,
    port_number,
    regular_expression,
    warning,
)
from kubedoctor.replay.mesh.config import number, part, rows, text, words

Row = Mapping[str, Any]
_HEADER: Final = re.compile(r"[!#$%&'*+.^_`|~A-Za-z0-9-]+")
_PSEUDO: Final = frozenset({":method", ":scheme", ":authority", ":path", ":status"})
_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "CONNECT", "OPTIONS", "TRACE", "*"})
_RETRY_ON: Final = frozenset(
    [
        "5xx",
        "gateway-error",
        "reset",
        "reset-before-request",
        "connect-failure",
        "retriable-4xx",
        "refused-stream",
        "retriable-status-codes",
        "retriable-headers",
        "envoy-ratelimited",
        "http3-post-connect-failure",
        "cancelled",
        "deadline-exceeded",
        "internal",
        "resource-exhausted",
        "unavailable",
    ]
)
_STATUSES: Final = frozenset(
    {*range(100, 104), *range(200, 209), 226, *range(300, 306), 307, 308, *range(400, 419), *range(421, 427)}
    | {428, 429, 431, 451, *range(500, 509), 510, 511}
)
_GRPC: Final = frozenset(
    [
        "OK",
        "CANCELLED",
        "UNKNOWN",
        "INVALID_ARGUMENT",
        "DEADLINE_EXCEEDED",
        "NOT_FOUND",
        "ALREADY_EXISTS",
        "PERMISSION_DENIED",
        "RESOURCE_EXHAUSTED",
        "FAILED_PRECONDITION",
        "ABORTED",
        "OUT_OF_RANGE",
        "UNIMPLEMENTED",
        "INTERNAL",
        "UNAVAILABLE",
        "DATA_LOSS",
        "UNAUTHENTICATED",
    ]
)


def http_route(route: Row, *, is_delegate: bool) -> Iterator[SchemaProblem]:
    yield from _conflicts(route, is_delegate=is_delegate)
    for _, match in rows(route, "match"):
        yield from _match(match)
    yield from _headers(part(route, "headers"))
    yield from _cors(part(route, "corsPolicy"))
    yield from _fault(route)
    yield from _mirrors(route)
    yield from _redirect(route)
    yield from _direct_response(route)
    yield from _retries(route)
    yield from _rewrite(route)
    yield from route_destinations(route, with_headers=True)
    yield from duration(route.get("timeout"))


def _conflicts(route: Row, *, is_delegate: bool) -> Iterator[SchemaProblem]:
    has = {name: route.get(name) is not None for name in ("redirect", "directResponse", "fault", "rewrite", "delegate")}
    routes = bool(route.get("route"))
    if has["delegate"] and not is_delegate:
        for name in ("redirect", "route"):
            if route.get(name):
                yield error(f"root HTTP route {text(route.get('name'))} must not specify {name}")
        return
    if has["delegate"]:
        yield error("delegate HTTP route cannot contain delegate")
    own = next((name for name in ("redirect", "directResponse") if has[name]), "")
    if own:
        others = {"route": routes, "fault": has["fault"], "rewrite": has["rewrite"]}
        if own == "redirect":
            others["directResponse"] = has["directResponse"]
        for name, is_set in others.items():
            if is_set:
                yield error(f"HTTP route cannot contain both {name} and {own}")
    elif not routes:
        yield error("HTTP route, redirect or direct_response is required")
    if route.get("mirror") is not None and route.get("mirrors"):
        yield error("HTTP route cannot contain both mirror and mirrors")


def _match(match: Row) -> Iterator[SchemaProblem]:
    for name, value in part(match, "headers").items():
        yield from _header_name(name)
        yield from string_match(value, "headers")
    for name, value in part(match, "withoutHeaders").items():
        yield from _header_name(name)
        if not (isinstance(value, dict) and value.get("regex") == "*"):
            yield from string_match(value, "withoutHeaders")
    yield from string_match(match.get("uri"), "uri", may_be_empty=True)
    for where in ("scheme", "method", "authority"):
        yield from string_match(match.get(where), where)
    for value in part(match, "queryParams").values():
        yield from string_match(value, "queryParams")
    if match.get("port"):
        yield from port_number(match["port"])
    yield from label_map(part(match, "sourceLabels"))
    yield from gateway_names(words(match, "gateways"))
    space = text(match.get("sourceNamespace"))
    if space and not is_dns_label(space):
        yield error(f"sourceNamespace match {space} is invalid")


def string_match(value: object, where: str, *, may_be_empty: bool = False) -> Iterator[SchemaProblem]:
    if not isinstance(value, dict):
        return
    if value.get("prefix") == "" and not may_be_empty:
        yield error(f'"{where}": prefix string match should not be empty')
    if "regex" in value:
        written = text(value.get("regex"))
        if written:
            yield from regular_expression(written, where)
        else:
            yield error(f'"{where}": regex string match should not be empty')


def _header_name(name: str) -> Iterator[SchemaProblem]:
    if not name:
        yield error("header name cannot be empty")
    elif not is_claim(name) and name not in _PSEUDO and not _HEADER.fullmatch(name):
        yield error(f"header name {name} is not a valid header name")


def _headers(headers: Row) -> Iterator[SchemaProblem]:
    for direction in ("request", "response"):
        operations = part(headers, direction)
        changed = [*part(operations, "add"), *part(operations, "set")]
        for name in (*changed, *words(operations, "remove")):
            is_own = name.startswith(":") or name.lower() == "host"
            is_authority = name.lower() in (":authority", "host") and direction == "request" and name in changed
            if not name:
                yield error("header name cannot be empty")
            elif is_own and not is_authority:
                yield error(f'invalid header "{name}"')


def _cors(policy: Row) -> Iterator[SchemaProblem]:
    for _, origin in rows(policy, "allowOrigins"):
        if not next((value for value in origin.values() if value), ""):
            yield error("'' is not a valid match type for CORS allow origins")
        elif "regex" in origin:
            yield from regular_expression(text(origin["regex"]), "corsPolicy.allowOrigins")
    for method in words(policy, "allowMethods"):
        if method not in _METHODS:
            yield error(f'"{method}" is not a supported HTTP method')
    for name in (*words(policy, "allowHeaders"), *words(policy, "exposeHeaders")):
        if name != "*" and not _HEADER.fullmatch(name):
            yield error(f"header name {name} is not a valid header name")
    yield from duration(policy.get("maxAge"))


def _fault(route: Row) -> Iterator[SchemaProblem]:
    fault = route.get("fault")
    if not isinstance(fault, dict):
        return
    if fault.get("abort") is None and fault.get("delay") is None:
        yield error("HTTP fault injection must have an abort and/or a delay")
    if isinstance(abort := fault.get("abort"), dict):
        yield from percentage(part(abort, "percentage").get("value", 0))
        if "grpcStatus" in abort:
            if abort["grpcStatus"] not in _GRPC:
                yield error(f'gRPC status "{abort["grpcStatus"]}" is not supported')
        elif "http2Error" in abort:
            yield error("HTTP/2 abort fault injection not supported yet")
        elif "httpStatus" in abort:
            yield from _status(abort["httpStatus"])
        else:
            yield warning("abort configured, but error type not set")
    if isinstance(delay := fault.get("delay"), dict):
        yield from percentage(part(delay, "percentage").get("value", 0))
        yield from duration(delay.get("fixedDelay"))
        if "exponentialDelay" in delay:
            yield from duration(delay["exponentialDelay"])
            yield error("exponentialDelay not supported yet")


def _status(status: object) -> Iterator[SchemaProblem]:
    if not 200 <= number(status) <= 600:
        yield error(f"HTTP status {number(status)} is not in range 200-599")


def _mirrors(route: Row) -> Iterator[SchemaProblem]:
    if route.get("mirrorPercent") is not None:
        if number(route["mirrorPercent"]) > 100:
            yield error(f"mirror_percent must have a max value of 100 (it has {route['mirrorPercent']})")
        yield warning('using deprecated setting "mirrorPercent", use "mirrorPercentage" instead')
    yield from _share(part(route, "mirrorPercentage"), "mirror_percentage")
    yield from destination(route.get("mirror"))
    for _, mirror in rows(route, "mirrors"):
        if mirror.get("destination") is None:
            yield error("destination is required for mirrors")
            continue
        yield from destination(mirror["destination"])
        yield from _share(part(mirror, "percentage"), "mirror percentage")


def _share(percent: Row, name: str) -> Iterator[SchemaProblem]:
    value = percent.get("value")
    if isinstance(value, int | float) and not 0 <= value <= 100:
        limit = "max value of 100" if value > 100 else "min value of 0"
        yield error(f"{name} must have a {limit} (it has {value})")


def _redirect(route: Row) -> Iterator[SchemaProblem]:
    redirect = route.get("redirect")
    if not isinstance(redirect, dict):
        return
    uri, rewrite = text(redirect.get("uri")), text(redirect.get("prefixRewrite"))
    code = number(redirect.get("redirectCode"))
    uris = [match["uri"] for _, match in rows(route, "match") if match.get("uri") is not None]
    has_port = any(redirect.get(name) is not None for name in ("port", "derivePort"))
    if uri and rewrite:
        yield error("redirect may only specify one of uri or prefix_rewrite")
    elif rewrite and any("prefix" not in written for written in uris):
        yield error("redirect prefix_rewrite requires all URI matches to use prefix match type")
    elif not (uri or rewrite or redirect.get("authority") or redirect.get("scheme") or has_port):
        yield error("redirect must specify URI, authority, scheme, or port")
    elif code and not 300 <= code <= 399:
        yield error(f"{code} is not a valid redirect code, must be 3xx")
    elif text(redirect.get("scheme")) not in ("", "http", "https"):
        yield error('invalid redirect scheme, must be "http" or "https"')
    elif redirect.get("port"):
        yield from port_number(redirect["port"])


def _direct_response(route: Row) -> Iterator[SchemaProblem]:
    answer = route.get("directResponse")
    if not isinstance(answer, dict):
        return
    body = part(answer, "body")
    size = len(text(body.get("string")) or text(body.get("bytes")))
    if size > 1 << 20:
        yield error("large direct_responses may impact control plane performance, must be less than 1MB")
    elif size > 100 << 10:
        yield warning("large direct_responses may impact control plane performance")
    yield from _status(answer.get("status"))


def _retries(route: Row) -> Iterator[SchemaProblem]:
    retries = route.get("retries")
    if not isinstance(retries, dict):
        return
    attempts = number(retries.get("attempts"))
    if attempts < 0:
        yield error("attempts cannot be negative")
    if not attempts and any(retries.get(name) for name in ("perTryTimeout", "retryOn", "retryRemoteLocalities")):
        yield error("http retry policy configured when attempts are set to 0 (disabled)")
    yield from duration(retries.get("perTryTimeout"))
    for policy in text(retries.get("retryOn")).split(","):
        is_status = policy.isdigit() and int(policy) in _STATUSES
        if retries.get("retryOn") and not is_status and policy not in _RETRY_ON:
            yield error(f'"{policy}" is not a valid retryOn policy')
    yield from duration(retries.get("backoff"))


def _rewrite(route: Row) -> Iterator[SchemaProblem]:
    rewrite = route.get("rewrite")
    authority = text(part(route, "rewrite").get("authority"))
    request = part(part(route, "headers"), "request")
    for operation in ("set", "add"):
        for name, value in part(request, operation).items():
            if name.lower() in (":authority", "host"):
                if authority:
                    yield error(f'authority header cannot be set multiple times: have "{authority}"')
                authority = text(value)
    if not isinstance(rewrite, dict):
        return
    expression = rewrite.get("uriRegexRewrite")
    if rewrite.get("uri") and expression is not None:
        yield error("rewrite may only contain one of URI or UriRegexRewrite")
    elif not (rewrite.get("uri") or rewrite.get("authority") or expression is not None):
        yield error("rewrite must specify at least one of URI, UriRegexRewrite, or authority")
    elif isinstance(expression, dict):
        if not expression.get("match") or not expression.get("rewrite"):
            yield error("UriRegexRewrite requires both Rewrite and Match fields to be specified")
        else:
            yield from regular_expression(text(expression["match"]), "HTTPRewrite.UriRegexRewrite.Match")


def route_destinations(route: Row, *, with_headers: bool = False) -> Iterator[SchemaProblem]:
    found = [row for _, row in rows(route, "route")]
    for row in found:
        if row.get("destination") is None:
            yield error("destination is required")
        if with_headers:
            yield from _headers(part(row, "headers"))
        yield from destination(row.get("destination"))
        weight = number(row.get("weight"))
        if weight < 0:
            yield error(f"weight {weight} < 0")
    if len(found) > 1 and not sum(number(row.get("weight")) for row in found):
        yield error("total destination weight = 0")


def destination(written: object) -> Iterator[SchemaProblem]:
    if not isinstance(written, dict):
        return
    host, subset, port = text(written.get("host")), text(written.get("subset")), written.get("port")
    if host == "*":
        yield error("invalid destination host *")
    else:
        yield from domain(host)
    if subset and not is_dns_label(subset):
        yield error(f"subset name is invalid: {subset}")
    if isinstance(port, dict):
        yield from port_number(port.get("number"))


def gateway_names(names: tuple[str, ...]) -> Iterator[SchemaProblem]:
    for written in names:
        namespace, slash, name = written.partition("/")
        if not slash:
            if "." in written:
                yield warning(f'using legacy gatewayName format "{written}"; prefer the <namespace>/<name> format')
            yield from domain(written, wildcard=False)
            return
        if not namespace or not name:
            yield error("config namespace and gateway name cannot be empty")
        if not is_dns_label(namespace):
            yield error(f'invalid value for namespace: "{namespace}"')
        if not is_dns_label(name):
            yield error(f'invalid value for gateway name: "{name}"')
