"""Sidecars (Istio, `ValidateSidecar`)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from kubedoctor.cluster.kinds.meta import CustomResource
from kubedoctor.replay.mesh.analysis.validation.destination_rules import connection_pool
from kubedoctor.replay.mesh.analysis.validation.gateways import UNIX, server_tls, unix_address
from kubedoctor.replay.mesh.analysis.validation.http_routes import destination
from kubedoctor.replay.mesh.analysis.validation.problems import (
    HTTP,
    TLS,
    SchemaProblem,
    address,
    domain,
    error,
    namespaced_host,
    port_name,
    port_number,
    protocol,
    selector,
    warning,
)
from kubedoctor.replay.mesh.config import number, part, rows, text, words

Row = Mapping[str, Any]
_CONTENT: Final = ("egress", "ingress")
_OWN_ADDRESSES: Final = frozenset({"", "127.0.0.1", "0.0.0.0", "::1", "::"})
_ENDPOINT: Final = re.compile(r"(?:\[(?P<six>[^\]]*)\]|(?P<four>[^:\[\]]*)):(?P<port>[^:]*)")
_UNSUPPORTED: Final = ("subjectAltNames", "httpsRedirect", "credentialName", "credentialNames", "tlsCertificates")


def sidecar(found: CustomResource) -> Iterator[SchemaProblem]:
    spec = found.spec or {}
    wrong = list(selector(spec, "workloadSelector", "labels", "sidecar: "))
    rejected = [problem for problem in wrong if problem.code == "IST0106"]
    if rejected:
        yield from rejected
        return
    if not any(spec.get(name) for name in _CONTENT) and all(
        spec.get(name) is None for name in ("outboundTrafficPolicy", "inboundConnectionPool")
    ):
        yield error("sidecar: empty configuration provided")
        return
    yield from wrong
    yield from _ingress(spec)
    yield from connection_pool(spec.get("inboundConnectionPool"))
    yield from _egress(spec, found.namespace)
    yield from _outbound_policy(spec.get("outboundTrafficPolicy"))


def _ingress(spec: Row) -> Iterator[SchemaProblem]:
    used = set()
    for _, row in rows(spec, "ingress"):
        port = row.get("port")
        if not isinstance(port, dict):
            yield error("sidecar: port is required for ingress listeners")
            continue
        yield from _port(port)
        yield from port_number(port.get("number"))
        if bind := text(row.get("bind")):
            yield from address(bind)
        if number(port.get("number")) in used:
            yield error("sidecar: ports on IP bound listeners must be unique")
        used.add(number(port.get("number")))
        yield from _default_endpoint(text(row.get("defaultEndpoint")))
        yield from _ingress_tls(row.get("tls"), text(port.get("protocol")).lower())
        pool = row.get("connectionPool")
        yield from connection_pool(pool)
        if part(pool, "http") and text(port.get("protocol")).lower() not in HTTP:
            yield warning(f"sidecar: HTTP connection pool settings are configured for port {port.get('number')}")


def _port(port: Row) -> Iterator[SchemaProblem]:
    if port.get("targetPort"):
        yield error("targetPort has no impact on Sidecars")
    if port.get("name"):
        yield from port_name(text(port["name"]))
    yield from protocol(text(port.get("protocol")))


def _default_endpoint(written: str) -> Iterator[SchemaProblem]:
    if not written:
        return
    if written.startswith(UNIX):
        yield from unix_address(written.removeprefix(UNIX))
        return
    found = _ENDPOINT.fullmatch(written)
    if found is None:
        yield error(f"address {written}: missing port in address")
    host = (found["six"] or found["four"] or "") if found is not None else ""
    port = found["port"] if found is not None else ""
    if host not in _OWN_ADDRESSES:
        yield error("sidecar: defaultEndpoint must be of form 127.0.0.1:<port> or unix://filepath")
    if re.fullmatch(r"[+-]?[0-9]+", port):
        yield from port_number(int(port))
    else:
        yield error(f"sidecar: defaultEndpoint port ({port}) is not a number")


def _ingress_tls(tls: object, name: str) -> Iterator[SchemaProblem]:
    if not isinstance(tls, dict):
        return
    for field in _UNSUPPORTED:
        if tls.get(field):
            yield error(f"sidecar: {field} is not supported in ingress tls")
    if tls.get("mode") in ("ISTIO_MUTUAL", "AUTO_PASSTHROUGH"):
        yield error(f"configuration is invalid: cannot set mode to {tls['mode']} in sidecar ingress tls")
    if name not in TLS:
        yield error("server cannot have TLS settings for non HTTPS/TLS ports")
    yield from server_tls(tls)


def _egress(spec: Row, namespace: str) -> Iterator[SchemaProblem]:
    listeners = [row for _, row in rows(spec, "egress")]
    ports, sockets = set(), set()
    is_caught = False
    for at, row in enumerate(listeners):
        port, bind = row.get("port"), text(row.get("bind"))
        if not isinstance(port, dict):
            if is_caught:
                yield error("sidecar: egress can have only one listener with empty port")
                continue
            if at == len(listeners) - 1:
                is_caught = True
            else:
                yield error("sidecar: the egress listener with empty port should be the last listener in the list")
        elif not number(port.get("number")):
            yield from _port(port)
            yield from _socket(bind, text(row.get("captureMode")))
            if bind in sockets:
                yield error("sidecar: unix domain socket values for listeners must be unique")
            sockets.add(bind)
        else:
            yield from _port(port)
            yield from port_number(port.get("number"))
            yield from address(bind) if bind else ()
            if number(port["number"]) in ports:
                yield error("sidecar: ports on IP bound listeners must be unique")
            ports.add(number(port["number"]))
        yield from _egress_hosts(words(row, "hosts"), namespace)


def _socket(bind: str, mode: str) -> Iterator[SchemaProblem]:
    if bind.startswith(UNIX):
        yield from unix_address(bind.removeprefix(UNIX))
    else:
        yield error("sidecar: ports with 0 value must have a unix domain socket bind address")
    if mode not in ("", "DEFAULT", "NONE"):
        yield error("sidecar: captureMode must be DEFAULT/NONE for unix domain socket listeners")


def _egress_hosts(hosts: tuple[str, ...], namespace: str) -> Iterator[SchemaProblem]:
    if not hosts:
        yield error("sidecar: egress listener must contain at least one host")
    seen: dict[str, set[str]] = {}
    for written in hosts:
        space, slash, host = written.partition("/")
        if slash and not space.startswith("~"):
            names = seen.setdefault(namespace if space == "." else space, set())
            if (host in names or "*" in names) if host != "*" else names:
                yield warning(f"duplicated egress host: {written}")
            names.add(host)
        yield from namespaced_host(written, is_gateway=False)
    if "*" in seen.get("*", ()) and len(seen) != 1:
        yield warning("`*/*` host select all resources, no other hosts can be added")


def _outbound_policy(policy: object) -> Iterator[SchemaProblem]:
    if not isinstance(policy, dict) or policy.get("egressProxy") is None:
        return
    if policy.get("mode") != "ALLOW_ANY":
        yield error("sidecar: egress_proxy must be set only with ALLOW_ANY outbound_traffic_policy mode")
        return
    proxy = part(policy, "egressProxy")
    yield from domain(text(proxy.get("host")), wildcard=False)
    if proxy.get("port") is None:
        yield error("sidecar: egress_proxy port must be non-nil")
    else:
        yield from destination(proxy)
