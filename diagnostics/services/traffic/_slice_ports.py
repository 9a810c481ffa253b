"""Ports of a Service that its EndpointSlices, written by hand, name otherwise."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from kubedoctor.answers.proof import prove, proven
from kubedoctor.cluster import Cluster, EndpointSlice, Service, ServicePort, listed
from kubedoctor.cluster.changes import put
from kubedoctor.findings import Command, Confidence, Finding, Fix, Severity, command_line, kubectl, quote, ref
from kubedoctor.replay.services.slice_ports import SlicePorts, compare_ports
from kubedoctor.replay.services.slices import MANAGED_BY
from kubedoctor.replay.services.staleness import MIRRORING, other_keeper

_SHOWN: Final = 3


def misnamed_ports(service: Service, slices: Sequence[EndpointSlice], cluster: Cluster) -> Iterator[Finding]:
    """Only without a selector: else the controller gives the ports their names. DNS answers for a headless Service whatever
    its ports are."""
    ports = service.spec.ports or ()
    if service.spec.selector or service.spec.is_headless or not ports:
        return
    found = compare_ports(service, slices)
    if not found.unserved:
        return
    lacking = [ports[at] for at in found.unserved]
    names = listed([_named(port.name, port.protocol, port.port) for port in lacking], _SHOWN)
    alone = len(lacking) == len(ports)
    evidence = [quote(service, f"spec.ports[{at}].port", "a port without endpoint") for at in found.unserved[:_SHOWN]]
    evidence += [
        quote(row, f"ports[{at}].port", "a port that the Service does not have") for row, at in found.unused[:_SHOWN]
    ]
    yield Finding(
        about=ref(service),
        aspect="ports",
        summary=f"{'ports' if len(lacking) > 1 else 'port'} {names} of the Service {'have' if len(lacking) > 1 else 'has'}"
        f" no endpoint: {_given(found, slices)}",
        severity=Severity.CRITICAL if alone else None,
        confidence=Confidence.CERTAIN,
        evidence=tuple(evidence),
        fixes=(_fix(service, lacking, found, cluster),),
        commands=(
            Command(
                kubectl(
                    *("get", "endpointslices", "-l", f"kubernetes.io/service-name={service.name}", "-o", "yaml"),
                    namespace=service.namespace,
                ),
                "the ports, and who wrote them",
            ),
        ),
    )


def _given(found: SlicePorts, slices: Sequence[EndpointSlice]) -> str:
    if not found.unused:
        return f"{listed([ref(row).title for row in slices], _SHOWN)} {'lists' if len(slices) == 1 else 'list'} no such port"
    rows = {row.name for row, _ in found.unused}
    given = [(row.ports or ())[at] for row, at in found.unused]
    names = listed([_named(port.name, port.protocol, port.port) for port in given], _SHOWN)
    return f"EndpointSlice {listed(sorted(rows), _SHOWN)} has port {names}"


def _named(name: str | None, protocol: str | None, number: int | None) -> str:
    """`http (80)`, `53/UDP without a name`."""
    over = f"/{protocol}" if protocol not in (None, "TCP") else ""
    return f"{name} ({number}{over})" if name else f"{number}{over} without a name"


def _fix(service: Service, lacking: Sequence[ServicePort], found: SlicePorts, cluster: Cluster) -> Fix:
    if len(lacking) != 1 or len(found.unused) != 1:
        return Fix("Give the ports in the slices the names and the protocols of the Service's ports")
    wanted, (row, at) = lacking[0], found.unused[0]
    given = (row.ports or ())[at]
    if (given.protocol or "TCP") != (wanted.protocol or "TCP"):
        return Fix("Use the same protocol for the port in the Service and in the slice")
    what = f"to {wanted.name}" if wanted.name else "to an empty name"
    if row.labels.get(MANAGED_BY) == MIRRORING:
        return Fix(f"Set the name of the port in Endpoints {service.name} {what}: the slice is a copy of it")
    if keeper := other_keeper(row):
        return Fix(f"Find out why {keeper} gives the port in {ref(row).title} this name")
    change = put(ref(row), ("ports", at, "name"), wanted.name or "")

    def holds(after: Cluster) -> bool:
        return not compare_ports(service, after.slices_of(service.namespace, service.name)).unserved

    fix = Fix(f"Set the name of the port in {ref(row).title} {what}", command_line(change, row))
    return proven(fix, prove(change, cluster, holds))
