"""Istio: two VirtualServices route the same host.

## What it means
Sidecars use one VirtualService for a host. Of several with the same host the oldest counts, and the rules of the others are
ignored: their subsets, timeouts and faults have no effect.

## Why it happens
- Two teams, or two charts, each brought a VirtualService for the host.
- The VirtualService was renamed, and the old one was left.

## How to fix it
Merge the rules into one VirtualService, or delegate from one to the others. VirtualServices that are bound to a gateway are
merged by Istio itself.

## References
- https://istio.io/latest/docs/reference/config/analysis/ist0109/
- https://istio.io/latest/docs/ops/best-practices/traffic-management/#split-virtual-services
"""

from __future__ import annotations

from collections.abc import Iterator

from diagnostics.mesh._config import settling
from kubedoctor.cluster import Cluster, CustomResource
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
from kubedoctor.replay.mesh.analysis.objects import AnalyzedObjects
from kubedoctor.replay.mesh.analysis.traffic.virtual_services import analyze_mesh_hosts
from kubedoctor.replay.mesh.attachment import age
from kubedoctor.replay.mesh.config import NETWORKING, VIRTUAL_SERVICE, rows, words
from kubedoctor.replay.mesh.registry import full_name

_PROTOCOLS = ("http", "tls", "tcp")


@diagnostic(
    code="KD6016",
    subject=VIRTUAL_SERVICE,
    severity=Severity.WARNING,
    reads=(VIRTUAL_SERVICE,),
    also_known_as=("IST0109",),
    symptoms=("route ignored",),
)
def hosts_claimed_twice(service: CustomResource, cluster: Cluster) -> Iterator[Finding]:
    if settling(service, cluster):
        return
    mine = _hosts(service)
    beginnings = tuple({host.partition(".")[0] for host in mine})
    others = [
        one
        for one in cluster.custom("VirtualService", NETWORKING)
        if one is not service
        and any(host.startswith(beginnings) for host in words(one.spec, "hosts"))  # A short test first.
        and mine & _hosts(one)
    ]
    for other in sorted(others, key=age):
        if not _protocols(service) & _protocols(other):
            continue  # Rules for HTTP and for TCP of a host stand side by side.
        if age(other) > age(service) or other.metadata.deletion_timestamp is not None:
            continue
        pair = AnalyzedObjects(custom={VIRTUAL_SERVICE: (service, other)})
        if not any(message.name == service.name for message in analyze_mesh_hosts(pair)):
            continue
        host = min(mine & _hosts(other))
        at = [full_name(one, service.namespace) for one in words(service.spec, "hosts")].index(host)
        where = [full_name(one, other.namespace) for one in words(other.spec, "hosts")].index(host)
        yield Finding(
            about=ref(service),
            aspect=host,
            summary=f"its rules for {host} are ignored by sidecars: {ref(other).title}, which {_precedence(other, service)}, routes the same host",
            evidence=(
                quote(service, f"spec.hosts[{at}]", "the host of both"),
                quote(other, f"spec.hosts[{where}]", "this one counts"),
            ),
            confidence=Confidence.LIKELY,
            affects=(ref(other),),
            fixes=(Fix(f"Merge its rules into {ref(other).title}, then delete it", edit_command(ref(other))),),
            commands=(
                Command(kubectl("get", f"virtualservices.{NETWORKING}", "-A"), "all rules with their hosts and ages"),
            ),
        )
        return


def _precedence(other: CustomResource, service: CustomResource) -> str:
    """Why Istio takes the other one: the age, else the name."""
    same = other.metadata.creation_timestamp == service.metadata.creation_timestamp
    return "is as old and comes first by its name" if same else "is older"


def _protocols(service: CustomResource) -> set[str]:
    return {protocol for protocol in _PROTOCOLS if any(rows(service.spec, protocol))}


def _hosts(service: CustomResource) -> set[str]:
    return {full_name(host, service.namespace) for host in words(service.spec, "hosts")}
