"""Ingress backend Service or port does not exist.

## What it means
The API server accepts an Ingress without checking its backends. The ingress controller answers requests for these paths
with 503 or 404; other paths work.

## Why it happens
- The name of the Service is misspelled, or the Service was renamed or deleted.
- The Service is in another namespace: an Ingress can use only Services of its own namespace.
- The port is the container port instead of the Service port, or a port name that the Service does not have.

## How to fix it
Correct the backend in the Ingress, or create the Service.

## References
- https://kubernetes.io/docs/concepts/services-networking/ingress/#the-ingress-resource
"""

from __future__ import annotations

from collections.abc import Iterator

from kubedoctor.cluster import Cluster, Ingress, IngressBackend, IngressServiceBackend, Service, misspellings
from kubedoctor.findings import (
    Command,
    Confidence,
    Finding,
    Fix,
    Severity,
    diagnostic,
    edit_command,
    kubectl,
    quote,
    ref,
)

NO_SERVICE = "use-annotation"
"""The AWS Load Balancer Controller's port name for backends that are actions in an annotation, not Services."""


@diagnostic(
    code="KD2301",
    subject=Ingress,
    severity=Severity.CRITICAL,
    reads=(Ingress, Service),
    symptoms=("503", "502", "Service Unavailable"),
)
def backend_missing(ingress: Ingress, cluster: Cluster) -> Iterator[Finding]:
    if ingress.metadata.deletion_timestamp is not None:
        return
    for path, where, backend in _backends(ingress):
        target = backend.service
        if target is None or not target.name or target.port.name == NO_SERVICE:
            continue
        service = cluster.get(Service, ingress.namespace, target.name)
        if service is None:
            yield _no_service(ingress, path, where, target, cluster)
        elif service.spec.type != "ExternalName" and not _has_port(service, target):
            yield _no_port(ingress, path, where, target, service)


def _backends(ingress: Ingress) -> Iterator[tuple[str, str, IngressBackend]]:
    """The path of each backend in the object, and the requests that go there."""
    if ingress.spec.default_backend is not None:
        yield "spec.defaultBackend", "the default backend", ingress.spec.default_backend
    for at, rule in enumerate(ingress.spec.rules or ()):
        for number, path in enumerate((rule.http.paths if rule.http else None) or ()):
            yield f"spec.rules[{at}].http.paths[{number}].backend", f"{rule.host}{path.path or '/'}", path.backend


def _has_port(service: Service, target: IngressServiceBackend) -> bool:
    ports = service.spec.ports or ()
    if target.port.name:
        return any(port.name == target.port.name for port in ports)
    return not target.port.number or any(port.port == target.port.number for port in ports)


def _no_service(ingress: Ingress, path: str, where: str, target: IngressServiceBackend, cluster: Cluster) -> Finding:
    names = [service.name for service in cluster.maybe.all(Service, ingress.namespace)]
    near = next(iter(misspellings(target.name, names, 1)), "")
    same = [service for service in cluster.maybe.all(Service) if service.name == target.name]
    guess = f"; did you mean {near}?" if near else ""
    if same and not near:
        guess = f"; Service {same[0].namespace}/{target.name} is in another namespace, which an Ingress cannot use"
    return Finding(
        about=ref(ingress),
        aspect=target.name,
        summary=f"Service {target.name} for {where} does not exist in namespace {ingress.namespace}{guess}"
        if same and not near and ingress.namespace
        else f"Service {target.name} for {where} does not exist{guess}",
        confidence=Confidence.CERTAIN,
        evidence=(quote(ingress, f"{path}.service.name", "no Service of this name in the namespace"),),
        fixes=_repairs(ingress, near, same),
        commands=(Command(kubectl("get", "services", namespace=ingress.namespace), "the Services of the namespace"),),
    )


def _repairs(ingress: Ingress, near: str, same: list[Service]) -> tuple[Fix, ...]:
    if near:
        return (_edit(ingress, f"Change the Service to {near}"),)
    return tuple(
        Fix(f"Create the Ingress in namespace {service.namespace}, beside its Service") for service in same[:1]
    )


def _no_port(ingress: Ingress, path: str, where: str, target: IngressServiceBackend, service: Service) -> Finding:
    ports = service.spec.ports or ()
    field, value = ("name", target.port.name) if target.port.name else ("number", str(target.port.number))
    has = ", ".join(f"{port.port} ({port.name})" if port.name else str(port.port) for port in ports) or "none"
    evidence = [quote(ingress, f"{path}.service.port.{field}", "the Service has no such port")]
    if ports:
        evidence.append(quote(service, "spec.ports", "ports of the Service"))
    return Finding(
        about=ref(ingress),
        aspect=f"{target.name}:{value}",
        summary=f"Service {target.name} for {where} has no port {value}; its ports: {has}",
        confidence=Confidence.CERTAIN,
        evidence=tuple(evidence),
        fixes=(_edit(ingress, _right_port(field, ports[0].name, ports[0].port)),) if len(ports) == 1 else (),
        commands=(
            Command(
                kubectl("get", "service", service.name, "-o", "yaml", namespace=service.namespace),
                "the ports of the Service",
            ),
        ),
    )


def _right_port(field: str, name: str, number: int) -> str:
    """In the field that the Ingress has; a port without a name has only its number."""
    if field == "number":
        return f"Change port.number to {number}"
    return f"Change port.name to {name}" if name else f"Use port.number {number} instead of port.name"


def _edit(ingress: Ingress, summary: str) -> Fix:
    return Fix(summary, edit_command(ref(ingress)))
