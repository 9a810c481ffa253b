"""Gateways, and the TLS settings of a server that Sidecars share (Istio, `ValidateGateway`, `validateTLSOptions`)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from kubedoctor.cluster.kinds.meta import CustomResource
from kubedoctor.replay.mesh.analysis.validation.problems import (
    HTTP,
    PROTOCOLS,
    TLS,
    SchemaProblem,
    address,
    error,
    is_dns_label,
    namespaced_host,
    port_number,
    warning,
)
from kubedoctor.replay.mesh.config import number, part, rows, text, words

Row = Mapping[str, Any]
UNIX: Final = "unix://"
_PASSED_THROUGH: Final = frozenset({"PASSTHROUGH", "AUTO_PASSTHROUGH"})
_WITH_CLIENT: Final = frozenset({"MUTUAL", "OPTIONAL_MUTUAL"})
_OWN: Final = (
    "serverCertificate",
    "privateKey",
    "caCertificates",
    "tlsCertificates",
    "credentialName",
    "credentialNames",
)
_CIPHERS: Final = frozenset(
    [
        "ECDHE-ECDSA-AES128-GCM-SHA256",
        "ECDHE-RSA-AES128-GCM-SHA256",
        "ECDHE-ECDSA-AES256-GCM-SHA384",
        "ECDHE-RSA-AES256-GCM-SHA384",
        "ECDHE-ECDSA-CHACHA20-POLY1305",
        "ECDHE-RSA-CHACHA20-POLY1305",
        "ECDHE-ECDSA-AES128-SHA",
        "ECDHE-RSA-AES128-SHA",
        "ECDHE-ECDSA-AES256-SHA",
        "ECDHE-RSA-AES256-SHA",
        "AES128-GCM-SHA256",
        "AES256-GCM-SHA384",
        "AES128-SHA",
        "AES256-SHA",
        "DES-CBC3-SHA",
    ]
)


def gateway(found: CustomResource) -> Iterator[SchemaProblem]:
    if not is_dns_label(found.name):
        yield error(f'invalid gateway name: "{found.name}"')
    servers = [row for _, row in rows(found.spec, "servers")]
    if not servers:
        yield error("gateway must have at least one server")
    names = set()
    for server in servers:
        yield from _server(server)
    for server in servers:
        if not isinstance(server.get("port"), dict):
            continue
        name = text(part(server, "port").get("name"))
        if name in names:
            yield error(f"port names in servers must be unique: duplicate name {name}")
        names.add(name)
        if _protocol(server) not in HTTP and part(server, "tls").get("httpsRedirect"):
            yield warning("tls.httpsRedirect should only be used with http servers")


def _protocol(server: Row) -> str:
    return text(part(server, "port").get("protocol")).lower()


def _server(server: Row) -> Iterator[SchemaProblem]:
    hosts = words(server, "hosts")
    if not hosts:
        yield error("server config must contain at least one host")
    for host in hosts:
        yield from namespaced_host(host, is_gateway=True)
    wrong_port = list(_port(server))
    yield from wrong_port
    yield from _bind(server)
    tls = server.get("tls")
    yield from server_tls(tls)
    if wrong_port:
        return
    protocol = _protocol(server)
    if protocol in TLS and tls is None:
        yield error("server must have TLS settings for HTTPS/TLS protocols")
    elif protocol not in TLS and isinstance(tls, dict):
        mode = text(tls.get("mode")) or "PASSTHROUGH"
        if protocol not in HTTP:
            yield error("server cannot have TLS settings for non HTTPS/TLS ports")
        elif mode not in _PASSED_THROUGH or any(tls.get(name) for name in _OWN[:3]):
            yield error("server cannot have TLS settings for plain text HTTP ports")


def _port(server: Row) -> Iterator[SchemaProblem]:
    port = server.get("port")
    if not isinstance(port, dict):
        yield error("port is required")
        return
    if _protocol(server) not in PROTOCOLS:
        yield error(f'invalid protocol "{text(port.get("protocol"))}"')
    if number(port.get("number")) or not text(server.get("bind")).startswith(UNIX):
        yield from port_number(port.get("number"))
    if port.get("targetPort"):
        yield error("targetPort has no impact on Gateways")
    if not port.get("name"):
        yield error(f"port name must be set: {port.get('number')}")


def _bind(server: Row) -> Iterator[SchemaProblem]:
    bind = text(server.get("bind"))
    if bind.startswith(UNIX):
        yield from unix_address(bind.removeprefix(UNIX))
        if number(part(server, "port").get("number")):
            yield error("port number must be 0 for unix domain socket")
    elif bind:
        yield from address(bind)


def unix_address(path: str) -> Iterator[SchemaProblem]:
    if not path:
        yield error("unix address must not be empty")
    elif not path.startswith("@") and (not path.startswith("/") or path.endswith("/")):
        yield error(f"{path} is not an absolute path to a file")


def server_tls(tls: object) -> Iterator[SchemaProblem]:
    if not isinstance(tls, dict):
        return
    mode = text(tls.get("mode")) or "PASSTHROUGH"
    if tls.get("minProtocolVersion") in ("TLSV1_0", "TLSV1_1") and not tls.get("cipherSuites"):
        yield warning("TLS version below TLSV1_2 require setting compatible ciphers")
    suites = words(tls, "cipherSuites")
    if wrong := sorted({name for name in suites if not _is_cipher(name)}):
        yield warning(f"ignoring invalid cipher suites: {wrong}")
    if repeated := sorted({name for name in suites if _is_cipher(name) and suites.count(name) > 1}):
        yield warning(f"ignoring duplicate cipher suites: {repeated}")
    if mode == "ISTIO_MUTUAL":
        for name in _OWN:
            if tls.get(name):
                yield error(f"ISTIO_MUTUAL TLS cannot have associated {name}")
        return
    if mode in _PASSED_THROUGH and any(tls.get(name) for name in ("caCrl", *_OWN)):
        yield warning(f"{mode} mode does not use certificates, they will be ignored")
    files = bool(tls.get("serverCertificate") and tls.get("privateKey"))
    if files + sum(bool(tls.get(name)) for name in ("credentialName", "credentialNames", "tlsCertificates")) > 1:
        yield error("only one of credential_name, credential_names, files and tls_certificates should be specified")
    is_terminated = mode == "SIMPLE" or mode in _WITH_CLIENT
    if is_terminated and (tls.get("credentialName") or tls.get("credentialNames")):
        return
    if is_terminated:
        yield from _own_certificates(tls, mode)
    if tls.get("caCrl"):
        if tls.get("credentialName"):
            yield error("CRL is not supported with credentialName")
        if mode == "SIMPLE":
            yield error("CRL is not supported with SIMPLE TLS")


def _own_certificates(tls: Row, mode: str) -> Iterator[SchemaProblem]:
    name = "MUTUAL TLS" if mode in _WITH_CLIENT else "SIMPLE TLS"
    if mode in _WITH_CLIENT and not tls.get("caCertificates"):
        yield error(f"{name} requires a client CA bundle")
    certificates = [row for _, row in rows(tls, "tlsCertificates")]
    if len(certificates) > 2:
        yield warning(f"{name} can support up to 2 server certificates")
    for certificate in certificates or [tls]:
        if not certificate.get("serverCertificate"):
            yield error(f"{name} requires a server certificate")
        if not certificate.get("privateKey"):
            yield error(f"{name} requires a private key")


def _is_cipher(name: str) -> bool:
    return not name or name == "ALL" or not name[0].isalnum() or name in _CIPHERS
