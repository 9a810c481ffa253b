"""Which Services some diagnostics are about: predicates that are asked without importing those."""

from __future__ import annotations

from typing import Final

from kubedoctor.cluster import DaemonSet, Service

TOPOLOGY_MODES: Final = ("service.kubernetes.io/topology-mode", "service.kubernetes.io/topology-aware-hints")
"""Annotations that ask for hints in proportion to the CPUs of zones; the second is the older one."""


def is_load_balancer(service: Service) -> bool:
    """A controller is to give it an address, and to keep its load balancer as written."""
    return service.spec.type == "LoadBalancer" and service.metadata.deletion_timestamp is None


def sends_to_numbers(service: Service) -> bool:
    """A named port leaves out the pods that do not have it."""
    if not service.spec.selector or service.spec.type == "ExternalName" or service.spec.is_headless:
        return False
    return any(isinstance(port.target_port or port.port, int) for port in service.spec.ports or ())


def is_alias(service: Service) -> bool:
    """Its name stands for another name."""
    return service.spec.type == "ExternalName" and bool(service.spec.external_name)


def has_endpoints(service: Service) -> bool:
    """EndpointSlices tell where its traffic goes."""
    return service.spec.type != "ExternalName" and service.metadata.deletion_timestamp is None


def states_families(service: Service) -> bool:
    """It selects pods for the IP families that it states."""
    return bool(service.spec.selector and service.spec.ip_families) and service.spec.type != "ExternalName"


def has_numbers(service: Service) -> bool:
    """It selects pods and sends to a port number: a named port has the protocol of the pods' declaration."""
    ports = service.spec.ports or ()
    return bool(service.spec.selector) and any(not isinstance(port.target_port, str) for port in ports)


def is_local(service: Service) -> bool:
    """It only sends to endpoints on the same node."""
    return service.spec.internal_traffic_policy == "Local" or (
        service.spec.external_traffic_policy == "Local" and is_load_balancer(service)
    )


def prefers_near(service: Service) -> bool:
    """Its endpoints may have hints for the zones or nodes of clients."""
    return bool(service.spec.traffic_distribution) or any(name in service.annotations for name in TOPOLOGY_MODES)


def is_kube_proxy(daemon_set: DaemonSet) -> bool:
    """It writes the rules for Services on each node."""
    return daemon_set.name == "kube-proxy" and daemon_set.namespace == "kube-system"
