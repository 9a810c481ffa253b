"""The EndpointSlices that the controller writes for a Service.

Source: `staging/src/k8s.io/endpointslice` (reconciler.go, utils.go, trafficdist), v1.37. Slices are not split at their
largest size; which of many endpoints stand together is chance.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

import msgspec

from kubedoctor.cluster.kinds.core import Node, Service
from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.cluster.triage import finished, ready, terminating
from kubedoctor.replay.services.port_order import SlicePort, port_order
from kubedoctor.replay.services.ports import find_port
from kubedoctor.replay.services.proxy import SERVICE_NAME, ZONE_LABEL

HEADLESS_LABEL: Final = "service.kubernetes.io/headless"
MANAGED_BY: Final = "endpointslice.kubernetes.io/managed-by"
CONTROLLER: Final = "endpointslice-controller.k8s.io"
_SAME_NODE: Final = "PreferSameNode"
_SAME_ZONE: Final = ("PreferSameZone", _SAME_NODE)

SlicePorts = tuple[SlicePort, ...]
"""In the order in which the controller writes them."""


class PlannedEndpoint(msgspec.Struct, frozen=True):
    """zones, nodes: the hints, None where there are none."""

    address: str
    pod: Pod
    ready: bool
    serving: bool
    terminating: bool
    zone: str = ""
    zones: tuple[str, ...] | None = None
    nodes: tuple[str, ...] | None = None

    def hostname_for(self, service: Service) -> str:
        """The name that the cluster's DNS gives it: a pod has one below the Service that its subdomain names."""
        spec = self.pod.spec
        return spec.hostname if spec.subdomain == service.name and self.pod.namespace == service.namespace else ""


class PlannedSlice(msgspec.Struct, frozen=True):
    """Endpoints of one address family with the same ports."""

    family: str
    labels: Mapping[str, str]
    ports: SlicePorts
    endpoints: tuple[PlannedEndpoint, ...]


def planned_slices(
    service: Service, pods: Iterable[Pod], nodes: Iterable[Node], *, prefers_same: bool = True
) -> tuple[PlannedSlice, ...]:
    """The slices for the pods that the Service selects; one without endpoints where a family has none.

    prefers_same: whether the controller knows `PreferSameZone` and `PreferSameNode` (since 1.34, before that behind a
    feature gate).
    """
    known = {node.name: node for node in nodes}
    labels = {key: value for key, value in service.labels.items() if key not in (SERVICE_NAME, MANAGED_BY)}
    labels |= {SERVICE_NAME: service.name, MANAGED_BY: CONTROLLER}
    if service.spec.is_headless:
        labels[HEADLESS_LABEL] = ""
    slices: list[PlannedSlice] = []
    for family in families_of(service):
        groups: dict[SlicePorts, dict[str, PlannedEndpoint]] = {}
        for pod in pods:
            endpoint = _endpoint(pod, family, service, known, prefers_same)
            if endpoint is not None:
                groups.setdefault(_ports_at(pod, service), {})[pod.name] = endpoint
        for ports, endpoints in groups.items():
            rows = tuple(sorted(endpoints.values(), key=lambda row: row.address))
            slices.append(PlannedSlice(family, labels, ports, rows))
        if not groups:
            slices.append(PlannedSlice(family, labels, (), ()))
    return tuple(slices)


def families_of(service: Service) -> tuple[str, ...]:
    """By `ipFamilies`, else by its address; a headless Service without either has both."""
    if service.spec.ip_families:
        return service.spec.ip_families
    if service.spec.cluster_ip not in ("", "None"):
        return ("IPv6",) if ":" in service.spec.cluster_ip else ("IPv4",)
    return ("IPv4", "IPv6")


def lost_with_node(pod: Pod, service: Service, nodes: Iterable[str]) -> bool:
    """Whether the controller leaves a pod out because its node is not there; a Service that publishes every address keeps
    it."""
    return not finished(pod) and pod.spec.node_name not in nodes and not service.spec.publish_not_ready_addresses


def _endpoint(
    pod: Pod, family: str, service: Service, nodes: Mapping[str, Node], prefers_same: bool
) -> PlannedEndpoint | None:
    addresses = [row.ip for row in pod.status.pod_ips or () if row.ip] or [pod.status.pod_ip]
    address = next((text for text in addresses if text and (":" in text) == (family == "IPv6")), None)
    if address is None or finished(pod) or lost_with_node(pod, service, nodes):
        return None
    serving, ends = ready(pod), terminating(pod)
    node = nodes.get(pod.spec.node_name)
    zone = node.labels.get(ZONE_LABEL, "") if node is not None else ""
    answers = service.spec.publish_not_ready_addresses or (serving and not ends)
    distribution = service.spec.traffic_distribution or ""
    to_zone = distribution == "PreferClose" or (prefers_same and distribution in _SAME_ZONE)
    to_node = prefers_same and distribution == _SAME_NODE
    return PlannedEndpoint(
        address,
        pod,
        answers,
        serving,
        ends,
        zone,
        (zone,) if to_zone and zone and answers else None,
        (pod.spec.node_name,) if to_node and pod.spec.node_name and answers else None,
    )


def _ports_at(pod: Pod, service: Service) -> SlicePorts:
    """The ports that this pod resolves; a name that it does not have is left out."""
    found = []
    for port in service.spec.ports or ():
        number = find_port(pod, port)
        if number is not None:
            found.append((port.name, port.protocol or "TCP", number, port.app_protocol))
    return tuple(sorted(found, key=port_order))
