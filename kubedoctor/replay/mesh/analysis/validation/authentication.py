"""RequestAuthentications and PeerAuthentications (Istio, `ValidateRequestAuthentication`, `ValidatePeerAuthentication`)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

import msgspec

from kubedoctor.cluster.kinds.meta import CustomResource
from kubedoctor.replay.mesh.analysis.validation.problems import (
    SchemaProblem,
    duration,
    error,
    selector,
    targets,
    warning,
)
from kubedoctor.replay.mesh.config import labels, part, rows, text, words

Row = Mapping[str, Any]
_KEY_TYPES: Final = frozenset({"RSA", "EC", "OKP", "oct"})
_SCHEME: Final = re.compile(r"([a-zA-Z][a-zA-Z0-9+.-]*):")
_HEADER: Final = re.compile(r"[-_A-Za-z0-9]+")


def request_authentication(policy: CustomResource) -> Iterator[SchemaProblem]:
    spec = policy.spec or {}
    yield from targets(spec)
    yield from selector(spec)
    for _, rule in rows(spec, "jwtRules"):
        yield from _token_rule(rule)


def _token_rule(rule: Row) -> Iterator[SchemaProblem]:
    uri, keys = text(rule.get("jwksUri")), text(rule.get("jwks"))
    if "" in words(rule, "audiences"):
        yield error("audience must be non-empty string")
    if not text(rule.get("issuer")) and not uri:
        yield error("issuer or jwksUri must be non-empty string")
    if uri:
        scheme = found[1].lower() if (found := _SCHEME.match(uri)) is not None else ""
        if scheme not in ("http", "https"):
            yield error(f'URI scheme "{scheme}" is not supported')
    if keys:
        yield from _key_set(keys)
    if any(not row.get("name") for _, row in rows(rule, "fromHeaders")):
        yield error("location header name must be non-empty string")
    if "" in words(rule, "fromParams"):
        yield error("location query must be non-empty string")
    if "" in words(rule, "fromCookies"):
        yield error("cookie name must be non-empty string")
    for _, row in rows(rule, "outputClaimToHeaders"):
        header = text(row.get("header"))
        if not row.get("claim") or not header:
            yield error("outputClaimToHeaders header and claim value must be non-empty string")
        elif not _HEADER.fullmatch(header):
            yield error(f"header name {header} is not a valid header name")
    yield from duration(rule.get("timeout"))


def _key_set(written: str) -> Iterator[SchemaProblem]:
    """Only that it is a key or a list of keys of a known type; a redacted one is accepted."""
    try:
        found = msgspec.json.decode(written)
    except msgspec.DecodeError:
        if not written.startswith("<"):
            yield error("jwks parse error: it is not JSON")
        return
    keys = found.get("keys", [found]) if isinstance(found, dict) else []
    if not isinstance(keys, list) or any(part({"": key}, "").get("kty") not in _KEY_TYPES for key in keys):
        yield error("jwks parse error: invalid key type")
        return
    for at, key in enumerate(keys):
        if key.get("d") or key.get("kty") == "oct":
            yield warning(f"jwks key at index {at} contains private key material")


def peer_authentication(policy: CustomResource) -> Iterator[SchemaProblem]:
    spec = policy.spec or {}
    ports = spec.get("portLevelMtls")
    if ports and not labels(spec, "selector", "matchLabels"):
        yield error("mesh/namespace peer authentication cannot have port level mTLS")
    for port in ports if isinstance(ports, dict) else ():
        if not str(port).isdigit() or not 0 < int(port) <= 65535:
            yield error("port must be in range 1..65535")
    yield from selector(spec)
