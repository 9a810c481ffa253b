"""What the sidecar of a workload does with a request that its program sends: listener, virtual host, rule, cluster (Istio,
`pilot/pkg/networking/core/listener.go`, `httproute.go`, `pilot/pkg/simulation/traffic.go`; 1.31).

Listeners with an address or capture mode of their own, rules for TCP and TLS, and ports of the protocol HTTP_PROXY are
left out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.replay.mesh.config import number, part
from kubedoctor.replay.mesh.egress import BLACK_HOLE, PASSTHROUGH
from kubedoctor.replay.mesh.scope.http_matching import HTTPRequest
from kubedoctor.replay.mesh.scope.services import UNSPECIFIED, MeshPort, MeshService
from kubedoctor.replay.mesh.scope.settings import ALLOW_ANY
from kubedoctor.replay.mesh.scope.sidecars import EgressListener, SidecarScope
from kubedoctor.replay.mesh.scope.virtual_hosts import MeshRoute, RouteCluster, VirtualHosts

UNKNOWN_ALLOWED: Final = "allow_any"
UNKNOWN_BLOCKED: Final = "block_all"
"""The names of the virtual host, and of its route, for hosts that the sidecar does not know."""
_BAD_GATEWAY: Final = 502
_MOVED: Final = 301
_REDIRECTS: Final = (301, 302, 303, 307, 308)


class RoutedRequest(NamedTuple):
    """What becomes of a request. `virtual_host`: empty where the connection is taken as TCP; `route`: None where no rule
    matched and for unknown hosts; `clusters`: Istio's own names; `redirect`, `answer`: the status that the sidecar itself
    answers with."""

    virtual_host: str = ""
    route: MeshRoute | None = None
    route_name: str = ""
    clusters: tuple[RouteCluster, ...] = ()
    special: str = ""
    redirect: int = 0
    answer: int = 0

    @property
    def is_unmatched(self) -> bool:
        """No rule of the virtual host takes the request: the client gets 404."""
        return bool(self.virtual_host) and self.route is None and not self.special and not self.answer


class _Listener(NamedTuple):
    """`tcp`: where a connection goes that is no HTTP; `http`: whether it is looked into; `alone`: the host of the service
    that it is for alone; `locked`: by an egress listener with a port of its own."""

    egress: EgressListener
    http: bool
    tcp: RouteCluster | None
    alone: str
    egress_index: int


class OutboundProxy:
    """The listeners of one workload's sidecar. `endpoints`: addresses by namespace and name of a headless Service."""

    def __init__(
        self, pod: Pod, scope: SidecarScope, endpoints: Mapping[tuple[str, str], tuple[str, ...]] | None = None
    ) -> None:
        self._pod = pod
        self._scope = scope
        self._endpoints = endpoints or {}
        self._listeners: dict[tuple[str, int], _Listener] = {}
        self._virtual_hosts: dict[tuple[int, int], VirtualHosts] = {}
        for at, egress in enumerate(scope.listeners):
            for service in egress.services:
                if egress.port:
                    self._add(at, egress, service, MeshPort("", egress.port, egress.protocol), UNSPECIFIED)
                    continue
                for port in service.ports:
                    for bind in self._binds(service, port):
                        self._add(at, egress, service, port, bind)

    def send(self, address: str, port: int, request: HTTPRequest) -> RoutedRequest:
        """`address`: where the program connects to."""
        listener = self._listeners.get((address, port)) or self._listeners.get((UNSPECIFIED, port))
        if listener is None:
            return RoutedRequest(special=PASSTHROUGH if self._scope.outbound == ALLOW_ANY else BLACK_HOLE)
        if not listener.http:
            return RoutedRequest(clusters=(listener.tcp,) if listener.tcp is not None else ())
        hosts = self._hosts(listener, port)
        found = hosts.of_service(listener.alone) if listener.alone else hosts.find(request.host)
        if found is None:
            return self._unknown(listener)
        route = found.route(request)
        if route is None:
            return RoutedRequest(found.name)
        redirect, direct = part(route.rule, "redirect"), part(route.rule, "directResponse")
        code = (number(redirect.get("redirectCode")) or _MOVED) if redirect else 0
        return RoutedRequest(
            found.name,
            route,
            route.name,
            hosts.clusters(route),
            redirect=code if code in _REDIRECTS else 0,
            answer=number(direct.get("status")) if direct and not redirect else 0,
        )

    def rules(self, address: str, port: int, host: str) -> tuple[tuple[MeshRoute, tuple[RouteCluster, ...]], ...]:
        """The rules for a host with where each leads, in the order in which they are tried; none where the proxy does
        not look into the connection."""
        listener = self._listeners.get((address, port)) or self._listeners.get((UNSPECIFIED, port))
        if listener is None or not listener.http:
            return ()
        hosts = self._hosts(listener, port)
        found = hosts.of_service(listener.alone) if listener.alone else hosts.find(host)
        return tuple((route, hosts.clusters(route)) for route in found.routes) if found is not None else ()

    def _unknown(self, listener: _Listener) -> RoutedRequest:
        if listener.alone:
            return RoutedRequest()
        if self._scope.outbound == ALLOW_ANY:
            return RoutedRequest(UNKNOWN_ALLOWED, None, UNKNOWN_ALLOWED, special=PASSTHROUGH)
        return RoutedRequest(UNKNOWN_BLOCKED, None, UNKNOWN_BLOCKED, answer=_BAD_GATEWAY)

    def _hosts(self, listener: _Listener, port: int) -> VirtualHosts:
        """Rules are looked up in the first egress listener for the port, whichever made the listener."""
        at = next((at for at, egress in enumerate(self._scope.listeners) if egress.port in (0, port)), None)
        at = listener.egress_index if at is None else at
        if (at, port) not in self._virtual_hosts:
            self._virtual_hosts[(at, port)] = VirtualHosts(self._pod, self._scope.listeners[at], port)
        return self._virtual_hosts[(at, port)]

    def _binds(self, service: MeshService, port: MeshPort) -> tuple[str, ...]:
        if port.is_http:
            return (UNSPECIFIED,)
        address = service.addresses[0]
        if service.resolution != "Passthrough" or address != UNSPECIFIED or port.protocol not in ("", "tcp"):
            return (UNSPECIFIED if "/" in address else address,)
        if not service.is_kubernetes:
            return (UNSPECIFIED,)
        there = self._endpoints.get((service.namespace, service.name), ())
        return tuple(one for one in there if one != self._pod.status.pod_ip)

    def _add(self, at: int, egress: EgressListener, service: MeshService, port: MeshPort, bind: str) -> None:
        if service.resolution == "Alias" or port.protocol == "udp":
            return
        key = (bind, port.port)
        known = self._listeners.get(key)
        if known is not None and known.egress_index != at:
            return
        tcp = None if port.is_http else RouteCluster(service.host, port.port, "")
        alone = service.host if not port.protocol and bind != UNSPECIFIED else ""
        if known is None:
            self._listeners[key] = _Listener(egress, port.may_be_http, tcp, alone, at)
        elif {port.protocol, "mongo", "mysql"} == {"mongo", "mysql"}:
            return
        else:
            self._listeners[key] = known._replace(http=known.http or port.may_be_http, tcp=known.tcp or tcp)
