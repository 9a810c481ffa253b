"""What a gateway does: the hosts that it takes, the certificates that it shows, and where requests go."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

from kubedoctor.answers.mesh.credentials import CredentialState, credential_state
from kubedoctor.answers.mesh.outcome import RouteOutcome, requests_of, rule_outcome
from kubedoctor.answers.mesh.sight import MeshSight
from kubedoctor.answers.sheet import Cell, Mark, SheetRow, Table
from kubedoctor.cluster.grammar.text import listed
from kubedoctor.cluster.kinds.meta import CustomResource
from kubedoctor.cluster.kinds.references import Ref, ref
from kubedoctor.replay.gateway.attachment import GATEWAY, Listener, listeners_of, parents
from kubedoctor.replay.gateway.attachment import GROUP as GATEWAY_API
from kubedoctor.replay.mesh.config import rows, text
from kubedoctor.replay.mesh.roles import gateway_name
from kubedoctor.replay.mesh.scope.gateway_routes import OpenServer

_MOST: Final = 4
_ROUTE_KINDS: Final = ("HTTPRoute", "GRPCRoute", "TLSRoute", "TCPRoute")


class EdgeRow(NamedTuple):
    """A server or listener. state: of its certificate and routes, the worst first; empty where all is well."""

    port: int
    protocol: str
    hosts: tuple[str, ...]
    about: Ref
    leads: str
    troubles: tuple[str, ...] = ()
    unsure: str = ""


def edge_rows(sight: MeshSight) -> list[EdgeRow]:
    """Of the Gateways of Istio that select the pod, and of the one of the Gateway API that it was created for."""
    found = [_of_server(sight, one) for one in sight.gateway.servers]
    gateway = gateway_of(sight)
    return found + ([_of_listener(sight, one) for one in listeners_of(gateway)] if gateway is not None else [])


def gateway_of(sight: MeshSight) -> CustomResource | None:
    """The Gateway of the Gateway API whose pod it is."""
    name = gateway_name(sight.pod)
    found = sight.cluster.get_ref(Ref(GATEWAY, sight.pod.namespace, name)) if name else None
    return found if isinstance(found, CustomResource) else None


def edge_table(found: list[EdgeRow]) -> Iterator[Table]:
    table = []
    for row in found:
        mark = Mark.NO if row.troubles else Mark.UNKNOWN if row.unsure else Mark.YES
        leads = "; ".join(row.troubles) or row.unsure or row.leads
        hosts = listed(row.hosts, _MOST) if row.hosts else "every host"
        cells = (Cell(str(row.port)), Cell(row.protocol), Cell(hosts), Cell(row.about.title), Cell(leads, mark))
        table.append(SheetRow(cells, row.about))
    if table:
        yield Table(("port", "protocol", "hosts", "of", "where they go"), tuple(table), "From outside")


def server_credential(one: OpenServer, namespace: str, sight: MeshSight) -> CredentialState | None:
    """Of a server that shows a certificate from a Secret. namespace: of the gateway's pods."""
    named = one.server.credential if one.terminates else None
    return credential_state(named.namespace or namespace, named.name, sight.source) if named is not None else None


def _of_server(sight: MeshSight, one: OpenServer) -> EdgeRow:
    troubles, unsure = [], ""
    credential = server_credential(one, sight.pod.namespace, sight)
    if credential is not None and credential.mark is Mark.NO:
        troubles.append(f"{credential.text}: {credential.fate}")
    elif credential is not None and credential.mark is Mark.UNKNOWN:
        unsure = credential.text
    names = []
    for rule, _ in sight.gateway.bound_to(one):
        names.append(ref(rule.obj).title)
        for route, clusters in sight.gateway.routes(one, rule):
            end: RouteOutcome = rule_outcome(sight, "", route, clusters)
            if end.mark is Mark.NO:
                troubles.append(f"{end.text} for {requests_of(route.match)}: {end.fate}")
    if not names and not one.redirects and one.tls_mode != "AUTO_PASSTHROUGH":
        unsure = unsure or "no VirtualService is bound to it for these hosts: 404 NR"
    leads = "redirected to HTTPS" if one.redirects else f"by {listed(names, _MOST)}" if names else ""
    tls = f" ({one.tls_mode})" if one.tls_mode else ""
    hosts = tuple(one.server.hosts)
    return EdgeRow(one.server.port, f"{one.protocol}{tls}", hosts, ref(one.gateway), leads, tuple(troubles), unsure)


def _of_listener(sight: MeshSight, listener: Listener) -> EdgeRow:
    gateway = listener.gateway
    troubles = [
        f"{state.text}: {state.fate}" for state in listener_credentials(listener, sight) if state.mark is Mark.NO
    ]
    bound = [
        ref(route).title
        for kind in _ROUTE_KINDS
        for route in sight.cluster.custom(kind, GATEWAY_API)
        if any(
            one.gateway == ref(gateway)
            and one.section in ("", listener.name)
            and one.port in (None, listener.spec.get("port"))
            for one in parents(route)
        )
    ]
    port = listener.spec.get("port")
    hosts = (listener.hostname,) if listener.hostname else ()
    leads = f"by {listed(bound, _MOST)}" if bound else ""
    unsure = "" if bound else "no route names it"
    protocol = text(listener.spec.get("protocol"))
    return EdgeRow(port if isinstance(port, int) else 0, protocol, hosts, ref(gateway), leads, tuple(troubles), unsure)


def listener_credentials(listener: Listener, sight: MeshSight) -> Iterator[CredentialState]:
    """Of the Secrets of a listener; those of another namespace need a ReferenceGrant, which is not looked at."""
    tls = listener.spec.get("tls")
    for _, row in rows(tls, "certificateRefs"):
        if text(row.get("kind")) in ("", "Secret") and row.get("name"):
            namespace = text(row.get("namespace")) or listener.gateway.namespace
            yield credential_state(namespace, text(row.get("name")), sight.source)
