"""Endpoints of a Service are wrong or out of date.

## What it means
The EndpointSlices of the Service list addresses that no pod has, or lack a pod that is ready. Connections to such an address
time out; a pod that is not listed gets no traffic. Or no slice has a port with the name and the protocol of the Service's
port: kube-proxy compares both, and refuses the connections to a port without endpoint.

## Why it happens
- The Service has no selector, or a second slice beside those of its selector, and somebody wrote the address of a pod into
  it. The pod was recreated since, with another address.
- The port in the slice has another name than in the Service, or has a name where the Service's port has none.
- The controller that keeps the slices (kube-controller-manager, or the operator of the Service) does not work.

Addresses outside of the nodes' pod ranges are not judged: they belong to hosts outside of the cluster. The first addresses of
a range are those of the node's own tunnel and bridge, by which its programs are reached.

## How to fix it
1. Give the Service a selector: Kubernetes then keeps the addresses itself. Delete the slice that was written by hand.
2. Give the port in the slice the name of the Service's port.
3. If a controller writes the slices, find out why it stopped.

## References
- https://kubernetes.io/docs/concepts/services-networking/service/#services-without-selectors
- https://kubernetes.io/docs/concepts/services-networking/endpoint-slices/
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Final

from diagnostics.services._triage import has_endpoints
from diagnostics.services.traffic._slice_ports import misnamed_ports
from kubedoctor.answers.proof import prove, proven
from kubedoctor.cluster import (
    Cluster,
    EndpointSlice,
    Node,
    Pod,
    Service,
    counted,
    finished,
    human_duration,
    listed,
    pods_selected_by,
)
from kubedoctor.cluster.changes import delete
from kubedoctor.findings import (
    Command,
    Confidence,
    Effect,
    Finding,
    Fix,
    Severity,
    diagnostic,
    kubectl,
    quote,
    ref,
)
from kubedoctor.replay.network.overlaps import addresses_of
from kubedoctor.replay.services.slices import MANAGED_BY
from kubedoctor.replay.services.staleness import (
    MIRRORING,
    StaleEndpoint,
    left_out,
    of_no_pod,
    other_keeper,
    ready_addresses,
)

_SHOWN: Final = 3
_READY: Final = "status.conditions[type=Ready].lastTransitionTime"
_CONTROLLER: Final = Fix("Find out why kube-controller-manager does not update the EndpointSlices")


@diagnostic(
    code="KD2007",
    subject=Service,
    severity=Severity.WARNING,
    reads=(Service, EndpointSlice, Pod, Node),
    when=has_endpoints,
    symptoms=("i/o timeout", "no route to host", "connection refused", "stale endpoints"),
)
def stale_endpoints(service: Service, cluster: Cluster) -> Iterator[Finding]:
    """Of a Service with a selector only where its slices were read anyway: while its controller works it is not worth a
    request."""
    if service.spec.selector and not cluster.has_all(EndpointSlice, service.namespace, _label(service)):
        return
    slices = [row for row in cluster.maybe.slices_of(service.namespace, service.name) if row.endpoints]
    if not slices:
        return
    selected = pods_selected_by(service, cluster)
    own = {address for pod in selected for address in addresses_of(pod)}
    if not ready_addresses(slices) <= own:
        yield from _of_no_pod(service, slices, own, cluster)
    yield from misnamed_ports(service, slices, cluster)
    lacking = left_out(service, slices, selected, partial(cluster.maybe.all, Node), cluster.taken_at)
    if lacking:
        yield _left_out(service, lacking, cluster)


def _of_no_pod(service: Service, slices: list[EndpointSlice], own: set[str], cluster: Cluster) -> Iterator[Finding]:
    cluster.require(Pod, Node)
    own = own | {address for pod in cluster.all(Pod) if not finished(pod) for address in addresses_of(pod)}
    stale = of_no_pod(slices, own, cluster.maybe.all(Node), cluster.taken_at)
    if not stale or cluster.gaps:
        return
    ready = ready_addresses(slices)
    lost = {row.address for row in stale}
    alone = ready == lost
    one = len(lost) == 1
    what = f"{listed(sorted(lost), _SHOWN)} {'is the address of no pod' if one else 'are addresses of no pod'}"
    share = (
        "no connection to the Service is answered"
        if alone
        else f"{len(lost)} of {counted(len(ready), 'endpoint')} does not answer"
        if one
        else f"{len(lost)} of {counted(len(ready), 'endpoint')} do not answer"
    )
    yield Finding(
        about=ref(service),
        summary=f"the endpoints are out of date: {what}, so {share}",
        severity=Severity.CRITICAL if alone else None,
        confidence=Confidence.LIKELY if any(row.was_pod for row in stale) else Confidence.POSSIBLE,
        evidence=tuple(
            quote(row.slice, row.path, "in the pod range of a node; no pod has it") for row in stale[:_SHOWN]
        ),
        would_disprove="something that is no pod has this address and answers",
        fixes=tuple(_fixes(service, stale, cluster, alone=alone)),
        commands=(_slices(service), Command(kubectl("get", "pods", "-A", "-o", "wide"), "the addresses of the pods")),
    )


def _fixes(service: Service, stale: tuple[StaleEndpoint, ...], cluster: Cluster, *, alone: bool) -> Iterator[Fix]:
    """By who keeps the slices: a controller would write a deleted slice again."""
    if any(row.by_controller for row in stale):
        yield _CONTROLLER
    kept = {row.slice.name: other_keeper(row.slice) for row in stale}
    for keeper in sorted(set(filter(None, kept.values()))):
        names = sorted(name for name, other in kept.items() if other == keeper)
        yield Fix(f"Find out why {keeper} does not update EndpointSlice {listed(names, _SHOWN)}")
    by_hand = tuple(row for row in stale if not row.by_controller and not kept[row.slice.name])
    if by_hand:
        yield _by_hand(service, by_hand, cluster, alone=alone)


def _by_hand(service: Service, stale: tuple[StaleEndpoint, ...], cluster: Cluster, *, alone: bool) -> Fix:
    lost = {row.address for row in stale}
    slices = list({ref(row.slice): row.slice for row in stale}.values())
    whole = all(ready_addresses([row]) <= lost for row in slices)
    copied = any(row.labels.get(MANAGED_BY) == MIRRORING for row in slices)
    if not service.spec.selector or alone or copied or not whole:
        return Fix("Give the Service a selector for its pods, or write the present addresses of the pods")
    change = delete(*map(ref, slices))

    def holds(after: Cluster) -> bool:
        return not lost & ready_addresses(after.slices_of(service.namespace, service.name))

    line = kubectl("delete", "endpointslice", *(row.name for row in slices), namespace=service.namespace)
    fix = Fix("Delete the slice that no controller keeps: the selector has slices of its own", line, Effect.CHANGES)
    return proven(fix, prove(change, cluster, holds))


def _left_out(service: Service, lacking: tuple[Pod, ...], cluster: Cluster) -> Finding:
    pod = lacking[0]
    since = next(row.last_transition_time for row in pod.status.conditions or () if row.type == "Ready")
    duration = human_duration(cluster.taken_at - since) if since is not None else ""
    more = f" ({counted(len(lacking), 'such pod')})" if len(lacking) > 1 else ""
    return Finding(
        about=ref(service),
        aspect="left-out",
        summary=f"{ref(pod).title} has been ready for {duration} and is in no EndpointSlice{more}: it gets no traffic",
        confidence=Confidence.CERTAIN,
        evidence=(
            quote(pod, _READY, "when it became ready"),
            quote(pod, "status.podIP", "no slice has this address"),
            quote(service, "spec.selector", "selects it"),
        ),
        affects=tuple(ref(row) for row in lacking),
        fixes=(_CONTROLLER,),
        commands=(_slices(service),),
    )


def _slices(service: Service) -> Command:
    line = kubectl("get", "endpointslices", "-l", _label(service), "-o", "yaml", namespace=service.namespace)
    return Command(line, "the addresses, and who wrote them")


def _label(service: Service) -> str:
    return f"kubernetes.io/service-name={service.name}"
