"""ServiceEntries and WorkloadEntries (Istio, `ValidateServiceEntry`, `validateWorkloadEntry`)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from kubedoctor.cluster.kinds.meta import CustomResource
from kubedoctor.replay.mesh.analysis.validation.gateways import UNIX, unix_address
from kubedoctor.replay.mesh.analysis.validation.problems import (
    HTTP,
    TCP,
    TLS,
    SchemaProblem,
    address_range,
    domain,
    error,
    export_to,
    is_address,
    is_domain,
    label_map,
    partial_wildcard,
    port_name,
    port_number,
    protocol,
    selector,
    warning,
)
from kubedoctor.replay.mesh.config import number, part, rows, text, words

Row = Mapping[str, Any]
_DYNAMIC: Final = frozenset({"http", "tls", "grpc", "http2"})


def service_entry(entry: CustomResource) -> Iterator[SchemaProblem]:
    spec = entry.spec or {}
    hosts, addresses = words(spec, "hosts"), words(spec, "addresses")
    resolution = text(spec.get("resolution")) or "NONE"
    ports = [row for _, row in rows(spec, "ports")]
    wrong = list(selector(spec, "workloadSelector", "labels", "service entry: "))
    yield from wrong
    if any(problem.code == "IST0106" for problem in wrong):
        return
    if spec.get("workloadSelector") is not None and spec.get("endpoints"):
        yield error("only one of WorkloadSelector or Endpoints is allowed in Service Entry")
    yield from _hosts(hosts, resolution)
    for written in addresses:
        yield from address_range(written)
    if any("/" in written for written in addresses) and resolution not in ("NONE", "STATIC"):
        yield error("CIDR addresses are allowed only for NONE/STATIC resolution types")
    yield from _ports(ports, needs_address=not addresses and resolution == "NONE")
    yield from _by_resolution(spec, resolution, hosts, ports)
    if resolution != "NONE" and len(hosts) > 1 and any(_protocol(row) not in HTTP | TLS for row in ports):
        yield error("multiple hosts provided with non-HTTP, non-TLS ports")
    yield from export_to(words(spec, "exportTo"), entry.namespace, "ServiceEntry")


def _protocol(row: Row) -> str:
    return text(row.get("protocol")).lower()


def _hosts(hosts: tuple[str, ...], resolution: str) -> Iterator[SchemaProblem]:
    if not hosts:
        yield error("service entry must have at least one host")
    for host in hosts:
        if host == "*":
            yield error("invalid host *")
            continue
        yield from domain(host)
        if resolution != "DYNAMIC_DNS" and partial_wildcard(host):
            yield warning(f'partial wildcard "{host}" not allowed')


def _ports(ports: list[Row], *, needs_address: bool) -> Iterator[SchemaProblem]:
    names, numbers = set(), set()
    for row in ports:
        name, port = text(row.get("name")), number(row.get("number"))
        if name in names:
            yield error(f'service entry port name "{name}" already defined')
        if port in numbers:
            yield error(f"service entry port {port} already defined")
        names.add(name)
        numbers.add(port)
        if row.get("targetPort"):
            yield from port_number(row["targetPort"])
        if needs_address and text(row.get("protocol")) in ("", "TCP"):
            yield warning("addresses are required for ports serving TCP when IP Autoallocation is not enabled")
        yield from port_name(name)
        yield from protocol(text(row.get("protocol")))
        yield from port_number(row.get("number"))


def _by_resolution(spec: Row, resolution: str, hosts: tuple[str, ...], ports: list[Row]) -> Iterator[SchemaProblem]:
    endpoints = [row for _, row in rows(spec, "endpoints")]
    names = {text(row.get("name")) for row in ports}
    if resolution == "NONE":
        if endpoints:
            yield error("no endpoints should be provided for resolution type none")
        if spec.get("workloadSelector") is not None:
            yield warning("workloadSelector should not be set when resolution mode is NONE")
    elif resolution == "STATIC":
        for endpoint in endpoints:
            yield from workload(endpoint, names, may_be_name=False)
    elif resolution in ("DNS", "DNS_ROUND_ROBIN"):
        yield from _names(resolution, hosts, endpoints, names)
        has_tcp = any(_protocol(row) in TCP for row in ports)
        if words(spec, "addresses") and has_tcp and len(hosts) > 1:
            yield warning("service entry can not have more than one host specified with address and tcp port")
    elif resolution == "DYNAMIC_DNS":
        yield from _dynamic(spec, hosts, endpoints, ports)


def _names(resolution: str, hosts: tuple[str, ...], endpoints: list[Row], names: set[str]) -> Iterator[SchemaProblem]:
    if not endpoints and (wrong := next((host for host in hosts if not is_domain(host)), None)) is not None:
        yield error(f'hosts must be FQDN if no endpoints are provided for resolution mode {resolution}: "{wrong}"')
    if resolution == "DNS_ROUND_ROBIN" and len(endpoints) > 1:
        yield error("there must only be 0 or 1 endpoint for resolution mode DNS_ROUND_ROBIN")
    for endpoint in endpoints:
        address = text(endpoint.get("address"))
        if not is_address(address) and not is_domain(address):
            yield error(f'endpoint address "{address}" is not a valid FQDN or an IP address')
        yield from label_map(part(endpoint, "labels"))
        yield from _endpoint_ports(endpoint, names)


def _dynamic(spec: Row, hosts: tuple[str, ...], endpoints: list[Row], ports: list[Row]) -> Iterator[SchemaProblem]:
    if not hosts:
        yield error("at least one wildcard host must be provided for resolution type DYNAMIC_DNS")
    if any(not host.startswith("*") for host in hosts):
        yield error("host must be wildcarded for resolution mode DYNAMIC_DNS")
    for name, is_set in (("addresses", words(spec, "addresses")), ("endpoints", endpoints)):
        if is_set:
            yield error(f"{name} cannot be set for resolution type DYNAMIC_DNS")
    if any(_protocol(row) not in _DYNAMIC for row in ports):
        yield error("only HTTP, TLS, GRPC, and HTTP2 protocols are supported for resolution type DYNAMIC_DNS")


def _endpoint_ports(endpoint: Row, names: set[str] | None) -> Iterator[SchemaProblem]:
    for name, port in part(endpoint, "ports").items():
        if names is not None and name not in names:
            yield error(f"endpoint port {port} is not defined by the service entry")
        yield from port_name(name)
        yield from port_number(port)


def workload_entry(entry: CustomResource) -> Iterator[SchemaProblem]:
    yield from workload(entry.spec or {}, None, may_be_name=True)


def workload(spec: Row, names: set[str] | None, *, may_be_name: bool) -> Iterator[SchemaProblem]:
    """`names`: of the ports of the ServiceEntry, where it belongs to one."""
    address = text(spec.get("address"))
    is_socket = address.startswith(UNIX)
    if not address:
        if not spec.get("network"):
            yield error("address is required")
            return
        yield warning(f'address is unset with network "{spec["network"]}"')
    elif is_socket:
        yield from unix_address(address.removeprefix(UNIX))
        if spec.get("ports"):
            yield error(f"unix endpoint {address} must not include ports")
    elif not is_address(address):
        if not may_be_name:
            yield error(f'endpoint address "{address}" is not a valid IP address')
        elif not is_domain(address):
            yield error(f'endpoint address "{address}" is not a valid FQDN or an IP address')
    yield from _endpoint_ports(spec, names)
    yield from label_map(part(spec, "labels"))
    if is_socket and names is not None and len(names) != 1:
        yield error("exactly 1 service port required for unix endpoints")
