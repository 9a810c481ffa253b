"""A host that Gateways serve to the outside: the server that takes the request, its certificate, the VirtualService and the rule;
or why the client gets no answer."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final, NamedTuple

from kubedoctor.answers.mesh.credentials import NO_HANDSHAKE, credential_state
from kubedoctor.answers.mesh.outcome import NO_ROUTE, rule_outcome, subset_labels
from kubedoctor.answers.mesh.sight import MeshSight
from kubedoctor.answers.reach.dead_ends import DeadEnd, ports_of
from kubedoctor.answers.sheet import Link, Mark
from kubedoctor.cluster.grammar.text import listed
from kubedoctor.cluster.kinds.core import Service
from kubedoctor.cluster.kinds.meta import CustomResource
from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.cluster.kinds.references import Ref, ref
from kubedoctor.cluster.relations.services import services_selecting
from kubedoctor.cluster.seen.reading import Cluster
from kubedoctor.cluster.triage import finished, ready
from kubedoctor.replay.mesh.config import NETWORKING, words
from kubedoctor.replay.mesh.gateways import serving_pods
from kubedoctor.replay.mesh.registry import covers, service_host
from kubedoctor.replay.mesh.routes import gateways_of
from kubedoctor.replay.mesh.scope.gateway_routes import GatewayRoute, OpenServer
from kubedoctor.replay.mesh.scope.http_matching import HTTPRequest

_HTTPS: Final = 443
_HTTP: Final = 80
_MOST: Final = 3


class EdgeWay(NamedTuple):
    """The way of a request to the Service behind a gateway. about: the VirtualService, or what decides before. links: the hops
    so far. obstacle: why it ends there. subset: labels of the pods that may answer. text: what the rule does."""

    about: Ref
    proxies: tuple[Pod, ...] = ()
    links: tuple[Link, ...] = ()
    obstacle: DeadEnd | None = None
    namespace: str = ""
    service: str = ""
    port: str = ""
    subset: Mapping[str, str] = {}
    text: str = ""


def edge_way(host: str, port: int, path: str, cluster: Cluster) -> EdgeWay | None:
    """None where no Gateway and no VirtualService of Istio is for the host. port: 0 where none is given."""
    gateways = cluster.maybe.custom("Gateway", NETWORKING)
    rules = [rule for rule in cluster.maybe.custom("VirtualService", NETWORKING) if _is_for(rule, host)]
    taking = [gateway for gateway in gateways if _names(gateway, host)]
    if not rules and not taking:
        return None
    pods = [pod for pod in cluster.maybe.all(Pod) if not finished(pod)]
    bound = [gateway for gateway in gateways if any(_is_bound(rule, gateway) for rule in rules)]
    chosen = bound or taking or _of_any_host(gateways)
    served = {gateway.name: found for gateway in chosen if (found := serving_pods(gateway, pods))}
    if not served:
        return _without_proxy(rules, chosen, gateways)
    proxies = next(iter(served.values()))
    pod = min(proxies, key=lambda row: (not ready(row), row.namespace, row.name))
    return _Edge(MeshSight(pod, cluster), host, path or "/", rules, proxies).way(port)


def _is_for(rule: CustomResource, host: str) -> bool:
    """Of those for gateways."""
    outside = next(gateways_of(rule), None) is not None
    return outside and any(covers(name, host) and name != "*" for name in words(rule.spec, "hosts"))


def _names(gateway: CustomResource, host: str) -> bool:
    servers = (gateway.spec or {}).get("servers")
    names = [name for row in servers if isinstance(row, dict) for name in words(row, "hosts")] if servers else []
    return any(covers(last, host) and last != "*" for last in (name.rpartition("/")[2] for name in names))


def _is_bound(rule: CustomResource, gateway: CustomResource) -> bool:
    return any((one.namespace, one.name) == (gateway.namespace, gateway.name) for one in gateways_of(rule))


def _of_any_host(gateways: Iterable[CustomResource]) -> list[CustomResource]:
    return [one for one in gateways if any(name.endswith("*") for row in _servers(one) for name in words(row, "hosts"))]


def _servers(gateway: CustomResource) -> Iterator[Mapping[str, object]]:
    rows = (gateway.spec or {}).get("servers")
    yield from (row for row in (rows if isinstance(rows, list) else ()) if isinstance(row, dict))


def _without_proxy(
    rules: list[CustomResource], chosen: list[CustomResource], gateways: tuple[CustomResource, ...]
) -> EdgeWay:
    if chosen:
        text = f"{ref(chosen[0]).title} selects no pod, so no proxy opens its ports"
        return EdgeWay(ref(chosen[0]), obstacle=DeadEnd(text, ref(chosen[0]), "refused"))
    return EdgeWay(ref(rules[0]), obstacle=DeadEnd(_unbound(rules[0], gateways), ref(rules[0]), "refused"))


def _unbound(rule: CustomResource, gateways: Iterable[CustomResource]) -> str:
    """Why a rule is at none of the Gateways that exist."""
    known = {(one.namespace, one.name): one for one in gateways}
    for named in gateways_of(rule):
        if (named.namespace, named.name) in known:
            continue
        text = f"{ref(rule).title} is bound to Gateway {named.namespace}/{named.name}, which does not exist"
        same = [space for space, name in known if name == named.name]
        return f"{text}; Gateway {same[0]}/{named.name} does: write {same[0]}/{named.name}" if same else text
    return ""


class _Edge:
    """One gateway's proxy, and a request to it."""

    def __init__(
        self, sight: MeshSight, host: str, path: str, rules: list[CustomResource], proxies: tuple[Pod, ...]
    ) -> None:
        self._sight, self._host, self._path = sight, host, path
        self._rules, self._proxies = rules, proxies
        self._gateway = sight.gateway
        self._links: list[Link] = []

    def way(self, asked: int) -> EdgeWay:
        port = asked or (_HTTPS if any(one.takes(self._host) for one in self._gateway.at(_HTTPS)) else _HTTP)
        if (closed := self._closed(port)) is not None:
            return closed
        sent = self._gateway.send(port, HTTPRequest(self._host, self._path))
        if not sent.servers:
            return self._not_taken(port)
        server = sent.servers[0]
        about = ref(server.gateway)
        if server.redirects:
            self._links.append(Link(f"{about.title}, port {port}: redirects to HTTPS (301)", Mark.YES, about))
            return self.way(_HTTPS)
        if server.terminates and (stopped := self._certificate(server, port)) is not None:
            return stopped
        if not server.terminates:
            self._links.append(Link(f"{about.title}, port {port}: {server.protocol} for {self._host}", Mark.YES, about))
        return self._routed(sent, server)

    def _end(self, about: Ref, text: str, fate: str = "", *, known: bool = True) -> EdgeWay:
        return EdgeWay(about, self._proxies, tuple(self._links), DeadEnd(text, about, fate, known))

    def _closed(self, port: int) -> EdgeWay | None:
        """Where nothing listens at the port, or no Service leads to it."""
        pod = self._sight.pod
        if not self._gateway.at(port):
            opened = sorted({one.server.port for one in self._gateway.servers})
            gateway = ref(self._gateway.servers[0].gateway)
            text = f"no Gateway opens port {port} on {ref(pod).title}, only {listed(map(str, opened), _MOST)}"
            return self._end(gateway, text, "refused")
        services = services_selecting(pod, self._sight.cluster)
        if services and not any(port in _offered(service) for service in services):
            first = services[0]
            text = f"{ref(first).title} leads to the gateway and has no port {port}, only {ports_of(first)}"
            return self._end(ref(first), text, "refused")
        return None

    def _not_taken(self, port: int) -> EdgeWay:
        """No server of the port is for the host."""
        there = self._gateway.at(port)
        hosts = list(dict.fromkeys(name for one in there for name in one.server.hosts))
        text = f"no Gateway takes {self._host} on port {port}, only {listed(hosts, _MOST)}"
        fate = NO_HANDSHAKE if all(one.terminates for one in there) else NO_ROUTE
        return self._end(ref(there[0].gateway), text, fate)

    def _certificate(self, server: OpenServer, port: int) -> EdgeWay | None:
        about, named = ref(server.gateway), server.server.credential
        what = f"{about.title}, port {port}: {server.protocol} for {self._host}"
        if named is None:
            self._links.append(Link(what, Mark.YES, about))
            return None
        state = credential_state(named.namespace or self._sight.pod.namespace, named.name, self._sight.source)
        if state.mark is Mark.NO:
            self._links.append(Link(what, Mark.YES, about))
            return self._end(
                state.about if state.fate != NO_HANDSHAKE and state.about else about, state.text, state.fate
            )
        self._links.append(Link(f"{what}, {state.text}", state.mark, about))
        return None

    def _routed(self, sent: GatewayRoute, server: OpenServer) -> EdgeWay:
        if sent.route is None or sent.route.origin is None:
            return self._unrouted(sent, server)
        about = ref(sent.route.origin.obj)
        end = rule_outcome(self._sight, self._host, sent.route, sent.clusters)
        if end.mark is Mark.NO:
            return self._end(end.about or about, end.text, end.fate)
        if not sent.clusters:
            return self._end(about, end.text, known=False)
        chosen = max(sent.clusters, key=lambda cluster: cluster.weight)
        named = service_host(chosen.host)
        if named is None or self._sight.service(chosen.host) is None:
            return self._end(about, f"{end.text}: outside of the cluster", known=False)
        rule = self._sight.scope.rule_for(chosen.host, self._sight.pod)
        return EdgeWay(
            about,
            self._proxies,
            (*self._links, Link(end.text, Mark.YES, about)),
            None,
            named.namespace,
            named.name,
            str(chosen.port),
            subset_labels(rule, chosen.subset) or {},
            end.text,
        )

    def _unrouted(self, sent: GatewayRoute, server: OpenServer) -> EdgeWay:
        if sent.bound:
            names = listed((ref(one.obj).title for one in sent.bound), _MOST)
            return self._end(ref(sent.bound[0].obj), f"no rule of {names} takes a GET of {self._path}", NO_ROUTE)
        gateway = ref(server.gateway)
        gateways = self._sight.cluster.custom("Gateway", NETWORKING)
        for rule in self._rules:
            why = _unbound(rule, gateways) or self._kept_out(rule, server)
            if why:
                return self._end(ref(rule), f"{gateway.title} has no route for {self._host}: {why}", NO_ROUTE)
        return self._end(gateway, f"no VirtualService for {self._host} is bound to {gateway.title}", NO_ROUTE)

    def _kept_out(self, rule: CustomResource, server: OpenServer) -> str:
        """Why a rule that names the Gateway is not there."""
        if not _is_bound(rule, server.gateway):
            names = listed((f"{one.namespace}/{one.name}" for one in gateways_of(rule)), _MOST)
            return f"{ref(rule).title} is bound to {names}"
        if all(one.obj.name != rule.name for one, _ in self._gateway.bound_to(server)):
            hosts = listed(server.server.hosts, _MOST)
            return f"{ref(rule).title} may not have it: exportTo, or the hosts of the Gateway ({hosts}), leave its namespace out"
        return ""


def _offered(service: Service) -> set[int]:
    """The ports that it has and, by number, leads to."""
    rows = service.spec.ports or ()
    return {row.port for row in rows} | {int(str(row.target_port)) for row in rows if str(row.target_port).isdigit()}
