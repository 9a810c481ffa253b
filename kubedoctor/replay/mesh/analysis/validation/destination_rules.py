"""DestinationRules (Istio, `ValidateDestinationRule`, `validateTrafficPolicy`, `ValidateTLS`)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from kubedoctor.cluster.kinds.meta import CustomResource
from kubedoctor.replay.mesh.analysis.validation.problems import (
    SchemaProblem,
    domain,
    duration,
    duration_seconds,
    error,
    export_to,
    is_address,
    is_dns_label,
    is_domain,
    label_map,
    port_number,
    selector,
    warning,
)
from kubedoctor.replay.mesh.config import number, part, rows, text, words

Row = Mapping[str, Any]
_PORT_FIELDS: Final = ("outlierDetection", "connectionPool", "loadBalancer", "tls")
_FIELDS: Final = (*_PORT_FIELDS, "portLevelSettings", "tunnel", "proxyProtocol", "retryBudget")
_TABLE_LIMIT: Final = 5_000_011


def destination_rule(rule: CustomResource) -> Iterator[SchemaProblem]:
    spec = rule.spec or {}
    yield from domain(text(spec.get("host")))
    yield from traffic_policy(spec.get("trafficPolicy"))
    names = set()
    for _, subset in rows(spec, "subsets"):
        name = text(subset.get("name"))
        if name in names:
            yield error(f"duplicate subset names: {name}")
        names.add(name)
        if not name:
            yield error("subset name cannot be empty")
        elif not is_dns_label(name):
            yield error(f"subset name is invalid: {name}")
        yield from label_map(part(subset, "labels"))
        yield from traffic_policy(subset.get("trafficPolicy"))
    is_narrow = spec.get("workloadSelector") is not None
    yield from export_to(words(spec, "exportTo"), rule.namespace, is_narrow=is_narrow)
    yield from selector(spec, "workloadSelector")


def traffic_policy(policy: object) -> Iterator[SchemaProblem]:
    if not isinstance(policy, dict):
        return
    if all(policy.get(name) is None for name in _FIELDS):
        yield error("traffic policy must have at least one field")
        return
    if policy.get("tunnel") is not None and policy.get("proxyProtocol") is not None:
        yield error("tunnel and proxyProtocol must not be set together")
        return
    yield from _settings(policy)
    for _, row in rows(policy, "portLevelSettings"):
        if row.get("port") is None:
            yield error("portTrafficPolicy must have valid port")
        if all(row.get(name) is None for name in _PORT_FIELDS):
            yield error("port traffic policy must have at least one field")
        else:
            yield from _settings(row)
    if isinstance(tunnel := policy.get("tunnel"), dict):
        if text(tunnel.get("protocol")) not in ("", "CONNECT", "POST"):
            yield error('tunnel protocol must be "CONNECT" or "POST"')
        target = text(tunnel.get("targetHost"))
        if not is_domain(target) and not is_address(target):
            yield error("tunnel target host must be valid FQDN or IP address")
        yield from port_number(tunnel.get("targetPort"))


def _settings(policy: Row) -> Iterator[SchemaProblem]:
    outlier = policy.get("outlierDetection")
    yield from _outliers(outlier)
    yield from connection_pool(policy.get("connectionPool"))
    yield from _load_balancer(policy.get("loadBalancer"), has_outliers=outlier is not None)
    yield from _client_tls(policy.get("tls"))


def _outliers(outlier: object) -> Iterator[SchemaProblem]:
    if not isinstance(outlier, dict):
        return
    yield from duration(outlier.get("baseEjectionTime"))
    if outlier.get("consecutiveErrors"):
        yield warning("outlier detection consecutive errors is deprecated")
    if not outlier.get("splitExternalLocalOriginErrors") and number(outlier.get("consecutiveLocalOriginFailures")) > 0:
        yield error("outlier detection consecutive local origin failures needs splitExternalLocalOriginErrors")
    yield from duration(outlier.get("interval"))
    for name in ("maxEjectionPercent", "minHealthPercent"):
        if not 0 <= number(outlier.get(name)) <= 100:
            yield error(f"percentage {outlier[name]} is not in range 0..100")


def connection_pool(settings: object) -> Iterator[SchemaProblem]:
    if not isinstance(settings, dict):
        return
    if settings.get("http") is None and settings.get("tcp") is None:
        yield error("connection pool must have at least one field")
        return
    http, tcp = part(settings, "http"), part(settings, "tcp")
    for name in (
        "http1MaxPendingRequests",
        "http2MaxRequests",
        "maxRequestsPerConnection",
        "maxRetries",
        "maxConcurrentStreams",
    ):
        if number(http.get(name)) < 0:
            yield error(f"{name} must be non-negative")
    yield from duration(http.get("idleTimeout"))
    if http.get("h2UpgradePolicy") == "UPGRADE" and http.get("useClientProtocol"):
        yield error("use client protocol must not be true when H2UpgradePolicy is UPGRADE")
    if isinstance(alive := http.get("http2KeepAlive"), dict):
        for name in ("interval", "timeout"):
            if alive.get(name) is None:
                yield error(f"http2 keepalive {name} is required")
            yield from duration(alive.get(name))
    if number(tcp.get("maxConnections")) < 0:
        yield error("max connections must be non-negative")
    for name in ("connectTimeout", "maxConnectionDuration"):
        yield from duration(tcp.get(name))
    if duration_seconds(tcp.get("idleTimeout")):  # 0s: no timeout at all
        yield from duration(tcp.get("idleTimeout"))
    for name in ("time", "interval"):
        yield from duration(part(tcp, "tcpKeepalive").get(name))


def _load_balancer(settings: object, *, has_outliers: bool) -> Iterator[SchemaProblem]:
    if not isinstance(settings, dict):
        return
    if isinstance(hashing := settings.get("consistentHash"), dict):
        cookie = hashing.get("httpCookie")
        if isinstance(cookie, dict) and not cookie.get("name"):
            yield error("name required for HttpCookie")
        if hashing.get("minimumRingSize"):
            yield warning("consistent hash MinimumRingSize is deprecated")
            if hashing.get("ringHash") is not None or hashing.get("maglev") is not None:
                yield error("only one of MinimumRingSize or Maglev/Ringhash can be specified")
        if isinstance(maglev := hashing.get("maglev"), dict):
            yield from _table(number(maglev.get("tableSize")))
    if settings.get("localityLbSetting") is not None and settings.get("zoneAwareLbSetting") is not None:
        yield error("only one of localityLbSetting and zoneAwareLbSetting can be set")
    yield from _localities(settings.get("localityLbSetting"), has_outliers=has_outliers)
    if isinstance(warmup := settings.get("warmup"), dict):
        if warmup.get("duration") is None:
            yield error("duration is required")
        yield from duration(warmup.get("duration"))


def _table(size: int) -> Iterator[SchemaProblem]:
    if not size:
        yield error("tableSize must be set for maglev")
    if size >= _TABLE_LIMIT:
        yield error("tableSize must be less than 5000011 for maglev")
    if size < 2 or any(size % factor == 0 for factor in range(2, int(size**0.5) + 1)):
        yield error("tableSize must be a prime number for maglev")


def _localities(settings: object, *, has_outliers: bool) -> Iterator[SchemaProblem]:
    if not isinstance(settings, dict):
        return
    failover = [row for _, row in rows(settings, "failover")]
    if settings.get("distribute") and failover:
        yield error("can not simultaneously specify 'distribute' and 'failover'")
        return
    for _, row in rows(settings, "distribute"):
        weights = [number(weight) for weight in part(row, "to").values()]
        if any(not 0 < weight <= 100 for weight in weights):
            yield error("locality weight must be in range [1, 100]")
            return
        if sum(weights) != 100:
            yield error(f"total locality weight {sum(weights)} != 100")
            return
    if (failover or settings.get("failoverPriority")) and not has_outliers:
        yield warning("outlier detection policy must be provided for failover")
    for row in failover:
        start, end = text(row.get("from")), text(row.get("to"))
        if start == end:
            yield error("locality lb failover settings must specify different regions")
        if "/" in start + end:
            yield error("locality lb failover only specify region")
        if "*" in start + end:
            yield error("locality lb failover region should not contain '*' wildcard")


def _client_tls(tls: object) -> Iterator[SchemaProblem]:
    if not isinstance(tls, dict):
        return
    mode, credential = text(tls.get("mode")), tls.get("credentialName")
    if tls.get("insecureSkipVerify") and mode in ("SIMPLE", "MUTUAL"):
        own = ["caCertificates", "subjectAltNames", *(["credentialName"] if mode == "SIMPLE" else [])]
        if any(tls.get(name) for name in own):
            yield error("cannot specify certificates to verify by when InsecureSkipVerify is set true")
    if mode in ("SIMPLE", "MUTUAL") and credential:
        if any(tls.get(name) for name in ("clientCertificate", "caCertificates", "privateKey", "caCrl")):
            yield error("cannot specify client certificates or CA certificate or CA CRL If credentialName is set")
        return
    if mode == "MUTUAL":
        for name, written in (("clientCertificate", "client certificate"), ("privateKey", "private key")):
            if not tls.get(name):
                yield error(f"{written} required for mutual tls")
