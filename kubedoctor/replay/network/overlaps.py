"""Ranges of addresses that must not overlap: of pods, of Services and of nodes. An address that two of them have is sent to
one of the two only, by the routes and rules of each node."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from kubedoctor.cluster.kinds.core import Node, Service
from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.cluster.triage import finished

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_SMALL = 12
"""The prefix length of a range that has at most 16 pairs of first numbers."""


class NodeRange(NamedTuple):
    """A node's part of the pod range. pod: one that has an address in it, so that the range is in use."""

    network: Network
    node: Node
    path: str
    pod: Pod


class OwnAddress(NamedTuple):
    address: Address
    node: Node
    path: str


class SharedRange(NamedTuple):
    """Two nodes whose pods get the same addresses."""

    first: NodeRange
    second: NodeRange


class NodeInPods(NamedTuple):
    """A node whose own address is in the range of pods."""

    address: OwnAddress
    range: NodeRange


class _Waiting(NamedTuple):
    """A range of which no pod has been seen yet. starts: what its addresses begin with."""

    network: Network
    path: str
    node: Node
    starts: tuple[str, ...]


def network_of(text: str) -> Network | None:
    """None where it is none."""
    try:
        return ipaddress.ip_network(text.strip(), strict=False)
    except ValueError:
        return None


def address_of(text: str) -> Address | None:
    """None where it is none."""
    try:
        return ipaddress.ip_address(text.strip())
    except ValueError:
        return None


def ranges_in_use(nodes: Iterable[Node], pods: Iterable[Pod]) -> tuple[NodeRange, ...]:
    """The pod ranges of nodes from which pods really have addresses: network plugins that give out addresses by
    themselves leave them unused. Sorted by their first address."""
    waiting: dict[str, list[_Waiting]] = {}
    for node in nodes:
        for path, text in ranges_of(node):
            if (network := network_of(text)) is not None:
                waiting.setdefault(node.name, []).append(_Waiting(network, path, node, _starts(network)))
    found: list[NodeRange] = []
    for pod in pods:
        left = waiting.get(pod.spec.node_name)
        if not left or not _has_its_own(pod):
            continue
        used = [one for one in left if _has_address(pod, one.network, one.starts)]
        if used:
            found += [NodeRange(one.network, one.node, one.path, pod) for one in used]
            waiting[pod.spec.node_name] = [one for one in left if one not in used]
    return tuple(sorted(found, key=lambda one: (*_span(one.network), one.node.name)))


def unused_ranges(nodes: Iterable[Node], pods: Iterable[Pod]) -> bool:
    """Whether all pods of the nodes have addresses outside of their nodes' ranges. False where no pod tells it."""
    pods = [pod for pod in pods if _has_its_own(pod) and addresses_of(pod)]
    return bool(pods) and not ranges_in_use(nodes, pods)


def node_addresses(nodes: Iterable[Node]) -> tuple[OwnAddress, ...]:
    """With these they talk to each other; sorted."""
    found = []
    for node in nodes:
        for index, row in enumerate(node.status.addresses or ()):
            if row.type == "InternalIP" and (address := address_of(row.address)) is not None:
                found.append(OwnAddress(address, node, f"status.addresses[{index}].address"))
    return tuple(sorted(found, key=lambda one: (one.address.version, int(one.address), one.node.name)))


def every_address(node: Node) -> frozenset[Address]:
    """By which the node itself is reached: those of its status, and those of its bridge and tunnel that network plugins write
    into annotations (`projectcalico.org/IPv4VXLANTunnelAddr`, `network.cilium.io/ipv4-cilium-host`)."""
    texts = [row.address for row in node.status.addresses or ()]
    texts += [value.partition("/")[0] for value in node.annotations.values()]
    return frozenset(address for text in texts if (address := address_of(text)) is not None)


