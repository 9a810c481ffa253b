"""An EndpointSlice written by hand whose label names no Service, beside a Service that has none."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from kubedoctor.answers.proof import prove, proven
from kubedoctor.cluster import Cluster, EndpointSlice, Service, misspellings
from kubedoctor.cluster.changes import put
from kubedoctor.findings import Command, Confidence, Finding, Fix, Severity, command_line, kubectl, quote, ref
from kubedoctor.replay.services.staleness import ready_addresses

_LABEL: Final = "kubernetes.io/service-name"


def misnamed_slices(service: Service, cluster: Cluster) -> Iterator[Finding]:
    """Of a Service without selector and without a slice: the slice whose label is a misspelling of its name."""
    if service.spec.selector or not service.spec.ports:
        return
    slices = {
        row.labels[_LABEL]: row for row in cluster.maybe.all(EndpointSlice, service.namespace) if _LABEL in row.labels
    }
    services = {row.name for row in cluster.maybe.all(Service, service.namespace)}
    named = next(iter(misspellings(service.name, sorted(set(slices) - services), 1)), "")
    if cluster.gaps or not named or not ready_addresses([slices[named]]):
        return
    slice_ = slices[named]
    change = put(ref(slice_), ("metadata", "labels", _LABEL), service.name)

    def holds(after: Cluster) -> bool:
        return bool(ready_addresses(after.slices_of(service.namespace, service.name)))

    fix = Fix(f"Label {ref(slice_).title} with {_LABEL}={service.name}", command_line(change, slice_))
    yield Finding(
        about=ref(service),
        aspect="slice-label",
        summary=f"no EndpointSlice belongs to the Service: the label of {ref(slice_).title} names {named}, and there is no"
        " such Service",
        severity=Severity.CRITICAL,
        confidence=Confidence.LIKELY,
        evidence=(
            quote(slice_, f"metadata.labels[{_LABEL}]", f"the Service is {service.name}"),
            quote(service, "spec.ports", "it has no selector, so the slice decides"),
        ),
        would_disprove=f"the slice is meant for a Service {named} to come",
        fixes=(proven(fix, prove(change, cluster, holds)),),
        commands=(
            Command(
                kubectl("get", "endpointslices", "--show-labels", namespace=service.namespace),
                "for which Service each slice is",
            ),
        ),
    )
