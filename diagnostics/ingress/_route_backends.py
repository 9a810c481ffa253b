"""Backends of a route of the Gateway API that are not there: a Service, or a port of it."""

from __future__ import annotations

from typing import Any, Final

from kubedoctor.cluster import Cluster, CustomResource, Evidence, Service, listed, misspellings
from kubedoctor.cluster.changes import put
from kubedoctor.findings import Confidence, Finding, Fix, command_line, edit_command, quote, ref
from kubedoctor.replay.mesh.config import number, rows, text

_MOST: Final = 3


def missing_backends(route: CustomResource, cluster: Cluster) -> Finding | None:
    """What the Services have in place of what the route names; None where all are there, or cannot be seen."""
    clauses: list[str] = []
    evidence: list[Evidence] = []
    fixes: list[Fix] = []
    for at, rule in rows(route.spec, "rules"):
        for index, row in rows(rule, "backendRefs"):
            if text(row.get("kind")) not in ("", "Service") or text(row.get("group")):
                continue
            path = f"spec.rules[{at}].backendRefs[{index}]"
            found = _missing(route, row, path, ("spec", "rules", at, "backendRefs", index), cluster)
            if found is not None:
                clauses.append(found[0])
                evidence.append(found[1])
                fixes.append(found[2])
    if not clauses:
        return None
    return Finding(
        about=ref(route),
        summary="; ".join(dict.fromkeys(clauses[:_MOST])),
        evidence=tuple(evidence),
        confidence=Confidence.CERTAIN,
        fixes=tuple(dict.fromkeys(fixes))[:_MOST],
    )


def _missing(
    route: CustomResource, row: Any, path: str, place: tuple[str | int, ...], cluster: Cluster
) -> tuple[str, Evidence, Fix] | None:
    name, namespace = text(row.get("name")), text(row.get("namespace")) or route.metadata.namespace
    service = cluster.maybe.get(Service, namespace, name) if name else None
    if service is None:
        names = [other.name for other in cluster.maybe.all(Service, namespace)]
        if not name or not names:
            return None
        near = misspellings(name, names, 1)
        hint = f"; did you mean {near[0]}?" if near else ""
        fix = Fix(f"Name a Service that exists, or create {namespace}/{name}", edit_command(ref(route)))
        if near:
            fix = Fix(
                f"Change the backend to {near[0]}", command_line(put(ref(route), (*place, "name"), near[0]), route)
            )
        return f"Service {namespace}/{name} does not exist{hint}", quote(route, f"{path}.name", "no such Service"), fix
    ports = service.spec.ports or ()
    port = number(row.get("port"))
    if not port or any(entry.port == port for entry in ports):
        return None
    has = listed((str(entry.port) for entry in ports), _MOST) or "none"
    fix = Fix(f"Name one of its ports: {has}", edit_command(ref(route)))
    if len(ports) == 1:
        change = put(ref(route), (*place, "port"), ports[0].port)
        fix = Fix(f"Change the port to {ports[0].port}", command_line(change, route))
    return (
        f"{ref(service).title} has no port {port}, only {has}",
        quote(route, f"{path}.port", "the Service has no such port"),
        fix,
    )
