"""What a gateway does with a request from outside: the server of a Gateway that takes it, the VirtualServices bound there, the rule
(Istio, `pilot/pkg/model/gateway.go`, MergeGateways; `pilot/pkg/networking/core/gateway.go`; 1.31).

Servers with `bind` of their own, and QUIC, are left out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from kubedoctor.cluster.grammar.selectors import selector_from_map
from kubedoctor.cluster.kinds.meta import CustomResource
from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.replay.mesh.attachment import age
from kubedoctor.replay.mesh.config import labels, number, part, rows, text, words
from kubedoctor.replay.mesh.gateways import GatewayServer, servers_of
from kubedoctor.replay.mesh.hosts import intersection, most_specific, visible_hosts
from kubedoctor.replay.mesh.registry import covers, full_name
from kubedoctor.replay.mesh.routes import gateways_of, named_gateway
from kubedoctor.replay.mesh.scope.http_matching import HTTPRequest, matches_all, request_matches
from kubedoctor.replay.mesh.scope.services import MeshService
from kubedoctor.replay.mesh.scope.settings import EVERYWHERE
from kubedoctor.replay.mesh.scope.virtual_hosts import MeshRoute, RouteCluster
from kubedoctor.replay.mesh.scope.virtual_services import MeshVirtualService

_HTTP: Final = ("HTTP", "HTTP2", "GRPC", "GRPC-WEB")
_BY_NAME: Final = ("PASSTHROUGH", "AUTO_PASSTHROUGH")


class OpenServer(NamedTuple):
    """A server of a Gateway, on the proxy that opens its port."""

    gateway: CustomResource
    server: GatewayServer

    @property
    def protocol(self) -> str:
        return text(part(self.server.spec, "port").get("protocol")).upper()

    @property
    def tls_mode(self) -> str:
        return text(part(self.server.spec, "tls").get("mode")).upper()

    @property
    def terminates(self) -> bool:
        """Whether the gateway shows a certificate of its own."""
        return self.protocol in ("HTTPS", "TLS") and self.tls_mode not in _BY_NAME

    @property
    def is_http(self) -> bool:
        """Whether it looks into the requests."""
        return self.protocol in _HTTP or (self.protocol == "HTTPS" and self.terminates)

    @property
    def redirects(self) -> bool:
        """All requests, to HTTPS."""
        return self.protocol in _HTTP and part(self.server.spec, "tls").get("httpsRedirect") is True

    def takes(self, host: str) -> bool:
        """Whether the host is one of its own, in whichever namespace the rules for it stand."""
        return any(covers(written.rpartition("/")[2], host) for written in self.server.hosts)


class GatewayRoute(NamedTuple):
    """`servers`: those of the port that take the host; `bound`: the VirtualServices for the host there, the oldest first;
    `route`: None where no rule takes the request."""

    servers: tuple[OpenServer, ...]
    bound: tuple[MeshVirtualService, ...] = ()
    route: MeshRoute | None = None
    clusters: tuple[RouteCluster, ...] = ()


class GatewayProxy:
    """The servers of one gateway's proxy. `services`: the mesh's by host."""

    def __init__(
        self,
        pod: Pod,
        gateways: Iterable[CustomResource],
        rules: Sequence[MeshVirtualService],
        services: Mapping[str, MeshService],
    ) -> None:
        self._pod = pod
        self._rules = [rule for rule in rules if {EVERYWHERE, pod.namespace} & rule.visible]
        self._services = services
        self.servers = tuple(
            OpenServer(gateway, server)
            for gateway in sorted(gateways, key=age)
            if selector_from_map(labels(gateway.spec, "selector")).matches(pod.labels)
            for server in servers_of(gateway)
        )

    def at(self, port: int) -> tuple[OpenServer, ...]:
        return tuple(one for one in self.servers if one.server.port == port)

    def bound_to(self, one: OpenServer) -> Iterator[tuple[MeshVirtualService, tuple[str, ...]]]:
        """The VirtualServices that name the Gateway, with the hosts that the server lets them have."""
        own = (one.gateway.namespace, one.gateway.name)
        for rule in self._rules:
            if any((named.namespace, named.name) == own for named in gateways_of(rule.obj)):
                hosts = intersection(rule.hosts, visible_hosts(_spelt(one), rule.obj.namespace))
                if hosts:
                    yield rule, hosts

    def send(self, port: int, request: HTTPRequest) -> GatewayRoute:
        """A request for a host to a port of the gateway."""
        servers = tuple(one for one in self.at(port) if one.takes(request.host))
        if servers and servers[0].terminates:  # One filter chain for a name: the first server has it.
            servers = servers[:1]
        names: dict[str, list[tuple[MeshVirtualService, OpenServer]]] = {}
        for one in servers:
            for rule, hosts in self.bound_to(one):
                for host in hosts:
                    names.setdefault(host, []).append((rule, one))
        best = most_specific(request.host, names)
        mine = sorted(names[best], key=lambda pair: age(pair[0].obj)) if best is not None else []
        bound = tuple({rule.key: rule for rule, _ in mine}.values())
        for rule, one in mine:
            if (route := self._route(rule, one, port, request)) is not None:
                return GatewayRoute(servers, bound, route, self._clusters(route, port))
        return GatewayRoute(servers, bound)

    def routes(self, one: OpenServer, rule: MeshVirtualService) -> Iterator[tuple[MeshRoute, tuple[RouteCluster, ...]]]:
        """The rules of a VirtualService for a server, with where each leads."""
        for route in self._of(rule, one, one.server.port):
            yield route, self._clusters(route, one.server.port)

    def _route(self, rule: MeshVirtualService, one: OpenServer, port: int, request: HTTPRequest) -> MeshRoute | None:
        return next(
            (
                route
                for route in self._of(rule, one, port)
                if (request_matches(route.match, request) if one.is_http else _is_sni(route.match, request.host))
            ),
            None,
        )

    def _of(self, rule: MeshVirtualService, one: OpenServer, port: int) -> Iterator[MeshRoute]:
        protocol = "http" if one.is_http else "tls" if one.tls_mode in _BY_NAME else "tcp"
        written = rule.http if protocol == "http" else tuple(row for _, row in rows(rule.obj.spec, protocol))
        for row in written:
            name = text(row.get("name"))
            found = [match for _, match in rows(row, "match")] or [{}]
            for match in found:
                if self._is_for(match, rule, one, port):
                    yield MeshRoute(name, match, row, rule)
                    if protocol == "http" and matches_all(match):
                        return

    def _is_for(self, match: Mapping[str, Any], rule: MeshVirtualService, one: OpenServer, port: int) -> bool:
        wanted = number(match.get("port"))
        if wanted and wanted != port:
            return False
        names = [named_gateway(word, rule.obj.namespace) for word in words(match, "gateways")]
        if names:
            return (one.gateway.namespace, one.gateway.name) in names
        space = text(match.get("sourceNamespace"))
        selected = selector_from_map(labels(match, "sourceLabels")).matches(self._pod.labels)
        return selected and space in ("", self._pod.namespace)

    def _clusters(self, route: MeshRoute, port: int) -> tuple[RouteCluster, ...]:
        if part(route.rule, "redirect") or part(route.rule, "directResponse"):
            return ()
        targets = [(part(row, "destination"), number(row.get("weight"))) for _, row in rows(route.rule, "route")]
        alone = len(targets) == 1
        return tuple(
            self._cluster(target, route, port, 0 if alone else weight) for target, weight in targets if alone or weight
        )

    def _cluster(self, target: Mapping[str, Any], route: MeshRoute, port: int, weight: int) -> RouteCluster:
        space = route.origin.obj.namespace if route.origin is not None else ""
        host = full_name(text(target.get("host")), space)
        known = self._services.get(host)
        only = known.ports[0].port if known is not None and len(known.ports) == 1 else port
        return RouteCluster(
            host, number(part(target, "port").get("number")) or only, text(target.get("subset")), weight
        )


def _spelt(one: OpenServer) -> list[str]:
    """Its hosts, `.` written as the namespace that it means."""
    own = one.gateway.namespace
    return [f"{own}{host[1:]}" if host.startswith("./") else host for host in one.server.hosts]


def _is_sni(match: Mapping[str, Any], host: str) -> bool:
    names = words(match, "sniHosts")
    return not names or any(covers(name, host) for name in names)
