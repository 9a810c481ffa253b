"""Istio: port 443 of a ServiceEntry is declared as HTTP.

## What it means
Clients connect to port 443 with TLS. The proxy expects plain HTTP there, cannot read what comes and closes the connection, or sends
plain HTTP to a server of TLS: clients see `wrong version number`, or status 400.

## Why it happens
- The protocol was copied from another port, or `HTTPS` was meant.
- TLS was to be started by the proxy, and the DestinationRule for it is missing.

## How to fix it
Set the protocol to `HTTPS` or `TLS`. Where the proxy should start TLS for clients of plain HTTP, add a DestinationRule for the host
with `tls.mode: SIMPLE`.

## References
- https://istio.io/latest/docs/ops/common-problems/network-issues/#sending-https-to-an-http-port
- https://istio.io/latest/docs/tasks/traffic-management/egress/egress-tls-origination/
"""

from __future__ import annotations

from collections.abc import Iterator

from diagnostics.mesh._config import settling
from kubedoctor.cluster import Cluster, CustomResource, listed
from kubedoctor.cluster.changes import put
from kubedoctor.findings import (
    Command,
    Confidence,
    Finding,
    Fix,
    Severity,
    command_line,
    diagnostic,
    kubectl,
    quote,
    ref,
)
from kubedoctor.replay.mesh.config import DESTINATION_RULE, NETWORKING, SERVICE_ENTRY, number, rows, text, words
from kubedoctor.replay.mesh.mutual_tls import client_tls
from kubedoctor.replay.mesh.registry import covers, full_name

_HTTPS = 443
_PLAIN = ("HTTP", "HTTP2", "GRPC")
_TLS = ("SIMPLE", "MUTUAL", "ISTIO_MUTUAL")


@diagnostic(
    code="KD6024",
    subject=SERVICE_ENTRY,
    severity=Severity.WARNING,
    reads=(DESTINATION_RULE,),
    symptoms=("wrong version number", "400 Bad Request", "ERR_SSL_PROTOCOL_ERROR"),
)
def entry_protocol(entry: CustomResource, cluster: Cluster) -> Iterator[Finding]:
    hosts = words(entry.spec, "hosts")
    if settling(entry, cluster) or not hosts:
        return
    for at, row in rows(entry.spec, "ports"):
        protocol = text(row.get("protocol")).upper()
        if number(row.get("number")) != _HTTPS or protocol not in _PLAIN:
            continue
        if number(row.get("targetPort")) not in (0, _HTTPS) or _starts_tls(hosts, cluster):
            continue
        path = ("spec", "ports", at, "protocol")
        yield Finding(
            about=ref(entry),
            aspect=str(_HTTPS),
            summary=f"port {_HTTPS} of {listed(hosts, 3)} is declared as {protocol}: proxies do not take the TLS of clients there",
            evidence=(quote(entry, f"spec.ports[{at}].protocol", "clients of port 443 send TLS"),),
            confidence=Confidence.LIKELY,
            would_disprove="clients send plain HTTP to port 443",
            fixes=(Fix("Set the protocol to HTTPS", command_line(put(ref(entry), path, "HTTPS"), entry)),),
            commands=(
                Command(
                    kubectl("get", f"destinationrules.{NETWORKING}", "-A"), "whether a rule starts TLS for the host"
                ),
            ),
        )


def _starts_tls(hosts: tuple[str, ...], cluster: Cluster) -> bool:
    """A DestinationRule makes the proxy start TLS, so that clients send plain HTTP."""
    for rule in cluster.maybe.custom("DestinationRule", NETWORKING):
        written = full_name(text((rule.spec or {}).get("host")), rule.namespace)
        tls = client_tls(rule, "", _HTTPS)
        if tls is not None and tls.mode in _TLS and any(covers(written, host) for host in hosts):
            return True
    return False
