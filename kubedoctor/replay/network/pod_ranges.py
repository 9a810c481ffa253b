"""Which part of the cluster's pod range each node gets (`pkg/controller/nodeipam/ipam/cidrset`, v1.37): equal parts of the
range, until none is left."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from typing import NamedTuple

from kubedoctor.cluster.kinds.core import Node

_Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class PodRanges(NamedTuple):
    """The parts that nodes have, of one address family. size: the prefix length of a part. room: how many parts the
    cluster's range has; None where the range is not known."""

    family: int
    size: int
    used: int
    whole: str = ""
    room: int | None = None

    @property
    def exhausted(self) -> bool:
        return self.room is not None and self.used >= self.room


def pod_ranges(nodes: Iterable[Node], cluster_ranges: str = "") -> tuple[PodRanges, ...]:
    """The ranges of the nodes that have any, by family. cluster_ranges: the value of `--cluster-cidr`."""
    wholes: dict[int, _Network] = {
        network.version: network for text in cluster_ranges.split(",") if (network := _network(text)) is not None
    }
    parts: dict[int, set[_Network]] = {}
    for node in nodes:
        for text in node.spec.pod_cidrs or filter(None, (node.spec.pod_cidr,)):
            if (network := _network(text)) is not None:
                parts.setdefault(network.version, set()).add(network)
    return tuple(_of_family(family, parts[family], wholes.get(family)) for family in sorted(parts))


def _of_family(family: int, parts: set[_Network], whole: _Network | None) -> PodRanges:
    size = max(network.prefixlen for network in parts)
    if whole is None or whole.prefixlen > size:
        return PodRanges(family, size, len(parts))
    return PodRanges(family, size, len(parts), str(whole), 1 << (size - whole.prefixlen))


def _network(text: str) -> _Network | None:
    try:
        return ipaddress.ip_network(text.strip(), strict=False)
    except ValueError:
        return None
