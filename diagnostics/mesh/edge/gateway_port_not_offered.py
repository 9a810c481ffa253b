"""Istio: no Service leads to a port of a Gateway.

## What it means
The gateway's proxies open the port, but the Services that select their pods do not have it: from outside, and by the name of the
Service, no connection gets there. Other ports of the Gateway work.

## Why it happens
- The port was added to the Gateway and not to the Service of the gateway, or to the values of its chart.
- The Gateway names the number of another gateway's Service.

## How to fix it
Add the port to the Service of the gateway's pods, or use one that it has.

## References
- https://istio.io/latest/docs/reference/config/analysis/ist0162/
- https://istio.io/latest/docs/reference/config/networking/gateway/#Server
"""

from __future__ import annotations

from collections.abc import Iterator

from diagnostics.mesh._config import settling
from kubedoctor.cluster import Cluster, CustomResource, Pod, Service, finished, listed, services_selecting
from kubedoctor.findings import (
    Command,
    Confidence,
    Finding,
    Fix,
    Severity,
    diagnostic,
    edit_command,
    kubectl,
    quote,
    ref,
)
from kubedoctor.replay.mesh.config import GATEWAY
from kubedoctor.replay.mesh.gateways import servers_of, serving_pods


@diagnostic(
    code="KD6020",
    subject=GATEWAY,
    severity=Severity.WARNING,
    reads=(Pod, Service),
    also_known_as=("IST0162",),
    symptoms=("connection refused", "connection timed out"),
)
def gateway_port_not_offered(gateway: CustomResource, cluster: Cluster) -> Iterator[Finding]:
    if settling(gateway, cluster):
        return
    pods = serving_pods(gateway, [pod for pod in cluster.all(Pod) if not finished(pod)])
    services = {ref(one): one for pod in pods for one in services_selecting(pod, cluster)}
    if not services or any(pod.spec.host_network for pod in pods):
        return
    offered = {number for one in services.values() for number in _numbers(one)}
    offered |= {
        port.host_port for pod in pods for row in pod.spec.containers for port in row.ports or () if port.host_port
    }
    told = set()
    for server in servers_of(gateway):
        if not server.port or server.port in offered or server.port in told:
            continue
        told.add(server.port)
        first = next(iter(services.values()))
        ports = [str(row.port) for row in first.spec.ports or ()]
        yield Finding(
            about=ref(gateway),
            aspect=str(server.port),
            summary=f"no Service of the gateway's pods has port {server.port}: {ref(first).title} has {listed(ports, 4)}",
            evidence=(
                quote(gateway, f"{server.path}.port.number", "opened by the proxy only"),
                quote(first, "spec.ports", "the ports that lead to the gateway"),
            ),
            confidence=Confidence.CERTAIN,
            affects=(ref(first),),
            fixes=(
                Fix(f"Add port {server.port} to {ref(first).title}", edit_command(ref(first))),
                Fix(f"Or use a port that it has: {listed(ports, 4)}", edit_command(ref(gateway))),
            ),
            commands=(Command(kubectl("get", "services", namespace=first.namespace), "the Services and their ports"),),
        )


def _numbers(service: Service) -> Iterator[int]:
    """A Gateway may name the port of the Service or the one that it leads to."""
    for row in service.spec.ports or ():
        yield row.port
        if str(row.target_port).isdigit():
            yield int(str(row.target_port))
