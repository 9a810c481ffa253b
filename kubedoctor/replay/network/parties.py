"""The two ends of a connection, as network policies see them."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping

import msgspec

from kubedoctor.cluster.kinds.core import Node
from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.cluster.kinds.references import Ref, ref

METADATA_NAME = "kubernetes.io/metadata.name"
_LEADING_ZEROS = re.compile(r"(?<![0-9A-Fa-f:])0+(?=[0-9])")

Address = tuple[int, int]
"""The IP version, 4 or 6, and the address as a number."""


class Party(msgspec.Struct, frozen=True):
    """One end of a connection: a pod, or an address that is not a pod's.

    pod: None for an address outside and for a pod on its node's network, which policies take for the node.
    address: None while a pod has none; no `ipBlock` matches it.
    ports: a pod's named ports as (name, protocol, number). node: where a pod or a program on the node's network runs.
    """

    pod: Ref | None = None
    labels: Mapping[str, str] = msgspec.field(default_factory=dict)
    namespace_labels: Mapping[str, str] = msgspec.field(default_factory=dict)
    address: Address | None = None
    ports: frozenset[tuple[str, str, int]] = frozenset()
    node: str = ""

    @classmethod
    def of_pod(cls, pod: Pod, namespace_labels: Mapping[str, str] | None, family: int = 0) -> Party:
        """A pod, by its first address or by that of IP `family` 4 or 6."""
        address = _address_of(pod, family)
        if pod.spec.host_network:
            return cls(address=address, node=pod.spec.node_name)
        return cls(
            pod=ref(pod),
            labels=pod.labels,
            namespace_labels={METADATA_NAME: pod.namespace, **(namespace_labels or {})},
            address=address,
            ports=_named_ports(pod),
            node=pod.spec.node_name,
        )

    @classmethod
    def of_node(cls, node: Node) -> Party:
        """A program on a node's network, such as its kubelet."""
        addresses = (parse_address(row.address) for row in node.status.addresses or () if row.type == "InternalIP")
        return cls(address=next((address for address in addresses if address is not None), None), node=node.name)

    @property
    def on_node_network(self) -> bool:
        """Whether it is known to run on a node, outside of every pod network."""
        return self.pod is None and bool(self.node)

    @classmethod
    def outside(cls, address: str) -> Party:
        """An address that is not a pod's; no `ipBlock` matches an invalid address."""
        return cls(address=parse_address(address))


def parse_address(text: str) -> Address | None:
    """An address; leading zeros are skipped as Kubernetes does, an IPv4 address inside IPv6 is IPv4."""
    try:
        address = ipaddress.ip_address(without_leading_zeros(text))
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    return address.version, int(address)


def without_leading_zeros(text: str) -> str:
    """IPv4 as `net.ParseIPSloppy` reads it: 010.0.0.1 is 10.0.0.1."""
    return text if ":" in text else _LEADING_ZEROS.sub("", text)


def _address_of(pod: Pod, family: int) -> Address | None:
    texts = [pod_ip.ip for pod_ip in pod.status.pod_ips or ()] or [pod.status.pod_ip]
    addresses = (parse_address(text) for text in texts)
    return next((address for address in addresses if address is not None and family in (0, address[0])), None)


def _named_ports(pod: Pod) -> frozenset[tuple[str, str, int]]:
    """Of the containers and of the init containers that keep running (`pkg/api/v1/pod.FindPort`, v1.37)."""
    sidecars = [container for container in pod.spec.init_containers or () if container.restarts_always]
    return frozenset(
        (port.name, port.protocol or "TCP", port.container_port)
        for container in (*pod.spec.containers, *sidecars)
        for port in container.ports or ()
        if port.name
    )
