"""The virtual hosts of a port of a sidecar: which names lead to which rules (Istio, `pilot/pkg/networking/core/httproute.go`,
`core/route/route.go`; 1.31)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from kubedoctor.cluster.grammar.selectors import selector_from_map
from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.replay.mesh.config import labels, number, part, rows, text, words
from kubedoctor.replay.mesh.hosts import is_wildcard, matches, most_specific
from kubedoctor.replay.mesh.registry import DOMAIN, full_name
from kubedoctor.replay.mesh.routes import MESH
from kubedoctor.replay.mesh.scope.http_matching import HTTPRequest, matches_all, request_matches
from kubedoctor.replay.mesh.scope.services import UNSPECIFIED, MeshService
from kubedoctor.replay.mesh.scope.sidecars import EgressListener
from kubedoctor.replay.mesh.scope.virtual_services import MeshVirtualService

_HTTP_PORT: Final = 80
_DEFAULT: Final = "default"


class MeshRoute(NamedTuple):
    """A rule with one of its matches, for one port. `rule`: as plain data, empty for the route of a service itself;
    `match`: empty for all requests; `origin`: None for a service itself; `service`: whose route it is then."""

    name: str
    match: Mapping[str, Any]
    rule: Mapping[str, Any]
    origin: MeshVirtualService | None
    service: MeshService | None = None


class RouteCluster(NamedTuple):
    """A set of endpoints that the proxy sends requests to. `weight`: 0 where there is no other."""

    host: str
    port: int
    subset: str
    weight: int = 0

    @property
    def name(self) -> str:
        return f"outbound|{self.port}|{self.subset}|{self.host}"


class VirtualHost(NamedTuple):
    name: str
    domains: tuple[str, ...]
    routes: tuple[MeshRoute, ...]

    def route(self, request: HTTPRequest) -> MeshRoute | None:
        """The first rule that takes the request."""
        return next((route for route in self.routes if request_matches(route.match, request)), None)


class _Group(NamedTuple):
    """Names that share routes: services, and other hosts of a VirtualService."""

    services: tuple[MeshService, ...]
    hosts: tuple[str, ...]
    routes: tuple[MeshRoute, ...]


class VirtualHosts:
    """Those of one port and egress listener."""

    def __init__(self, pod: Pod, listener: EgressListener, port: int) -> None:
        self._pod = pod
        self._listener = listener
        self.port = port
        self._services: dict[str, MeshService] = {}
        for service in listener.services:
            found = service.port(port)
            if found is not None:
                self._services[service.host.lower()] = service._replace(ports=(found,))
        self.hosts = tuple(self._named())

    def find(self, host: str) -> VirtualHost | None:
        """By a Host header, with or without a port; the longest ending where the whole name is unknown."""
        name, colon, port = host.rpartition(":")
        host = name if colon and port.isdigit() else host
        for there in self.hosts:
            if host in there.domains:
                return there
        best: tuple[int, VirtualHost | None] = (0, None)
        for there in self.hosts:
            for domain in there.domains:
                fits = is_wildcard(domain) and len(host) >= len(domain) and host.endswith(domain[1:])
                if fits and len(domain) > best[0]:
                    best = len(domain), there
        return best[1]

    def of_service(self, host: str) -> VirtualHost | None:
        """The one of a service whose proxy listener is for it alone."""
        return next((there for there in self.hosts if host in there.domains), None)

    def clusters(self, route: MeshRoute) -> tuple[RouteCluster, ...]:
        """Where a route leads to; none for a redirect and for an answer by the proxy itself."""
        if route.service is not None:
            return (RouteCluster(route.service.host, self.port, ""),)
        if part(route.rule, "redirect") or part(route.rule, "directResponse"):
            return ()
        targets = [row for _, row in rows(route.rule, "route")]
        if len(targets) == 1:
            return (self._cluster(part(targets[0], "destination"), route, 0),)
        weighted = [(row, number(row.get("weight"))) for row in targets]
        return tuple(self._cluster(part(row, "destination"), route, weight) for row, weight in weighted if weight)

    def _cluster(self, target: Mapping[str, Any], route: MeshRoute, weight: int) -> RouteCluster:
        space = route.origin.obj.namespace if route.origin is not None else ""
        port = number(part(target, "port").get("number")) or self.port
        return RouteCluster(full_name(text(target.get("host")), space), port, text(target.get("subset")), weight)

    def _named(self) -> Iterator[VirtualHost]:
        names: set[str] = set()
        taken: set[str] = set()
        groups = [group for group in self._groups() if group.routes]
        known = {service.host for group in groups for service in group.services}
        found: list[VirtualHost] = []
        for group in groups:
            members: list[tuple[str, MeshService | None]] = [(host.lower(), None) for host in group.hosts]
            members += [(service.host, service) for service in group.services]
            for host, service in members:
                if host in names:
                    continue
                names.add(host)
                short = _short_names(host, self._pod.namespace) if service is not None else []
                wanted = [host] if service is None else _domains(service, short)
                domains = []
                for domain in wanted:
                    if domain.lower() not in taken and not (domain in short and domain in known):
                        domains.append(domain)
                        taken.add(domain.lower())
                if domains:
                    found.append(VirtualHost(f"{host}:{self.port}", tuple(domains), group.routes))
        yield from sorted(found, key=lambda there: there.name)

    def _groups(self) -> Iterator[_Group]:
        specific = _most_specific_rules(self._listener)
        ruled: set[str] = set()
        for rule in self._listener.virtual_services:
            if self.port != _HTTP_PORT and not self._concerns(rule):
                continue
            routes = tuple(self._routes(rule))
            if not routes:
                continue
            hosts, services = self._split(rule, specific)
            served = tuple(service for service in services if service.ports[0].may_be_http)
            if served or self.port == _HTTP_PORT:
                ruled |= {service.host for service in served}
                yield _Group(served, hosts, routes)
        for service in self._services.values():
            if service.host not in ruled and service.resolution != "Alias" and service.ports[0].may_be_http:
                yield _Group((service,), (), (MeshRoute(_DEFAULT, {}, {}, None, service),))

    def _concerns(self, rule: MeshVirtualService) -> bool:
        """Whether one of its hosts is a service of the port."""
        return any(
            host.lower() in self._services
            or any(
                (is_wildcard(host) or is_wildcard(known)) and matches(host.lower(), known) for known in self._services
            )
            for host in rule.hosts
        )

    def _split(
        self, rule: MeshVirtualService, specific: Mapping[str, tuple[str, str]]
    ) -> tuple[tuple[str, ...], tuple[MeshService, ...]]:
        """Its hosts that are no service of the port, and the services. Of a wildcard those that no more specific rule
        has."""
        hosts: list[str] = []
        services: list[MeshService] = []
        whole = [host for host in rule.hosts if not is_wildcard(host)]
        for host in whole:
            service = self._services.get(host.lower())
            if service is not None:
                services.append(service)
            else:
                hosts.append(host)
        for wildcard in (host.lower() for host in rule.hosts if is_wildcard(host)):
            there = [service for known, service in self._services.items() if matches(known, wildcard)]
            if not there:
                hosts.append(wildcard)
            services += [service for service in there if specific.get(service.host) == rule.key]
        return tuple(hosts), tuple(services)

    def _routes(self, rule: MeshVirtualService) -> Iterator[MeshRoute]:
        """For this port and workload, in their order, to the first that takes all requests."""
        for row in rule.http:
            name = text(row.get("name"))
            written = [match for _, match in rows(row, "match")]
            if not written:
                yield MeshRoute(name, {}, row, rule)
                return
            for match in written:
                if not self._is_for(match):
                    continue
                yield MeshRoute(f"{name}.{match['name']}" if match.get("name") else name, match, row, rule)
                if matches_all(match):
                    return

    def _is_for(self, match: Mapping[str, Any]) -> bool:
        port = number(match.get("port"))
        if port and port != self.port:
            return False
        gateways = words(match, "gateways")
        if gateways:
            return MESH in gateways
        space = text(match.get("sourceNamespace"))
        selected = selector_from_map(labels(match, "sourceLabels")).matches(self._pod.labels)
        return selected and space in ("", self._pod.namespace)


def _most_specific_rules(listener: EgressListener) -> dict[str, tuple[str, str]]:
    """The rule that is for each service of a listener, by the most specific host; of one host the first rule."""
    by_host: dict[str, tuple[str, str]] = {}
    for rule in listener.virtual_services:
        for host in rule.hosts:
            by_host.setdefault(host, rule.key)
    found: dict[str, tuple[str, str]] = {}
    for service in listener.services:
        named = most_specific(service.host, by_host)
        if named is not None:
            found[service.host] = by_host[named]
    return found


def _domains(service: MeshService, short: Sequence[str]) -> list[str]:
    found = [service.host, *short]
    if service.resolution == "Passthrough" and service.is_kubernetes:
        found += [f"*.{domain}" for domain in found]
    return found + [address for address in service.addresses if address != UNSPECIFIED]


def _short_names(host: str, namespace: str) -> list[str]:
    """The other names of a service for a client of a namespace: with a dot at the end, and without the cluster's domain."""
    found = [f"{host}."]
    if not host.endswith(f".{DOMAIN}"):
        return found
    name, _, space = host.removesuffix(f".{DOMAIN}").partition(".")
    if space == namespace:
        found.append(name)
    return [*found, f"{name}.{space}.svc", f"{name}.{space}"]
