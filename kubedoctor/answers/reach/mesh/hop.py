"""Where a connection is handed to a service mesh: what the proxies of both ends decide, and what of it is not replayed.

Authorization and mutual TLS are replayed where the two ends decide them; routes, and rules about requests, are named."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Final

import msgspec

from kubedoctor.answers.mesh.outcome import RouteOutcome, rule_outcomes
from kubedoctor.answers.mesh.sight import MeshSight
from kubedoctor.answers.reach.connections import ConnectionTarget, labels_of
from kubedoctor.answers.reach.mesh.linkerd import linkerd_hop
from kubedoctor.answers.reach.mesh.verdict import MeshHop
from kubedoctor.answers.reach.way import ReachSource, Way
from kubedoctor.answers.sheet import Mark
from kubedoctor.cluster.kinds.core import Service
from kubedoctor.cluster.kinds.meta import CustomResource
from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.cluster.kinds.references import ref
from kubedoctor.cluster.seen.reading import Cluster
from kubedoctor.replay.mesh.attachment import attached_policies
from kubedoctor.replay.mesh.authorization import Caller, admitted, in_force
from kubedoctor.replay.mesh.config import NETWORKING, SECURITY, exported_to, words
from kubedoctor.replay.mesh.egress import lets_know
from kubedoctor.replay.mesh.injection import DATAPLANE, captures, has_sidecar
from kubedoctor.replay.mesh.mutual_tls import DISABLE, STRICT, client_tls, peer_mode
from kubedoctor.replay.mesh.registry import DOMAIN, covers, full_name
from kubedoctor.replay.mesh.roles import ProxyRole, role_of
from kubedoctor.replay.mesh.routes import serves_sidecars
from kubedoctor.replay.mesh.scope.sidecars import sidecar_in_force

_AMBIENT: Final = "ambient"
_SIDECAR: Final = "sidecar"
_ROOT: Final = "istio-system"
_OWN_TLS: Final = ("SIMPLE", "MUTUAL")
_OF_NO_ROUTES: Final = (ProxyRole.ROUTER, ProxyRole.WAYPOINT)
"""Proxies that rules for sidecars do not apply to."""


class _Ends(msgspec.Struct, frozen=True):
    """How each end takes part: by a sidecar, by the proxy of its node (ambient), or not at all."""

    client: str
    server: str


def mesh_hop(source: ReachSource, way: Way, target: ConnectionTarget, cluster: Cluster) -> MeshHop | None:
    """None where no end is part of a mesh."""
    ends = _Ends(_membership(source.pod, cluster), _membership(target.pod, cluster))
    if not ends.client and not ends.server:
        by_service = way.port is not None and way.service is not None and not way.service.spec.is_headless
        dialed = way.port.port if by_service and way.port is not None else target.port
        return linkerd_hop(source.pod, dialed, target, cluster)
    known = set(cluster.gaps)
    found = _first(
        lambda: _by_client(source.pod, ends, way, target, cluster),
        lambda: _by_server(source, ends, target, cluster),
    )
    unread = sorted(cluster.gaps - known, key=str)
    cluster.gaps.intersection_update(known)  # The hop says it.
    if unread and (found is None or found.mark is not Mark.NO):
        return MeshHop(Mark.UNKNOWN, f"mesh: its policies and routes could not be read: {unread[0].why}")
    return found or MeshHop(
        Mark.YES,
        f"mesh: {_who(ends, source.pod, target.pod)}, and no policy or route of Istio decides about this connection",
    )


def _first(*asked: Callable[[], MeshHop | None]) -> MeshHop | None:
    """A denial before what is not known, that before what allows."""
    order = {Mark.NO: 0, Mark.UNKNOWN: 1, Mark.YES: 2}
    found = [hop for ask in asked if (hop := ask()) is not None]
    return min(found, key=lambda hop: order[hop.mark], default=None)


def _membership(pod: Pod | None, cluster: Cluster) -> str:
    if pod is None or pod.spec.host_network:
        return ""
    if has_sidecar(pod):
        return _SIDECAR
    wish = pod.labels.get(DATAPLANE) or labels_of(pod.namespace, cluster).get(DATAPLANE)
    return _AMBIENT if wish == _AMBIENT else ""


def _who(ends: _Ends, client: Pod | None, server: Pod | None) -> str:
    words_of = {_SIDECAR: "has a sidecar", _AMBIENT: "is in the ambient mesh"}
    roles: dict[ProxyRole | None, str] = {ProxyRole.ROUTER: "is a gateway", ProxyRole.WAYPOINT: "is a waypoint"}
    of_source = roles.get(_role(client), words_of.get(ends.client, ""))
    of_target = roles.get(_role(server), words_of.get(ends.server, ""))
    if of_source == of_target:
        return f"both ends {of_source.replace('has', 'have').replace('is ', 'are ')}"
    if of_source and of_target:
        return f"the source {of_source}, the target {of_target}"
    return f"only the source {of_source}" if of_source else f"only the target {of_target}"


def _role(pod: Pod | None) -> ProxyRole | None:
    return role_of(pod) if pod is not None else None


# What the proxy of the client does


def _by_client(pod: Pod | None, ends: _Ends, way: Way, target: ConnectionTarget, cluster: Cluster) -> MeshHop | None:
    if pod is None or not ends.client or way.service is None:
        return None
    service, maybe = way.service, cluster.maybe
    host = f"{service.name}.{service.namespace}.{DOMAIN}"
    kinds = ("Sidecar", "VirtualService", "DestinationRule")
    cluster.together(*(partial(maybe.custom, kind, NETWORKING) for kind in kinds))
    sidecar = sidecar_in_force(pod, maybe.custom("Sidecar", NETWORKING)) if ends.client == _SIDECAR else None
    if sidecar is not None and not lets_know(sidecar, service.namespace, host):
        text = f"{ref(sidecar).title} does not tell the source's proxy of {host}: it passes the connection on as it is, or blocks it"
        return MeshHop(Mark.UNKNOWN, f"mesh: {text}", ref(sidecar))
    port = way.port.port if way.port is not None else target.port
    if role_of(pod) in _OF_NO_ROUTES:
        return _own_tls(service, pod, host, port, cluster)
    if ends.client == _SIDECAR and (routed := _routed(pod, host, port, cluster)) is not None:
        return routed
    if ends.client == _SIDECAR and (unruled := _of_tcp(pod, host, port, cluster)) is not None:
        return unruled
    for route in maybe.custom("VirtualService", NETWORKING):
        is_replayed = ends.client == _SIDECAR and not any((route.spec or {}).get(name) for name in ("tcp", "tls"))
        if is_replayed or not serves_sidecars(route) or not exported_to(route, pod.namespace):
            continue
        if _names(route, host):
            text = f"mesh: {ref(route).title} routes requests to {host}; its rules are not replayed"
            return MeshHop(Mark.UNKNOWN, text, ref(route))
    return _own_tls(service, pod, host, port, cluster)


def _own_tls(service: Service, pod: Pod, host: str, port: int, cluster: Cluster) -> MeshHop | None:
    rule = _rule_for(service, pod, host, cluster)
    tls = client_tls(rule, "", port) if rule is not None else None
    if rule is not None and tls is not None and tls.mode in _OWN_TLS:
        text = f"mesh: {ref(rule).title} makes the source's proxy start TLS of its own ({tls.mode}); whether the target speaks it is not known"
        return MeshHop(Mark.UNKNOWN, text, ref(rule))
    return None


def _routed(pod: Pod, host: str, port: int, cluster: Cluster) -> MeshHop | None:
    """What the rules for requests of HTTP make of the connection; None where none is for the host, or all lead to it."""
    sight = MeshSight(pod, cluster)
    found = rule_outcomes(sight, host, port)
    failing = [(requests, end) for requests, end in found if end.mark is Mark.NO]
    if not failing:
        other = next((end for _, end in found if end.leaves), None)
        if other is not None:
            return MeshHop(Mark.UNKNOWN, f"mesh: {other.text}, and not to {host}", other.about)
        return _answered(found)
    requests, end = failing[0]
    if len(failing) < len(found):
        text = f"mesh: it depends on the request: {end.fate} for {requests}, because {end.text}"
        return MeshHop(Mark.UNKNOWN, text, end.about)
    decides = end.about.title if end.about is not None else "the mesh"
    return MeshHop(Mark.NO, f"mesh: {end.text}: {end.fate}", end.about, end.fate, f"{decides} decides it")


def _of_tcp(pod: Pod, host: str, port: int, cluster: Cluster) -> MeshHop | None:
    """Rules for HTTP at a port that is declared as another protocol: the proxy passes bytes."""
    known = MeshSight(pod, cluster).scope.services.get(host)
    row = known.port(port) if known is not None else None
    if row is None or row.may_be_http:
        return None
    for route in cluster.maybe.custom("VirtualService", NETWORKING):
        ruled = (route.spec or {}).get("http") and serves_sidecars(route) and exported_to(route, pod.namespace)
        if ruled and _names(route, host) and not any((route.spec or {}).get(name) for name in ("tcp", "tls")):
            named = f" (named {row.name})" if row.name else ""
            text = f"port {port}{named} is {row.protocol.upper()} for the proxy: the rules for HTTP of {ref(route).title} have no effect"
            return MeshHop(Mark.YES, f"mesh: {text}", ref(route))
    return None


def _answered(found: list[tuple[str, RouteOutcome]]) -> MeshHop | None:
    ruled = [end for _, end in found if end.about is not None and end.about.kind.startswith("VirtualService")]
    return MeshHop(Mark.YES, f"mesh: {ruled[0].text}", ruled[0].about) if ruled else None


def _names(route: CustomResource, host: str) -> bool:
    return any(covers(full_name(name, route.namespace), host) for name in words(route.spec, "hosts"))


def _rule_for(service: Service, pod: Pod, host: str, cluster: Cluster) -> CustomResource | None:
    """The DestinationRule of a host that the client sees: of its namespace, of the Service's, of the mesh
    (`pilot/pkg/model/push_context.go`, destinationRule)."""
    rules = [
        row
        for row in cluster.maybe.custom("DestinationRule", NETWORKING)
        if exported_to(row, pod.namespace) and covers(full_name(str((row.spec or {}).get("host")), row.namespace), host)
    ]
    order = {pod.namespace: 0, service.namespace: 1, _ROOT: 2}
    return min(rules, key=lambda row: (order.get(row.namespace, 3), row.name), default=None)


# What the proxy of the server does


def _by_server(source: ReachSource, ends: _Ends, target: ConnectionTarget, cluster: Cluster) -> MeshHop | None:
    server, maybe = target.pod, cluster.maybe
    if server is None or not ends.server or (ends.server == _SIDECAR and not captures(server, target.port)):
        return None
    kinds = ("PeerAuthentication", "AuthorizationPolicy")
    cluster.together(*(partial(maybe.custom, kind, SECURITY) for kind in kinds))
    mutual = bool(ends.client) and not _plain(source.pod, target, cluster)
    mode = peer_mode(server, target.port, maybe.custom("PeerAuthentication", SECURITY))
    if not mutual and mode.mode == STRICT and mode.policy is not None:
        why = "sends plain text" if ends.client else "has no sidecar"
        fate = "503 UC" if ends.client == _SIDECAR else "connection reset"
        text = f"{ref(mode.policy).title} demands mutual TLS (STRICT) of the target, and the source {why}: {fate}"
        return MeshHop(Mark.NO, f"mesh: {text}", ref(mode.policy), fate, _decides(mode.policy))
    policies = maybe.custom("AuthorizationPolicy", SECURITY)
    mine = in_force(attached_policies(server, policies))
    account = (source.pod.spec.service_account_name or "default") if source.pod is not None else ""
    caller = Caller(source.namespace, account, source.address, mutual)
    verdict = admitted(caller, target.port, mine)
    if verdict.policy is not None:
        return _admission(verdict.allowed, verdict.policy, caller)
    attached = next((row for row in policies if row.namespace == server.namespace and _is_for_waypoint(row)), None)
    if attached is not None and ends.server == _AMBIENT:
        text = f"mesh: {ref(attached).title} is for a waypoint; whether this connection passes it is not replayed"
        return MeshHop(Mark.UNKNOWN, text, ref(attached))
    return None


def _plain(pod: Pod | None, target: ConnectionTarget, cluster: Cluster) -> bool:
    """Whether a DestinationRule takes mutual TLS off for the client."""
    if pod is None or target.service is None:
        return False
    host = f"{target.service.name}.{target.service.namespace}.{DOMAIN}"
    rule = _rule_for(target.service, pod, host, cluster)
    ports = [
        row.port for row in target.service.spec.ports or () if row.target_port == target.port or row.port == target.port
    ]
    tls = client_tls(rule, "", next(iter(ports), target.port)) if rule is not None else None
    return tls is not None and tls.mode == DISABLE


def _admission(allowed: bool | None, policy: CustomResource, caller: Caller) -> MeshHop:
    title = ref(policy).title
    if allowed:
        return MeshHop(Mark.YES, f"mesh: {title} allows the source", ref(policy))
    if allowed is None:
        text = f"mesh: {title} decides by the request itself (path, method, address or token): not replayed"
        return MeshHop(Mark.UNKNOWN, text, ref(policy))
    who = (
        f"namespace {caller.namespace}, service account {caller.account}"
        if caller.mutual
        else "a client without identity"
    )
    verb = "denies" if str((policy.spec or {}).get("action") or "") == "DENY" else "has no rule that allows"
    text = f"mesh: {title} {verb} {who}: 403 RBAC: access denied, over TCP the connection is closed"
    return MeshHop(Mark.NO, text, ref(policy), "403", _decides(policy))


def _decides(policy: CustomResource) -> str:
    return f"{ref(policy).title} denies it"


def _is_for_waypoint(policy: CustomResource) -> bool:
    spec = policy.spec or {}
    return bool(spec.get("targetRef") or spec.get("targetRefs"))


def hops_of(
    source: ReachSource, way: Way, targets: tuple[ConnectionTarget, ...], cluster: Cluster
) -> tuple[MeshHop | None, ...]:
    """One for each target; None where no mesh takes part."""
    return tuple(mesh_hop(source, way, target, cluster) for target in targets)