def shared_ranges(ranges: tuple[NodeRange, ...]) -> Iterator[SharedRange]:
    """Ranges are sorted: one that overlaps an earlier range overlaps the one that reaches furthest."""
    furthest: NodeRange | None = None
    for one in ranges:
        if furthest is not None and one.node.name != furthest.node.name and one.network.overlaps(furthest.network):
            yield SharedRange(furthest, one)
        if furthest is None or _end(one.network) > _end(furthest.network):
            furthest = one


def nodes_in_pods(addresses: tuple[OwnAddress, ...], ranges: tuple[NodeRange, ...]) -> Iterator[NodeInPods]:
    """The nodes whose addresses are in a range of pods. In its own range a node has the address of the pods' bridge, and some
    list it beside that of the machine."""
    at = 0
    for address in addresses:
        place = (address.address.version, int(address.address))
        while at < len(ranges) and _end(ranges[at].network) < place:
            at += 1
        if at < len(ranges) and address.address in ranges[at].network and not _is_bridge(address, ranges[at]):
            yield NodeInPods(address, ranges[at])


def _is_bridge(address: OwnAddress, range_: NodeRange) -> bool:
    """The node has an address of the same family outside of its range."""
    return address.node.name == range_.node.name and any(
        other.address.version == address.address.version and other.address not in range_.network
        for other in node_addresses((address.node,))
    )


def services_in(network: Network, services: Iterable[Service]) -> Iterator[tuple[Service, Address, str]]:
    """The Services whose own address is in a range, with its path."""
    for service in services:
        for index, text in enumerate(service.spec.cluster_ips or (service.spec.cluster_ip,)):
            if text and text != "None" and (address := address_of(text)) is not None and address in network:
                same = text == service.spec.cluster_ip
                yield service, address, "spec.clusterIP" if same else f"spec.clusterIPs[{index}]"


def pods_in(network: Network, pods: Iterable[Pod]) -> Iterator[Pod]:
    """The pods that have an address of their own in a range."""
    starts = _starts(network)
    for pod in pods:
        if _has_its_own(pod) and _has_address(pod, network, starts):
            yield pod


def _has_its_own(pod: Pod) -> bool:
    """A finished pod still shows an address that another may have by now."""
    return not pod.spec.host_network and not finished(pod)


def _has_address(pod: Pod, network: Network, starts: tuple[str, ...]) -> bool:
    return any(
        text.startswith(starts) and (address := address_of(text)) is not None and address in network
        for text in addresses_of(pod)
    )


def addresses_of(pod: Pod) -> tuple[str, ...]:
    """All, of both families."""
    return tuple(one.ip for one in pod.status.pod_ips or ()) or ((pod.status.pod_ip,) if pod.status.pod_ip else ())


def path_of_address(pod: Pod, network: Network) -> str:
    """The path of a pod's address in a range; of its first address where none is."""
    first = address_of(pod.status.pod_ip)
    if first is not None and first in network:
        return "status.podIP"
    paths = (
        f"status.podIPs[{index}].ip"
        for index, row in enumerate(pod.status.pod_ips or ())
        if (address := address_of(row.ip)) is not None and address in network
    )
    return next(paths, "status.podIP")


def ranges_of(node: Node) -> Iterator[tuple[str, str]]:
    """The pod ranges of a node as it states them, each with its path."""
    if node.spec.pod_cidrs:
        yield from ((f"spec.podCIDRs[{index}]", text) for index, text in enumerate(node.spec.pod_cidrs))
    elif node.spec.pod_cidr:
        yield "spec.podCIDR", node.spec.pod_cidr


def _starts(network: Network) -> tuple[str, ...]:
    """What the addresses of a range begin with: to read those of all pods takes long in a large cluster."""
    if not isinstance(network, ipaddress.IPv4Network) or network.prefixlen < _SMALL:
        return ("",)
    first, last = (int(one) >> 16 for one in (network.network_address, network.broadcast_address))
    return tuple(f"{pair >> 8}.{pair & 255}." for pair in range(first, last + 1))


def _span(network: Network) -> tuple[int, int, int]:
    return network.version, int(network.network_address), -network.prefixlen


def _end(network: Network) -> tuple[int, int]:
    return network.version, int(network.broadcast_address)
