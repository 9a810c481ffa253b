"""Istio: rules for HTTP at a port that is TCP for the proxy.

## What it means
Istio reads the protocol of a port from its name (`http-web`) or from `appProtocol`. At a port that is declared as TCP or TLS the
proxies pass bytes: routes, retries, timeouts and faults for HTTP have no effect, and no request appears in the metrics.

## Why it happens
- The port is called `tcp-web`, or `https` although clients send plain HTTP.
- `appProtocol: tcp` was set for another program that reads it.

## How to fix it
Name the port after what it carries (`http`, `http2`, `grpc` with or without a suffix), or set `appProtocol`.

## References
- https://istio.io/latest/docs/ops/configuration/traffic-management/protocol-selection/
- https://istio.io/latest/docs/reference/config/analysis/ist0118/
"""

from __future__ import annotations

from collections.abc import Iterator

from diagnostics.mesh._config import services, settling
from kubedoctor.cluster import Cluster, CustomResource, Service, ServicePort
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
from kubedoctor.replay.mesh.config import VIRTUAL_SERVICE, rows, words
from kubedoctor.replay.mesh.registry import full_name
from kubedoctor.replay.mesh.routes import serves_sidecars
from kubedoctor.replay.mesh.scope.services import MeshPort, port_protocol


@diagnostic(
    code="KD6023",
    subject=VIRTUAL_SERVICE,
    severity=Severity.WARNING,
    reads=(Service,),
    symptoms=("route has no effect", "timeout has no effect"),
)
def http_rules_for_tcp_port(service: CustomResource, cluster: Cluster) -> Iterator[Finding]:
    if settling(service, cluster) or not serves_sidecars(service) or not any(rows(service.spec, "http")):
        return
    if any(any(rows(service.spec, protocol)) for protocol in ("tls", "tcp")):
        return  # It has rules for such a port too.
    for at, host in enumerate(words(service.spec, "hosts")):
        known = services(cluster).find(full_name(host, service.namespace), service.namespace)
        if known is None or known.service is None:
            continue
        ports = [row for row in known.service.spec.ports or () if (row.protocol or "TCP") == "TCP"]
        if ports and not any(_may_be_http(row) for row in ports):
            yield _finding(service, at, known.service, ports[0])


def _may_be_http(row: ServicePort) -> bool:
    protocol = port_protocol(row.port, row.name, row.protocol or "TCP", row.app_protocol)
    return MeshPort(row.name, row.port, protocol).may_be_http


def _finding(rule: CustomResource, at: int, service: Service, row: ServicePort) -> Finding:
    protocol = port_protocol(row.port, row.name, row.protocol or "TCP", row.app_protocol)
    index = next(index for index, one in enumerate(service.spec.ports or ()) if one is row)
    field = "appProtocol" if row.app_protocol else "name" if row.name else "port"
    shown = {"appProtocol": f"appProtocol {row.app_protocol}", "name": f"its name {row.name}"}.get(field, "its number")
    change = put(ref(service), ("spec", "ports", index, "appProtocol"), "http")
    return Finding(
        about=ref(rule),
        aspect=ref(service).title,
        summary=f"its rules for HTTP have no effect: port {row.port} of {ref(service).title} is {protocol.upper()} by {shown}",
        evidence=(
            quote(rule, f"spec.hosts[{at}]", "the host of the rules"),
            quote(service, f"spec.ports[{index}].{field}", f"makes the port {protocol.upper()} for the proxies"),
        ),
        confidence=Confidence.CERTAIN,
        affects=(ref(service),),
        fixes=(
            Fix(
                f"Set appProtocol http at port {row.port}, if clients send plain HTTP there",
                command_line(change, service),
            ),
        ),
        commands=(
            Command(
                kubectl("get", "service", service.name, "-o", "yaml", namespace=service.namespace),
                "names and protocols of its ports",
            ),
        ),
    )
