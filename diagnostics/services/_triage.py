"""Which Services some diagnostics are about: predicates that are asked without importing those."""

from __future__ import annotations

from kubedoctor.cluster import Service


def is_load_balancer(service: Service) -> bool:
    """A controller is to give it an address, and to keep its load balancer as written."""
    return service.spec.type == "LoadBalancer" and service.metadata.deletion_timestamp is None


def sends_to_numbers(service: Service) -> bool:
    """A named port leaves out the pods that do not have it."""
    if not service.spec.selector or service.spec.type == "ExternalName" or service.spec.is_headless:
        return False
    return any(isinstance(port.target_port or port.port, int) for port in service.spec.ports or ())
