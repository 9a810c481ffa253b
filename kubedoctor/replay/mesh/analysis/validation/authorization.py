"""AuthorizationPolicies (Istio, `ValidateAuthorizationPolicy`; `pkg/config/security/security.go`)."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from kubedoctor.cluster.kinds.meta import CustomResource
from kubedoctor.replay.mesh.analysis.validation.problems import SchemaProblem, error, selector, targets, warning
from kubedoctor.replay.mesh.config import part, rows, text, words

Row = Mapping[str, Any]
_ADDRESSES: Final = ("ipBlocks", "notIpBlocks", "remoteIpBlocks", "notRemoteIpBlocks")
_ACCOUNTS: Final = ("serviceAccounts", "notServiceAccounts")
_IDENTITIES: Final = ("principals", "notPrincipals", "namespaces", "notNamespaces")
_DOMAINS: Final = ("trustDomains", "notTrustDomains")
_TOKENS: Final = ("requestPrincipals", "notRequestPrincipals")
_SOURCES: Final = (*_IDENTITIES, *_TOKENS, *_ADDRESSES, *_ACCOUNTS, *_DOMAINS)
_OF_CONNECTIONS: Final = (*_IDENTITIES, *_ADDRESSES, *_ACCOUNTS)
_OPERATIONS: Final = ("ports", "methods", "paths", "hosts", "notPorts", "notMethods", "notPaths", "notHosts")
_NOT_CUSTOM: Final = ("source.namespace", "source.serviceAccount", "source.trustDomain", "source.principal")
_LITERAL: Final = re.compile(r"[a-zA-Z0-9\-._~%!$&'()+,;:@=]+")
_KEYED: Final = ("request.headers", "request.auth.claims", "experimental.envoy.filters.")
_OF_ADDRESSES: Final = frozenset({"source.ip", "remote.ip", "destination.ip"})
_FREE: Final = frozenset(
    [
        "source.namespace",
        "source.principal",
        "request.auth.principal",
        "request.auth.audiences",
        "request.auth.presenter",
        "connection.sni",
    ]
)
_ONLY_HTTP: Final = (  # upstream's words
    "configured AuthorizationPolicy will deny all traffic to TCP ports under its scope due to the use of only HTTP attributes in a DENY rule"
)


def authorization_policy(policy: CustomResource) -> Iterator[SchemaProblem]:
    spec = policy.spec or {}
    action = text(spec.get("action")) or "ALLOW"
    found = [row for _, row in rows(spec, "rules")]
    yield from targets(spec)
    yield from selector(spec)
    has_provider = spec.get("provider") is not None
    if action == "CUSTOM":
        if not found:
            yield error("CUSTOM action without `rules` is meaningless as it will never be triggered")
        elif not part(spec, "provider").get("name"):
            yield error("`provider.name` must not be empty")
        for rule in found:
            yield from _custom(rule)
    elif has_provider:
        yield error(f"`provider` must not be with non CUSTOM action, found {action}")
    if action == "DENY" and not found:
        yield error("DENY action without `rules` is meaningless as it will never be triggered")
    for at, rule in enumerate(found):
        yield from _sources(rule, at)
        yield from _operations(rule, at)
        for _, condition in rows(rule, "when"):
            yield from _condition(condition)
        if action == "DENY" and is_only_http(rule):
            yield warning(_ONLY_HTTP)


def is_only_http(rule: Row) -> bool:
    """Whether a rule has only attributes that a connection of TCP does not have."""
    sources = [part(row, "source") for _, row in rows(rule, "from")]
    operations = [part(row, "operation") for _, row in rows(rule, "to")]
    if operations:
        return not any(operation.get(name) for operation in operations for name in ("ports", "notPorts"))
    return bool(sources) and not any(source.get(name) for source in sources for name in _OF_CONNECTIONS)


def _custom(rule: Row) -> Iterator[SchemaProblem]:
    for _, row in rows(rule, "from"):
        for name in (*_IDENTITIES, *_TOKENS, *_ACCOUNTS, *_DOMAINS):
            if part(row, "source").get(name):
                yield error(f"From.{name} is currently not supported with CUSTOM action")
    for _, row in rows(rule, "when"):
        key = text(row.get("key"))
        if key in _NOT_CUSTOM or key.startswith("request.auth."):
            yield error(f"{key} is currently not supported with CUSTOM action")


def _sources(rule: Row, at: int) -> Iterator[SchemaProblem]:
    for _, row in rows(rule, "from"):
        source = row.get("source")
        if not isinstance(source, dict):
            yield error(f"`from.source` must not be nil, found at rule {at}")
            continue
        if any(source.get(name) for name in _IDENTITIES) and any(source.get(name) for name in _ACCOUNTS):
            yield error(f"cannot set serviceAccounts with namespaces or principals, found at rule {at}")
        if not any(source.get(name) for name in _SOURCES):
            yield error(f"`from.source` must not be empty, found at rule {at}")
        for name in _ADDRESSES:
            yield from _addresses(words(source, name))
        for name in (*_IDENTITIES, *_TOKENS, *_ADDRESSES):
            yield from _not_empty(source, name)
        for name in _ACCOUNTS:
            yield from _service_accounts(words(source, name), name)
        for name in _DOMAINS:
            yield from _wildcards(words(source, name), name)


def _operations(rule: Row, at: int) -> Iterator[SchemaProblem]:
    for _, row in rows(rule, "to"):
        operation = row.get("operation")
        if not isinstance(operation, dict):
            yield error(f"`to.operation` must not be nil, found at rule {at}")
            continue
        if not any(operation.get(name) for name in _OPERATIONS):
            yield error(f"`to.operation` must not be empty, found at rule {at}")
        for name in ("ports", "notPorts"):
            yield from _ports(words(operation, name))
        for name in _OPERATIONS:
            yield from _not_empty(operation, name)
        for name in ("paths", "notPaths"):
            yield from _paths(words(operation, name), name)


def _not_empty(row: Row, name: str) -> Iterator[SchemaProblem]:
    if "" in words(row, name):
        yield error(f"empty value not allowed, found in {name}")


def _addresses(values: tuple[str, ...]) -> Iterator[SchemaProblem]:
    for value in values:
        try:
            ipaddress.ip_network(value, strict=False) if "/" in value else ipaddress.ip_address(value)
        except ValueError:
            yield error(f"bad {'CIDR range' if '/' in value else 'IP address'} ({value})")


def _ports(values: tuple[str, ...]) -> Iterator[SchemaProblem]:
    for value in values:
        if not re.fullmatch(r"[0-9]+", value) or int(value) > 65535:
            yield error(f"bad port ({value})")


def _service_accounts(values: tuple[str, ...], name: str) -> Iterator[SchemaProblem]:
    if len(values) > 16:
        yield error("may not have more than 16 values")
        return
    for value in values:
        if not value or "*" in value or value.count("/") > 1 or len(value) > 320 or not all(value.split("/")):
            yield error(f'expected format serviceAccount or namespace/serviceAccount, found "{value}" in {name}')
            return


def _wildcards(values: tuple[str, ...], name: str) -> Iterator[SchemaProblem]:
    for value in values:
        is_inner = "*" in value and not value.startswith("*") and not value.endswith("*")
        if not value or value.count("*") > 1 or is_inner or ("/" in value and name in _DOMAINS):
            yield error(f'"{value}" is not allowed, found in {name}')
            return


def _paths(values: tuple[str, ...], name: str) -> Iterator[SchemaProblem]:
    for path in values:
        is_template = "{*}" in path or "{**}" in path
        has_any = False
        for glob in path.strip("/").split("/"):
            if glob in ("{*}", "{**}"):
                if has_any:
                    yield error(f"invalid or unsupported path {path}, found in {name}")
                    return
                has_any = glob == "{**}"
            elif "{" in glob or "}" in glob or (is_template and not _LITERAL.fullmatch(glob)):
                yield error(f"invalid or unsupported path {path}, found in {name}")
                return


def _condition(condition: Row) -> Iterator[SchemaProblem]:
    key = text(condition.get("key"))
    if not key:
        yield error("`key` must not be empty")
        return
    if not condition.get("values") and not condition.get("notValues"):
        yield error(f"at least one of `values` or `notValues` must be set for key {key}")
        return
    for name in ("values", "notValues"):
        problem = next(_attribute(key, words(condition, name)), None)
        if problem is not None:
            yield error(f"invalid `{name}` for `key` {key}: {problem.values[0]}")


def _attribute(key: str, values: tuple[str, ...]) -> Iterator[SchemaProblem]:
    if "" in values:
        yield error(f"empty value not allowed, found in {key}")
    elif key.startswith(_KEYED):
        if not re.fullmatch(r"[^\[]+\[.+\]", key):
            yield error(f"bad key ({key}): should have format a[b]")
    elif key in _OF_ADDRESSES:
        yield from _addresses(values)
    elif key == "destination.port":
        yield from _ports(values)
    elif key == "source.serviceAccount":
        yield from _service_accounts(values, key)
    elif key == "source.trustDomain":
        yield from _wildcards(values, key)
    elif key not in _FREE:
        yield error(f"unknown attribute: {key}")
