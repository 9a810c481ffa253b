"""Ports at which a program meets a pod or a node and no Service: of headless Services, and node ports."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_address, ip_network
from typing import Final

from diagnostics.pods.crashes._story import Story
from kubedoctor.cluster import Cluster, Node, Pod, Service, ServicePort, finished, listed, pods_selected_by
from kubedoctor.findings import Fix, quote, ref
from kubedoctor.replay.network.overlaps import addresses_of
from kubedoctor.replay.services.hosts import is_address
from kubedoctor.replay.services.ports import find_port

_NODE_PORTS: Final = range(30000, 32768)
"""The usual range of the API server (`--service-node-port-range`)."""
_SHOWN: Final = 3


def past_a_service(pod: Pod, host: str, port: int, cluster: Cluster) -> Story | None:
    """What a program called at this address, where no Service has it; its text is a target with a clause. None where neither
    a headless Service nor a node or the range of its pods tells more."""
    if not port or not is_address(host):
        return None
    found = _of_headless(host, port, cluster) or (_of_node(pod, host, port, cluster) if port in _NODE_PORTS else None)
    return found or _of_no_pod(host, port, cluster)


def _of_headless(host: str, port: int, cluster: Cluster) -> Story | None:
    """The name of a headless Service resolves to the pods, so nothing changes the port on the way to them."""
    for service, at, entry in _entries(cluster):
        if entry.port != port or not service.spec.is_headless or not service.spec.selector:
            continue
        target = next((row for row in pods_selected_by(service, cluster.maybe) if host in addresses_of(row)), None)
        number = find_port(target, entry) if target is not None else None
        if target is None or number is None or number == port:
            continue
        name = ref(service).title
        field = "targetPort" if entry.target_port else "port"
        return Story(
            f"{ref(target).title} ({host}:{port}) of headless {name}; no port is translated for a headless Service:"
            f" the pods take connections on port {number}",
            because_of=(ref(service),),
            evidence=(
                quote(service, "spec.clusterIP", "headless: its name resolves to the pods"),
                quote(service, f"spec.ports[{at}].{field}", f"port {number} of the pods"),
            ),
            fixes=(
                Fix(f"Use port {number} in the program's settings, or create {name} again without clusterIP: None"),
            ),
        )
    return None


def _of_node(pod: Pod, host: str, port: int, cluster: Cluster) -> Story | None:
    opened = [(service, at, entry.node_port) for service, at, entry in _entries(cluster) if entry.node_port]
    if cluster.gaps or any(number == port for _, _, number in opened):
        return None
    nodes = (row for row in cluster.maybe.all(Node) if host in (one.address for one in row.status.addresses or ()))
    if next(nodes, None) is None:
        return None
    text = f"{host}:{port}, a node; no Service has node port {port}"
    own = [row for row in opened if row[0].namespace == pod.namespace]
    if not own:
        return Story(text)
    has = listed([f"{ref(service).title} has {number}" for service, _, number in own], _SHOWN)
    service, at, number = own[0]
    fix = f"Use port {number} in the program's settings" if len(own) == 1 else "Use one of these ports"
    return Story(
        f"{text}; {has}",
        evidence=(quote(service, f"spec.ports[{at}].nodePort", "the port of the nodes"),),
        fixes=(Fix(f"{fix}, or set nodePort: {port} in the Service that is meant"),),
    )


def _of_no_pod(host: str, port: int, cluster: Cluster) -> Story | None:
    """An address from the range of a node's pods that none has; where all pods were seen."""
    if cluster.gaps or not cluster.has_all(Pod, ""):
        return None
    if any(host in addresses_of(row) for row in cluster.maybe.all(Pod) if not finished(row)):
        return None
    wanted = ip_address(host)
    for node in cluster.maybe.all(Node):
        for at, text in enumerate(node.spec.pod_cidrs or ()):
            if wanted in ip_network(text, strict=False):
                return Story(
                    f"{host}:{port}; no pod has this address: its pod was deleted or recreated",
                    evidence=(quote(node, f"spec.podCIDRs[{at}]", "the addresses of the pods on this node"),),
                    fixes=(Fix("Use the name of a Service in the program's settings, not the address of a pod"),),
                )
    return None


def _entries(cluster: Cluster) -> Iterator[tuple[Service, int, ServicePort]]:
    for service in cluster.maybe.all(Service):
        for at, entry in enumerate(service.spec.ports or ()):
            yield service, at, entry
