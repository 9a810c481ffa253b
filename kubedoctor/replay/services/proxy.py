"""Where kube-proxy sends a connection: which Service an address and port belong to, and which endpoints it chooses.

Sources: `pkg/proxy/topology.go`, `pkg/proxy/nftables` and `pkg/proxy/iptables`, v1.37, and what was measured on a node.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import Final

import msgspec

from kubedoctor.cluster.kinds.core import Node, Service, ServicePort
from kubedoctor.cluster.kinds.networking import Endpoint, EndpointSlice

SERVICE_NAME: Final = "kubernetes.io/service-name"
ZONE_LABEL: Final = "topology.kubernetes.io/zone"
NFTABLES, IPTABLES = "nftables", "iptables"


class Fate(StrEnum):
    """SENT: to one of the endpoints. REFUSED, DROPPED: by kube-proxy. LOCAL: to the node itself, where nothing of a
    Service listens. ROUTED: no rule is about it, the node's routes decide."""

    SENT = "sent"
    REFUSED = "refused"
    DROPPED = "dropped"
    LOCAL = "local"
    ROUTED = "routed"


class ProxyEndpoint(msgspec.Struct, frozen=True):
    """An address and port that a Service port leads to, with the endpoint that says so."""

    address: str
    port: int
    endpoint: Endpoint


class ProxyClient(msgspec.Struct, frozen=True):
    """Who connects. outside: from beyond the cluster's nodes. address: None where it is not known."""

    outside: bool = False
    address: str | None = None


class ProxyVerdict(msgspec.Struct, frozen=True):
    """service, port: which a rule is about, if one is. endpoints: those chosen among. why: what left the others out, a
    field of the Service or of its slices; empty where none was."""

    fate: Fate
    service: Service | None = None
    port: ServicePort | None = None
    endpoints: tuple[ProxyEndpoint, ...] = ()
    why: str = ""


