"""Topology hints leave the clients of a zone with too few endpoints.

## What it means
With `trafficDistribution` (PreferClose, PreferSameZone) or the annotation `service.kubernetes.io/topology-mode`
each endpoint has a hint: the zone whose clients use it. While all ready endpoints have hints and one is for a client's
zone, kube-proxy there sends to those alone, however many there are elsewhere. A zone with one endpoint sends everything to this one.

## Why it happens
- The pods are not spread over the zones as the clients are: nothing asks the scheduler for it, or a zone lost its nodes.
- The only endpoint of the zone is still listed as ready, and its pod does not answer.

## How to fix it
1. Spread the pods: `topologySpreadConstraints` with `topologyKey: topology.kubernetes.io/zone`, and at least two pods in each zone.
2. Or remove `trafficDistribution`, or the annotation: each client then uses all endpoints.

## References
- https://kubernetes.io/docs/concepts/services-networking/topology-aware-routing/
- https://kubernetes.io/docs/reference/networking/virtual-ips/#traffic-distribution
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from diagnostics.services._triage import TOPOLOGY_MODES, prefers_near
from kubedoctor.answers.proof import prove, proven
from kubedoctor.cluster import (
    Cluster,
    EndpointSlice,
    Node,
    Pod,
    Service,
    amount_of,
    counted,
    pods_selected_by,
    ready,
    ready_endpoints,
    terminating,
)
from kubedoctor.cluster.changes import drop
from kubedoctor.findings import (
    Command,
    Confidence,
    Evidence,
    Explains,
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
from kubedoctor.replay.services.proxy import (
    ZONE_LABEL,
    Fate,
    ProxyClient,
    ProxyEndpoint,
    ServiceProxy,
    cluster_ips,
)
from kubedoctor.replay.services.refusals import ConnectionRefusal, lost_by
from kubedoctor.replay.services.slices import planned_slices

_FIELD: Final = "trafficDistribution"
_FEW: Final = 2
"""A zone is starved where it has so many times fewer endpoints than its share of the CPUs."""
_REFUSED: Final = "refused"


@diagnostic(
    code="KD2014",
    subject=Service,
    severity=Severity.WARNING,
    reads=(Service, EndpointSlice, Node, Pod),
    when=prefers_near,
    explains=(Explains("affects", ("KD1003", "KD1012", "KD1013", "KD1014", "KD1016", "KD1029")),),
    symptoms=(_FIELD, "topology-mode", "TopologyAwareHintsEnabled", "timed out", "i/o timeout"),
)
def zone_starved(service: Service, cluster: Cluster) -> Iterator[Finding]:
    """Only where a client's log tells of it: most zones with few endpoints have few clients."""
    if not prefers_near(service) or not any(row.hints for row in ready_endpoints(service, cluster.maybe)):
        return
    for port in service.spec.ports or ():
        lost = lost_by(service, port, set(), cluster)
        if lost is None or _REFUSED in lost.tail.lines[lost.index].lower():
            continue
        node = cluster.maybe.get(Node, "", lost.pod.spec.node_name)
        if node is None or not node.labels.get(ZONE_LABEL):
            continue
        slices = cluster.maybe.slices_of(service.namespace, service.name)
        address = next(iter(cluster_ips(service)), "")
        verdict = ServiceProxy([service], slices, node).connect(
            address, port.port, port.protocol or "TCP", ProxyClient()
        )
        hints = [row.endpoint.hints for row in verdict.endpoints]
        if verdict.fate is not Fate.SENT or verdict.why != "hints" or any(row and row.for_nodes for row in hints):
            continue  # Of the endpoints on its own node a client always has few.
        every = len(ready_endpoints(service, cluster.maybe))
        dead = _unready(verdict.endpoints, service, cluster)
        if len(dead) == len(verdict.endpoints) < every or _are_few(len(verdict.endpoints), every, node, cluster):
            yield _finding(service, lost, node, verdict.endpoints, every, dead, cluster)
            return


