"""Istio: VirtualService is for hosts that its Gateway does not accept.

## What it means
A VirtualService is bound to a Gateway, and none of its hosts is a host of that Gateway. The gateway's proxies get none of its
routes: requests for its hosts get 404 with the flag `NR` (`route_not_found`), or fail in the TLS handshake.

## Why it happens
- The Gateway lists other hosts: a new name was added to the VirtualService only.
- `*.example.com` does not stand for `example.com` itself.
- The host of the Gateway has a prefix, `shop/*.example.com` or `./…`: it accepts VirtualServices of that namespace only.

## How to fix it
Add the host to `servers[].hosts` of the Gateway (for HTTPS with a certificate for it), or correct `hosts` of the
VirtualService.

## References
- https://istio.io/latest/docs/reference/config/analysis/ist0132/
- https://istio.io/latest/docs/reference/config/networking/gateway/#Server-hosts
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from diagnostics.mesh._config import MOST_PROXIES, Seen, is_for, requests_seen, settling
from kubedoctor.cluster import Cluster, CustomResource, Pod, Ref, finished, listed
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
from kubedoctor.replay.mesh.access_log import NO_ROUTE, Access
from kubedoctor.replay.mesh.config import GATEWAY, NETWORKING, VIRTUAL_SERVICE, words
from kubedoctor.replay.mesh.gateways import servers_of, serves_host, serving_pods
from kubedoctor.replay.mesh.registry import covers
from kubedoctor.replay.mesh.routes import GatewayName, gateways_of, serves_sidecars

_MOST: Final = 4


@diagnostic(
    code="KD6012",
    subject=VIRTUAL_SERVICE,
    severity=Severity.CRITICAL,
    reads=(GATEWAY, VIRTUAL_SERVICE, Pod),
    also_known_as=("IST0132",),
    symptoms=("404", "NR", "route_not_found"),
)
def host_not_in_gateway(service: CustomResource, cluster: Cluster) -> Iterator[Finding]:
    hosts = words(service.spec, "hosts")
    if settling(service, cluster) or not hosts:
        return
    for named in gateways_of(service):
        gateway = cluster.get_ref(Ref(GATEWAY, named.namespace, named.name))
        if not isinstance(gateway, CustomResource) or not any(server.hosts for server in servers_of(gateway)):
            continue
        left_out = tuple(host for host in hosts if not serves_host(gateway, host, service.namespace))
        if left_out != hosts and serves_sidecars(service):
            continue  # Some of its hosts are for the sidecars.
        seen = _asked_for(service, gateway, left_out, cluster) if left_out else None
        if left_out == hosts or seen is not None:
            yield _finding(service, gateway, named, left_out, seen, cluster)


def _asked_for(
    service: CustomResource, gateway: CustomResource, hosts: tuple[str, ...], cluster: Cluster
) -> Seen | None:
    """A request for one of the hosts that a proxy of the Gateway had no route for."""
    pods = [pod for pod in cluster.maybe.all(Pod) if not finished(pod)]

    def without_route(access: Access) -> bool:
        return NO_ROUTE in access.flags and is_for(service, access) and any(covers(host, access.host) for host in hosts)

    return next(requests_seen(serving_pods(gateway, pods)[:MOST_PROXIES], cluster, without_route), None)


def _finding(
    service: CustomResource,
    gateway: CustomResource,
    named: GatewayName,
    hosts: tuple[str, ...],
    seen: Seen | None,
    cluster: Cluster,
) -> Finding:
    there = list(dict.fromkeys(host for server in servers_of(gateway) for host in server.hosts))
    served = _served_elsewhere(service, hosts, cluster)
    shown = (seen.quoted(f"answered {seen.access.code}: the gateway has no route for the host"),) if seen else ()
    many = "its hosts" if len(hosts) > 1 else "its host"
    text = f"{ref(gateway).title} does not accept {many} {listed(hosts, _MOST)}, only {listed(there, _MOST)}"
    if served is not None:
        text += f"; {ref(served).title} serves {'them' if len(hosts) > 1 else 'it'}"
    severity = None if seen is not None else Severity.NOTICE if served is not None else Severity.WARNING
    return Finding(
        about=ref(service),
        aspect=named.written,
        summary=text,
        evidence=(
            quote(service, "spec.hosts", "hosts of the routes"),
            quote(
                gateway, next(f"{one.path}.hosts" for one in servers_of(gateway) if one.hosts), "hosts of the Gateway"
            ),
            *shown,
        ),
        confidence=Confidence.CERTAIN,
        severity=severity,
        fixes=(
            Fix(f"Add {hosts[0]} to the hosts of the Gateway", edit_command(ref(gateway))),
            Fix("Or correct hosts of the VirtualService", edit_command(ref(service))),
        ),
        commands=(
            Command(
                kubectl("get", f"gateways.{NETWORKING},virtualservices.{NETWORKING}", "-A"), "the hosts of the mesh"
            ),
        ),
    )


def _served_elsewhere(service: CustomResource, hosts: tuple[str, ...], cluster: Cluster) -> CustomResource | None:
    """Another VirtualService with all of its hosts on a Gateway that accepts them: then this one is left over."""
    for other in cluster.maybe.custom("VirtualService", NETWORKING):
        if ref(other) == ref(service) or not set(hosts) <= set(words(other.spec, "hosts")):
            continue
        for named in gateways_of(other):
            gateway = cluster.maybe.get_ref(Ref(GATEWAY, named.namespace, named.name))
            if isinstance(gateway, CustomResource) and all(
                serves_host(gateway, host, other.namespace) for host in hosts
            ):
                return other
    return None
