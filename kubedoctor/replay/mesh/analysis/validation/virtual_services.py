"""VirtualServices (Istio, `ValidateVirtualService`)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from kubedoctor.cluster.kinds.meta import CustomResource
from kubedoctor.replay.mesh.analysis.traffic.virtual_services import MESH, is_claim
from kubedoctor.replay.mesh.analysis.validation.http_routes import gateway_names, http_route, route_destinations
from kubedoctor.replay.mesh.analysis.validation.problems import (
    SchemaProblem,
    address_range,
    domain,
    error,
    export_to,
    is_address,
    label_map,
    port_number,
    warning,
)
from kubedoctor.replay.mesh.analysis.validation.shadowing import shadowed
from kubedoctor.replay.mesh.config import part, rows, words
from kubedoctor.replay.mesh.hosts import is_subset, matches

Row = Mapping[str, Any]


def virtual_service(rule: CustomResource) -> Iterator[SchemaProblem]:
    spec = rule.spec or {}
    hosts, gateways = words(spec, "hosts"), words(spec, "gateways")
    if not hosts:
        for name, is_set in (("gateways", gateways), ("tls route", spec.get("tls")), ("tcp route", spec.get("tcp"))):
            if is_set:
                yield error(f"delegate virtual service must have no {name} specified")
    yield from gateway_names(gateways)
    is_bound = bool(gateways) and MESH not in gateways
    if not is_bound:
        yield from _claims(spec, gateways)
    yield from _hosts(hosts, is_for_mesh=not is_bound)
    if not any(spec.get(name) for name in ("http", "tcp", "tls")):
        yield error("http, tcp or tls must be provided in virtual service")
    for _, route in rows(spec, "http"):
        yield from http_route(route, is_delegate=not hosts)
    for _, route in rows(spec, "tls"):
        yield from _tls_route(route, hosts)
    for _, route in rows(spec, "tcp"):
        yield from _tcp_route(route)
    yield from export_to(words(spec, "exportTo"), rule.namespace)
    for protocol in ("http", "tcp", "tls"):
        yield from shadowed(spec, protocol)


def _claims(spec: Row, gateways: tuple[str, ...]) -> Iterator[SchemaProblem]:
    for _, route in rows(spec, "http"):
        for _, match in rows(route, "match"):
            for name in ("headers", "withoutHeaders"):
                for key in filter(is_claim, part(match, name)):
                    where = " ".join(gateways)
                    yield error(f"JWT claim based routing (key: {key}) is only supported for gateway, found: [{where}]")


def _hosts(hosts: tuple[str, ...], *, is_for_mesh: bool) -> Iterator[SchemaProblem]:
    are_valid = True
    for host in hosts:
        problem = next(domain(host), None)
        if problem is not None:
            if not is_address(host):
                yield problem
                are_valid = False
        elif is_for_mesh and host == "*":
            yield error("wildcard host * is not allowed for virtual services bound to the mesh gateway")
            are_valid = False
    for at, host in enumerate(hosts if are_valid else ()):
        for other in hosts[at + 1 :]:
            if matches(host, other):
                yield error(f"duplicate hosts in virtual service: {host} & {other}")


def _tls_route(route: Row, hosts: tuple[str, ...]) -> Iterator[SchemaProblem]:
    if not route.get("match"):
        yield error("TLS route must have at least one match condition")
    for _, match in rows(route, "match"):
        names = words(match, "sniHosts")
        if not names:
            yield error("TLS match must have at least one SNI host")
        for name in names:
            yield from _server_name(name, hosts)
        yield from _tcp_match(match)
    if not route.get("route"):
        yield error("TLS route is required")
    yield from route_destinations(route)


def _server_name(name: str, hosts: tuple[str, ...]) -> Iterator[SchemaProblem]:
    problem = next(domain(name), None)
    if problem is not None:
        if is_address(name):
            yield warning(f'using an IP address ("{name}") goes against SNI spec')
        else:
            yield problem
    elif not any(is_subset(name, host) for host in hosts):
        yield error(f'SNI host "{name}" is not a compatible subset of any of the virtual service hosts')


def _tcp_route(route: Row) -> Iterator[SchemaProblem]:
    for _, match in rows(route, "match"):
        yield from _tcp_match(match)
    if not route.get("route"):
        yield error("TCP route is required")
    yield from route_destinations(route)


def _tcp_match(match: Row) -> Iterator[SchemaProblem]:
    for subnet in words(match, "destinationSubnets"):
        yield from address_range(subnet)
    if match.get("port"):
        yield from port_number(match["port"])
    yield from label_map(part(match, "sourceLabels"))
    yield from gateway_names(words(match, "gateways"))
