"""Which Service takes a connection to an address: at its cluster addresses, those of its load balancer, its external
addresses and the ports of nodes."""

from __future__ import annotations

from kubedoctor.answers.reach.destination import ReachEnd
from kubedoctor.cluster.kinds.core import Node, Service, ServicePort
from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.cluster.seen.reading import Cluster
from kubedoctor.replay.services.hosts import service_with_address
from kubedoctor.replay.services.proxy import balancer_ips, service_port


def entered_by(end: ReachEnd, cluster: Cluster) -> tuple[Service, ServicePort | None] | None:
    """The Service, and its port where it was entered from without; None for an address that no Service takes."""
    services = cluster.maybe.all(Service)
    service = service_with_address(end.host, services)
    if service is not None:
        return service, None
    for row in services:
        if end.host in (*balancer_ips(row), *(row.spec.external_ips or ())):
            port = service_port(row, end.number, end.protocol)
            if port is not None:
                return row, port
    found = _with_node_port(end, services)
    return found if found is not None and end.host in _node_addresses(cluster) else None


def at_node(end: ReachEnd, cluster: Cluster) -> tuple[Service, ServicePort] | None:
    """The Service behind a port of any node."""
    return _with_node_port(end, cluster.maybe.all(Service))


def _with_node_port(end: ReachEnd, services: tuple[Service, ...]) -> tuple[Service, ServicePort] | None:
    for service in services:
        for row in service.spec.ports or ():
            if end.number and row.node_port == end.number and (row.protocol or "TCP") == end.protocol:
                return service, row
    return None


def _node_addresses(cluster: Cluster) -> set[str]:
    """As nodes say, and as their pods do."""
    addresses = {row.address for node in cluster.maybe.all(Node) for row in node.status.addresses or ()}
    return addresses | {pod.status.host_ip for pod in cluster.maybe.all(Pod)} - {""}
