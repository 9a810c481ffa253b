"""Service without a selector has no endpoints.

## What it means
No controller finds endpoints for a Service without a selector: a person or another program lists them, in an Endpoints object
with the name of the Service, or in EndpointSlices with the label `kubernetes.io/service-name`. Here none is for the Service:
connections to it are refused.

## Why it happens
- The Endpoints object has another name than the Service, or the label of the EndpointSlice names another one.
- The addresses outside of the cluster were never listed.
- The selector was left out by mistake.

## How to fix it
Give the Endpoints object exactly the name of the Service, or set the label of the EndpointSlice.

## References
- https://kubernetes.io/docs/concepts/services-networking/service/#services-without-selectors
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from kubedoctor.cluster import Cluster, EndpointSlice, Pod, Service, controller_of, listed
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
    quote_line,
    ref,
)
from kubedoctor.replay.services.refusals import refused_by

_SERVICE_NAME: Final = "kubernetes.io/service-name"
_API_SERVER: Final = ("default", "kubernetes")
_SHOWN: Final = 3


def _is_kept_by_hand(service: Service) -> bool:
    """Nothing in Kubernetes itself finds its endpoints."""
    spec = service.spec
    named = (service.namespace, service.name)
    return not spec.selector and spec.type != "ExternalName" and bool(spec.ports) and named != _API_SERVER


@diagnostic(
    code="KD2015",
    subject=Service,
    severity=Severity.CRITICAL,
    reads=(Service, EndpointSlice, Pod),
    when=_is_kept_by_hand,
    symptoms=("connection refused", "no endpoints", "<none>"),
)
def endpoints_named_otherwise(service: Service, cluster: Cluster) -> Iterator[Finding]:
    if controller_of(service) is not None or service.metadata.deletion_timestamp is not None:
        return
    slices = cluster.all(EndpointSlice, service.namespace)
    if any(row.labels.get(_SERVICE_NAME) == service.name and row.endpoints for row in slices):
        return
    ports = service.spec.ports or ()
    refusal = next((found for port in ports if (found := refused_by(service, port, (), cluster)) is not None), None)
    meant = _of_no_service(service, slices, cluster)
    if refusal is None and meant is None:
        return  # Nobody is known to need it yet.
    evidence = [quote(service, "spec.ports", "no selector finds endpoints for them")]
    fixes = [Fix(f"List the addresses in an Endpoints object named {service.name}, or add a selector")]
    clause = ""
    if meant is not None:
        label = meant.labels.get(_SERVICE_NAME, "")
        addresses = listed((address for row in meant.endpoints or () for address in row.addresses or ()), _SHOWN)
        owner = controller_of(meant)
        clause = f"; {ref(meant).title} ({addresses}) is for Service {label or 'of no name'}, which does not exist"
        evidence.append(
            quote(meant, f"metadata.labels[{_SERVICE_NAME}]" if label else "metadata.name", "for whom it is")
        )
        if owner is not None and owner.kind == "Endpoints":
            clause = f"; the Endpoints are named {owner.name}, not {service.name} ({addresses})"
            fixes = [Fix(f"Create Endpoints named {service.name} with these addresses, and delete {owner.name}")]
        else:
            change = put(ref(meant), ("metadata", "labels", _SERVICE_NAME), service.name)
            fixes = [Fix(f"Set label {_SERVICE_NAME} to {service.name}", command_line(change, meant))]
    if refusal is not None:
        evidence.append(quote_line(refusal.tail, refusal.index, "log of a client of this Service"))
    yield Finding(
        about=ref(service),
        summary=f"no endpoints: it has no selector, and no EndpointSlice is for it{clause}",
        severity=None if refusal is not None else Severity.WARNING,
        confidence=Confidence.CERTAIN if refusal is not None else Confidence.LIKELY,
        evidence=tuple(evidence),
        affects=(ref(refusal.pod),) if refusal is not None else (),
        fixes=tuple(fixes),
        commands=(
            Command(
                kubectl("get", "endpointslices", "-L", _SERVICE_NAME, namespace=service.namespace),
                "the Service that each is for",
            ),
        ),
    )


def _of_no_service(service: Service, slices: tuple[EndpointSlice, ...], cluster: Cluster) -> EndpointSlice | None:
    """One with addresses that is for no Service, and has a port of this one."""
    numbers = {row.target_port or row.port for row in service.spec.ports or ()} | {
        row.port for row in service.spec.ports or ()
    }
    names = {row.name for row in cluster.all(Service, service.namespace)}
    fitting = [
        row
        for row in slices
        if row.endpoints
        and row.labels.get(_SERVICE_NAME, "") not in names
        and any(port.port in numbers for port in row.ports or ())
    ]
    return fitting[0] if len(fitting) == 1 else None