def _unready(chosen: Sequence[ProxyEndpoint], service: Service, cluster: Cluster) -> list[Pod]:
    """The pods of the chosen endpoints that do not answer, although their slice lists them."""
    names = {row.endpoint.target_ref.name for row in chosen if row.endpoint.target_ref is not None}
    pods = [pod for pod in pods_selected_by(service, cluster.maybe) if pod.name in names]
    return [pod for pod in pods if not ready(pod) or terminating(pod)]


def _are_few(chosen: int, every: int, node: Node, cluster: Cluster) -> bool:
    """Fewer than half of what the CPUs of the zone are a reason for, as the controller counts for `topology-mode`
    (`endpointslice/topologycache`)."""
    zones: dict[str, int] = {}
    for other in cluster.maybe.all(Node):
        zone = other.labels.get(ZONE_LABEL, "")
        amount = amount_of((other.status.allocatable or {}).get("cpu"))
        if zone and amount is not None:
            zones[zone] = zones.get(zone, 0) + amount.milli_value()
    total = sum(zones.values())
    return len(zones) > 1 and chosen * _FEW * total <= every * zones.get(node.labels[ZONE_LABEL], 0)


def _finding(
    service: Service,
    lost: ConnectionRefusal,
    node: Node,
    chosen: Sequence[ProxyEndpoint],
    every: int,
    dead: list[Pod],
    cluster: Cluster,
) -> Finding:
    zone = node.labels[ZONE_LABEL]
    mode = next((name for name in TOPOLOGY_MODES if name in service.annotations), "")
    path = f"metadata.annotations[{mode}]" if mode else f"spec.{_FIELD}"
    setting = f"{mode} is {service.annotations[mode]}" if mode else f"{_FIELD} is {service.spec.traffic_distribution}"
    all_dead = len(dead) == len(chosen)
    why = f", and {ref(dead[0]).title} is not ready" if all_dead else ""
    evidence: list[Evidence] = [
        quote(service, path, "endpoints get hints for zones"),
        quote(node, f"metadata.labels[{ZONE_LABEL}]", "zone of the client's node"),
        *(
            quote(pod, "status.conditions[type=Ready].status", "an endpoint for this zone")
            for pod in dead[:1]
            if all_dead
        ),
        quote_line(lost.tail, lost.index, "log of a client in the zone"),
    ]
    return Finding(
        about=ref(service),
        summary=f"clients in zone {zone} use {len(chosen)} of {counted(every, 'endpoint')}, because {setting}{why}:"
        f" connections of {ref(lost.pod).title} time out",
        confidence=Confidence.LIKELY if all_dead else Confidence.POSSIBLE,
        would_disprove="" if all_dead else f"the endpoints for zone {zone} have CPU and connections to spare",
        evidence=tuple(evidence),
        affects=(ref(lost.pod),),
        fixes=(
            _without_hints(service, mode, cluster),
            Fix(f"Or spread the pods over the zones (topologySpreadConstraints), so that zone {zone} has its share"),
        ),
        commands=(
            Command(
                kubectl(
                    "get", "endpointslices", "-l", f"kubernetes.io/service-name={service.name}", "-o", "yaml",
                    namespace=service.namespace,
                ),
                "zone and hints of each endpoint",
            ),
        ),
    )  # fmt: skip


def _without_hints(service: Service, mode: str, cluster: Cluster) -> Fix:
    """Of a field the replay of the controller tells that the hints go; those of the annotation it does not compute."""
    if mode:
        change = drop(ref(service), ("metadata", "annotations", mode))
        return Fix(f"Remove the annotation {mode}: clients then use all endpoints", command_line(change, service))
    change = drop(ref(service), ("spec", _FIELD))

    def holds(after: Cluster) -> bool:
        changed = after.get(Service, service.namespace, service.name)
        pods = pods_selected_by(service, after)
        plans = planned_slices(changed, pods, after.all(Node)) if changed is not None else ()
        return any(row.endpoints for row in plans) and not any(
            end.zones or end.nodes for row in plans for end in row.endpoints
        )

    fix = Fix(f"Remove {_FIELD}: clients then use all endpoints", command_line(change, service))
    return proven(fix, prove(change, cluster, holds))