class ServiceProxy:
    """kube-proxy on one node. service_ranges: the addresses of Services, where known."""

    def __init__(
        self,
        services: Iterable[Service],
        slices: Iterable[EndpointSlice],
        node: Node | None,
        mode: str = NFTABLES,
        service_ranges: Sequence[str] = (),
        local_ranges: Sequence[str] = ("127.0.0.0/8", "::1/128"),
    ) -> None:
        self._services = tuple(services)
        self._slices: dict[tuple[str, str], list[EndpointSlice]] = {}
        for row in slices:
            self._slices.setdefault((row.namespace, row.labels.get(SERVICE_NAME, "")), []).append(row)
        self._node, self._mode = node, mode
        self._service_ranges, self._local_ranges = service_ranges, local_ranges

    def connect(self, address: str, port: int, protocol: str, client: ProxyClient) -> ProxyVerdict:
        """What becomes of a connection to an address."""
        for service in self._services:
            if address in cluster_ips(service):
                if (found := service_port(service, port, protocol)) is not None:
                    return self._internal(service, found)
                return ProxyVerdict(Fate.REFUSED if self._mode == NFTABLES else Fate.ROUTED, service)
        for service in self._services:
            balanced = address in balancer_ips(service)
            if not balanced and address not in (service.spec.external_ips or ()):
                continue
            if (found := service_port(service, port, protocol)) is None:
                continue
            ranges = service.spec.load_balancer_source_ranges or ()
            if balanced and ranges and not _in_ranges(client.address, ranges):
                return ProxyVerdict(Fate.DROPPED, service, found, why="spec.loadBalancerSourceRanges")
            return self._external(service, found, client)
        if self._serves_node_ports(address):
            for service in self._services:
                for row in service.spec.ports or ():
                    if row.node_port == port and port and (row.protocol or "TCP") == protocol:
                        return self._external(service, row, client)
        if self._is_local(address):
            return ProxyVerdict(Fate.LOCAL)
        if _in_ranges(address, self._service_ranges):
            return ProxyVerdict(Fate.DROPPED if self._mode == NFTABLES else Fate.ROUTED)
        return ProxyVerdict(Fate.ROUTED)

    def healthy_locally(self, service: Service) -> bool:
        """What the health check's node port says: whether a ready endpoint is on this node."""
        rows = [self._endpoints(service, port) for port in service.spec.ports or ()]
        return any(self._here(row.endpoint) and row.endpoint.is_ready for found in rows for row in found)

    def _internal(self, service: Service, port: ServicePort) -> ProxyVerdict:
        if service.spec.internal_traffic_policy == "Local":
            return self._local(service, port, "spec.internalTrafficPolicy")
        return self._anywhere(service, port)

    def _external(self, service: Service, port: ServicePort, client: ProxyClient) -> ProxyVerdict:
        """`externalTrafficPolicy: Local` binds only clients outside of the cluster."""
        if service.spec.external_traffic_policy == "Local" and client.outside:
            return self._local(service, port, "spec.externalTrafficPolicy")
        return self._anywhere(service, port)

    def _anywhere(self, service: Service, port: ServicePort) -> ProxyVerdict:
        rows = self._endpoints(service, port)
        ready = [row for row in rows if row.endpoint.is_ready]
        if not ready:
            last = tuple(row for row in rows if row.endpoint.serves_to_the_end)
            fate = Fate.SENT if last else Fate.REFUSED
            return ProxyVerdict(fate, service, port, last, "conditions.terminating" if last else "")
        near = self._hinted(ready)
        return ProxyVerdict(Fate.SENT, service, port, tuple(near or ready), "hints" if near else "")

    def _local(self, service: Service, port: ServicePort, policy: str) -> ProxyVerdict:
        rows = self._endpoints(service, port)
        usable = [row for row in rows if row.endpoint.is_ready or row.endpoint.serves_to_the_end]
        here = [row for row in usable if self._here(row.endpoint)]
        chosen = [row for row in here if row.endpoint.is_ready] or here
        if chosen:
            return ProxyVerdict(Fate.SENT, service, port, tuple(chosen), policy)
        return ProxyVerdict(Fate.DROPPED if usable else Fate.REFUSED, service, port, (), policy if usable else "")

    def _hinted(self, ready: Sequence[ProxyEndpoint]) -> list[ProxyEndpoint]:
        """Those for this node or zone, where every ready endpoint has a hint; else none, and hints do not count."""
        zone = self._node.labels.get(ZONE_LABEL, "") if self._node is not None else ""
        for key, own in (("for_nodes", self._node.name if self._node is not None else ""), ("for_zones", zone)):
            hints = [getattr(row.endpoint.hints, key, None) for row in ready]
            if own and all(hints):
                near = [
                    row
                    for row, places in zip(ready, hints, strict=True)
                    if own in [place.name for place in places or ()]
                ]
                if near:
                    return near
        return []

    def _endpoints(self, service: Service, port: ServicePort) -> list[ProxyEndpoint]:
        found: dict[tuple[str, int], ProxyEndpoint] = {}
        for row in self._slices.get((service.namespace, service.name), ()):
            for entry in row.ports or ():
                if (entry.name or "") != port.name or (entry.protocol or "TCP") != (port.protocol or "TCP"):
                    continue
                for endpoint in row.endpoints or ():
                    for address in (endpoint.addresses or ())[:1]:
                        number = entry.port or 0
                        found.setdefault((address, number), ProxyEndpoint(address, number, endpoint))
        return list(found.values())

    def _here(self, endpoint: Endpoint) -> bool:
        return self._node is not None and endpoint.node_name == self._node.name

    def _serves_node_ports(self, address: str) -> bool:
        """nftables mode serves node ports at the node's primary address only, iptables mode at every local one."""
        if self._mode == NFTABLES:
            return address in self._node_addresses()[:1]
        return self._is_local(address)

    def _is_local(self, address: str) -> bool:
        return address in self._node_addresses() or _in_ranges(address, self._local_ranges)

    def _node_addresses(self) -> list[str]:
        addresses = self._node.status.addresses if self._node is not None else None
        return [row.address for row in addresses or () if row.type in ("InternalIP", "ExternalIP")]


def cluster_ips(service: Service) -> tuple[str, ...]:
    """The Service's own addresses; none if it is headless."""
    addresses = service.spec.cluster_ips or (service.spec.cluster_ip,)
    return tuple(address for address in addresses if address not in ("", "None"))


def balancer_ips(service: Service) -> tuple[str, ...]:
    """The addresses of its load balancer."""
    return tuple(row.ip for row in service.status.load_balancer.ingress or () if row.ip)


def service_port(service: Service, port: int, protocol: str) -> ServicePort | None:
    """The Service's port of that number and protocol."""
    rows = (row for row in service.spec.ports or () if row.port == port and (row.protocol or "TCP") == protocol)
    return next(rows, None)


def _in_ranges(address: str | None, ranges: Iterable[str]) -> bool:
    if address is None:
        return False
    try:
        parsed = ipaddress.ip_address(address)
        return any(parsed in ipaddress.ip_network(text.strip(), strict=False) for text in ranges)
    except ValueError:
        return False
