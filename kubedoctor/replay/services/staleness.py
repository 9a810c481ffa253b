"""Endpoints of a Service that do not agree with its pods: addresses of no pod, and ready pods that no slice lists."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from kubedoctor.cluster.kinds.core import Node, Service
from kubedoctor.cluster.kinds.meta import condition
from kubedoctor.cluster.kinds.networking import Endpoint, EndpointSlice
from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.cluster.relations.workloads import controller_of
from kubedoctor.cluster.triage import finished, ready, terminating
from kubedoctor.replay.network.overlaps import (
    Address,
    Network,
    address_of,
    addresses_of,
    every_address,
    network_of,
    ranges_of,
)
from kubedoctor.replay.services.slices import CONTROLLER, MANAGED_BY, planned_slices

SETTLING: Final = timedelta(minutes=2)
"""The controller writes a change within seconds; pods and slices are not read at the same moment."""
MIRRORING: Final = "endpointslicemirroring-controller.k8s.io"
"""It copies Endpoints that were written by hand."""
_PEOPLE: Final = frozenset({"staff", "cluster-admins", "manual", "manually", "kubectl"})
"""Values of the label for slices that people keep: the documentation of EndpointSlices recommends such."""
_OF_NODES: Final = (0, 1)
"""Where in its range a node has addresses: of its tunnel (flannel.1) and of its bridge (cni0)."""
_LAST_CHANGE: Final = "endpoints.kubernetes.io/last-change-trigger-time"


class StaleEndpoint(NamedTuple):
    """An address that no pod has. path: of the endpoint's addresses in the slice. was_pod: it was the address of a pod when it
    was written."""

    slice: EndpointSlice
    path: str
    address: str
    was_pod: bool

    @property
    def by_controller(self) -> bool:
        """Kubernetes' own controller keeps the slice."""
        return kept_by_controller(self.slice)


def kept_by_controller(slice_: EndpointSlice) -> bool:
    """Whether Kubernetes' own controller keeps the slice by the selector of the Service."""
    return slice_.labels.get(MANAGED_BY) == CONTROLLER


def other_keeper(slice_: EndpointSlice) -> str:
    """The program, other than Kubernetes' own, that keeps the slice and would create it again; empty where people do."""
    label = slice_.labels.get(MANAGED_BY, "")
    if label and label not in (CONTROLLER, MIRRORING, *_PEOPLE):
        return label
    owner = controller_of(slice_)
    return owner.title if owner is not None and owner.kind not in ("Service", "Endpoints") else ""


def ready_addresses(slices: Iterable[EndpointSlice]) -> set[str]:
    """Where traffic is sent."""
    return {_address(row) for slice_ in slices for row in slice_.endpoints or () if row.is_ready and row.addresses}


def of_no_pod(
    slices: Iterable[EndpointSlice], pods: set[str], nodes: Iterable[Node], at: datetime
) -> tuple[StaleEndpoint, ...]:
    """Ready endpoints inside the pod range of a node with an address that is not among `pods`. Slices that changed lately
    may be newer than what was seen of the pods. By the first addresses of its range a node itself is reached, and by those
    that it has."""
    nodes = tuple(nodes)
    texts = (text for node in nodes for _, text in ranges_of(node))
    ranges = [network for text in texts if (network := network_of(text)) is not None]
    own = frozenset[Address]().union(*map(every_address, nodes))
    return tuple(
        StaleEndpoint(slice_, f"endpoints[{index}].addresses", _address(row), _names_pod(slice_, row))
        for slice_ in slices
        if _is_settled(slice_, at)
        for index, row in enumerate(slice_.endpoints or ())
        if row.is_ready
        and _address(row) not in pods
        and address_of(_address(row)) not in own
        and _within(_address(row), ranges, own=_names_pod(slice_, row))
    )


def left_out(
    service: Service,
    slices: Iterable[EndpointSlice],
    pods: Iterable[Pod],
    nodes: Callable[[], Iterable[Node]],
    at: datetime,
) -> tuple[Pod, ...]:
    """The ready pods that the controller would list, and that no slice has."""
    slices = tuple(slices)
    if not any(map(kept_by_controller, slices)):
        return ()
    listed = {text for row in slices for endpoint in row.endpoints or () for text in endpoint.addresses or ()}
    waiting = [pod for pod in pods if _is_due(pod, at) and not listed & set(addresses_of(pod))]
    planned = planned_slices(service, waiting, nodes()) if waiting else ()
    would = {row.pod.name for part in planned if part.ports for row in part.endpoints if row.ready}
    return tuple(pod for pod in waiting if pod.name in would)


def _is_due(pod: Pod, at: datetime) -> bool:
    stated = condition(pod.status.conditions, "Ready")
    since = stated.last_transition_time if stated is not None else None
    lasting = since is not None and at - since >= SETTLING
    return lasting and ready(pod) and bool(pod.status.pod_ip) and not finished(pod) and not terminating(pod)


def _is_settled(slice_: EndpointSlice, at: datetime) -> bool:
    changed = changed_at(slice_)
    created = slice_.metadata.creation_timestamp
    if kept_by_controller(slice_) and changed is None:
        return False
    return all(time is None or at - time >= SETTLING for time in (changed, created))


def changed_at(slice_: EndpointSlice) -> datetime | None:
    """When the pod or Service changed that the controller last wrote the slice for; None where it has not said so."""
    try:
        time = datetime.fromisoformat(slice_.annotations.get(_LAST_CHANGE, ""))
    except ValueError:
        return None
    return time if time.tzinfo is not None else None


def _address(endpoint: Endpoint) -> str:
    return next(iter(endpoint.addresses or ()), "")


def _names_pod(slice_: EndpointSlice, endpoint: Endpoint) -> bool:
    """Kubernetes' own controller lists addresses of pods only."""
    target = endpoint.target_ref
    return kept_by_controller(slice_) or (target is not None and target.kind == "Pod")


def _within(text: str, ranges: Iterable[Network], *, own: bool) -> bool:
    """own: the address was a pod's, so that it is not that of a node's bridge or tunnel."""
    address = address_of(text)
    if address is None:
        return False
    return any(
        address in network and (own or int(address) - int(network.network_address) not in _OF_NODES)
        for network in ranges
    )
