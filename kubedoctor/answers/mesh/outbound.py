"""Where the requests of a workload go: the hosts that rules change, and what its proxy knows of the rest."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

from kubedoctor.answers.mesh.outcome import RouteOutcome, rule_outcomes
from kubedoctor.answers.mesh.sight import MeshSight
from kubedoctor.answers.sheet import Cell, Fact, SheetRow, Table
from kubedoctor.cluster.grammar.text import counted
from kubedoctor.cluster.kinds.references import ref
from kubedoctor.cluster.relations.services import services_selecting
from kubedoctor.replay.mesh.config import part, rows, text
from kubedoctor.replay.mesh.mutual_tls import client_tls_of
from kubedoctor.replay.mesh.routes import gateways_of
from kubedoctor.replay.mesh.scope.services import MeshService

_MOST: Final = 40


def ruled_services(sight: MeshSight) -> list[MeshService]:
    """The hosts that a VirtualService or a DestinationRule changes for this proxy, by name."""
    routed = {host for listener in sight.scope.listeners for rule in listener.virtual_services for host in rule.hosts}
    found = []
    for host, service in sorted(sight.scope.services.items()):
        if host in routed or sight.scope.rule_for(host, sight.pod) is not None:
            found.append(service)
    return found


class RuledRequest(NamedTuple):
    """The requests of one rule for a host and port, and what becomes of them."""

    host: str
    port: int
    requests: str
    end: RouteOutcome

    @property
    def address(self) -> str:
        return f"{self.host}:{self.port}"


def ruled_requests(sight: MeshSight) -> list[RuledRequest]:
    """Of these hosts, at each port that may be HTTP."""
    return [
        RuledRequest(service.host, port.port, requests, end)
        for service in ruled_services(sight)[:_MOST]
        for port in service.ports
        if port.may_be_http and not service.host.startswith("*")
        for requests, end in rule_outcomes(sight, service.host, port.port)
    ]


def routes_table(sight: MeshSight, found: list[RuledRequest]) -> Iterator[Table]:
    table = []
    for row in found:
        rule = sight.scope.rule_for(row.host, sight.pod)
        tls = client_tls_of(rule.spec, "", row.port) if rule is not None else ""
        where = f"{row.end.text}: {row.end.fate}" if row.end.fate else row.end.text or "to its pods"
        cells = (Cell(row.address), Cell(row.requests), Cell(where, row.end.mark), Cell(tls or "by itself"))
        table.append(SheetRow(cells, row.end.about))
    if table:
        yield Table(
            ("host", "requests", "where they go", "TLS"), tuple(table), "Outbound, hosts with rules of their own"
        )


def served_facts(sight: MeshSight) -> Iterator[Fact]:
    """The gateways and rules for the hosts that the workload itself serves."""
    own = {
        f"{service.name}.{service.namespace}.svc.cluster.local"
        for service in services_selecting(sight.pod, sight.cluster)
    }
    for rule in sight.custom("VirtualService"):
        targets = {
            target
            for _, route in rows(rule.spec, "http")
            for _, row in rows(route, "route")
            if (target := _full(text(part(row, "destination").get("host")), rule.namespace)) in own
        }
        if targets:
            names = ", ".join(f"{named.namespace}/{named.name}" for named in gateways_of(rule))
            through = f"through gateway {names}" if names else "from sidecars"
            yield Fact("served", f"{ref(rule).title} leads requests here {through}")


def _full(host: str, namespace: str) -> str:
    return host if "." in host else f"{host}.{namespace}.svc.cluster.local"


def scope_fact(sight: MeshSight) -> Fact:
    """The Sidecar in force and what it leaves."""
    scope = sight.scope
    known = len({service.host for listener in scope.listeners for service in listener.services})
    unknown = {"ALLOW_ANY": "passed on as they are", "REGISTRY_ONLY": "dropped (502)"}.get(
        scope.outbound, scope.outbound
    )
    who = ref(scope.sidecar).title if scope.sidecar is not None else "no Sidecar"
    return Fact("scope", f"{who}: the proxy knows {counted(known, 'host')}; requests for other hosts are {unknown}")
