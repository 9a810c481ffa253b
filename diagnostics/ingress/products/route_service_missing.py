"""Traefik: Service of an IngressRoute does not exist.

## What it means
An IngressRoute names a Service, or a port of it, that is not there. Traefik builds no router for the rule then, and its host and
paths get 404. An IngressRoute has no status: only the log of Traefik tells (`kubernetes service not found`).

## Why it happens
- The Service was renamed, for example by another Helm release name.
- The Service is in another namespace, and the route names none.
- The port of the route is that of the container and not that of the Service.

## How to fix it
Name the Service and its port as they are, with `namespace` where it is another one (Traefik then needs
`providers.kubernetesCRD.allowCrossNamespace`).

## References
- https://doc.traefik.io/traefik/reference/routing-configuration/kubernetes/crd/http/ingressroute/
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from diagnostics.ingress.middleware_missing import GROUPS
from kubedoctor.cluster import Cluster, CustomResource, KubernetesObject, Service, listed, misspellings
from kubedoctor.cluster.changes import put
from kubedoctor.findings import (
    Command,
    Confidence,
    Finding,
    Fix,
    Severity,
    command_line,
    diagnostic,
    kubectl,
    quote,
    ref,
)
from kubedoctor.replay.mesh.config import rows, text
from kubedoctor.replay.status.vocabulary import PROGRESS

_KINDS: Final = ("IngressRoute", "IngressRouteTCP", "IngressRouteUDP")
_SHOWN: Final = 3


@diagnostic(
    code="KD2319",
    subject=f"IngressRoute.{GROUPS[0]}",
    also_subjects=tuple(f"{kind}.{group}" for group in GROUPS for kind in _KINDS)[1:],
    severity=Severity.CRITICAL,
    reads=(Service,),
    symptoms=("404", "kubernetes service not found", "service port not found"),
)
def route_service_missing(obj: KubernetesObject, cluster: Cluster) -> Iterator[Finding]:
    created = obj.metadata.creation_timestamp
    if not isinstance(obj, CustomResource) or obj.metadata.deletion_timestamp is not None:
        return
    if created and cluster.taken_at - created < PROGRESS:
        return
    for at, route in rows(obj.spec, "routes"):
        for index, row in rows(route, "services"):
            name, path = text(row.get("name")), f"spec.routes[{at}].services[{index}]"
            if not name or "@" in name or text(row.get("kind")) not in ("", "Service"):
                continue
            namespace = text(row.get("namespace")) or obj.namespace
            service = cluster.get(Service, namespace, name)
            if service is None:
                yield _missing(obj, path, name, namespace, cluster)
            elif service.spec.type != "ExternalName" and not _has_port(service, row.get("port")):
                yield _no_port(obj, path, row.get("port"), service)


def _has_port(service: Service, port: Any) -> bool:
    """Traefik wants a port of the Service, by number or by name; none is another fault."""
    entries = service.spec.ports or ()
    return port in (None, 0, "") or any(str(port) in (str(entry.port), entry.name) for entry in entries)


def _missing(obj: CustomResource, path: str, name: str, namespace: str, cluster: Cluster) -> Finding:
    names = [row.name for row in cluster.maybe.all(Service, namespace)]
    contained = [other for other in sorted(names) if f"-{other}-" in f"-{name}-" or f"-{name}-" in f"-{other}-"]
    near = misspellings(name, names, 1) or tuple(contained[:1])
    elsewhere = sorted(row.namespace for row in cluster.maybe.all(Service) if row.name == name)
    hint, fix = "", Fix(f"Create Service {namespace}/{name}, or name one that exists")
    if near:
        change = put(ref(obj), (*_steps(path), "name"), near[0])
        hint, fix = f"; did you mean {near[0]}?", Fix(f"Change the Service to {near[0]}", command_line(change, obj))
    elif elsewhere:
        hint = f"; Service {elsewhere[0]}/{name} exists"
        fix = Fix(f"Name namespace {elsewhere[0]}, and let Traefik cross namespaces (allowCrossNamespace)")
    return Finding(
        about=ref(obj),
        aspect=f"{namespace}-{name}",
        summary=f"Service {namespace}/{name} does not exist{hint}: Traefik builds no router for it",
        evidence=(quote(obj, f"{path}.name", "no Service of this namespace and name"),),
        confidence=Confidence.CERTAIN,
        fixes=(fix,),
        commands=(Command(kubectl("get", "services", namespace=namespace), "the Services in the namespace"),),
    )


def _no_port(obj: CustomResource, path: str, port: Any, service: Service) -> Finding:
    entries = service.spec.ports or ()
    has = listed((str(entry.port) for entry in entries), _SHOWN)
    fix = Fix(f"Name one of its ports: {has}")
    if len(entries) == 1:
        change = put(ref(obj), (*_steps(path), "port"), entries[0].port)
        fix = Fix(f"Change the port to {entries[0].port}", command_line(change, obj))
    return Finding(
        about=ref(obj),
        aspect=f"{service.namespace}-{service.name}-{port}",
        summary=f"{ref(service).title} has no port {port}, only {has}: Traefik builds no router for it",
        evidence=(
            quote(obj, f"{path}.port", "the port that the route names"),
            quote(service, "spec.ports", "the ports of the Service"),
        ),
        confidence=Confidence.CERTAIN,
        fixes=(fix,),
        commands=(
            Command(
                kubectl("describe", "service", service.name, namespace=service.namespace), "its ports and endpoints"
            ),
        ),
    )


def _steps(path: str) -> tuple[str | int, ...]:
    """`spec.routes[0].services[1]` as steps of a change."""
    steps: list[str | int] = []
    for part in path.split("."):
        name, bracket, number = part.partition("[")
        steps.append(name)
        if bracket:
            steps.append(int(number.rstrip("]")))
    return tuple(steps)
