"""Why a network plugin has no address left in the range of a node: pods have them all, or addresses of pods that are gone
were not given back."""

from __future__ import annotations

import ipaddress
import re
from typing import Final, NamedTuple

from kubedoctor.cluster import Cluster, Node, Pod, counted, finished, has_path, quote
from kubedoctor.findings import Evidence, Fix
from kubedoctor.replay.network.overlaps import address_of, addresses_of

_RANGE: Final = re.compile(r"no IP addresses available in range set: ([\d.]+)-([\d.]+)")
"""Of the plug-in host-local, which flannel, kindnet and the bridge plug-ins use (`containernetworking/plugins`,
`plugins/ipam/host-local/backend/allocator`)."""
_MOST: Final = 0.9
"""Of the addresses: pods that are just being created or deleted have some as well."""
_A_FEW: Final = 0.5


class RangeUse(NamedTuple):
    """clause: for the summary."""

    clause: str
    fix: Fix
    evidence: tuple[Evidence, ...]


def use_of_the_range(pod: Pod, message: str, cluster: Cluster) -> RangeUse | None:
    """None for other plugins, and where the pods of the node do not tell it."""
    found = _RANGE.search(message)
    first, last = (address_of(found[1]), address_of(found[2])) if found is not None else (None, None)
    if not isinstance(first, ipaddress.IPv4Address) or not isinstance(last, ipaddress.IPv4Address):
        return None
    size, node = int(last) - int(first) + 1, cluster.maybe.get(Node, "", pod.spec.node_name)
    users = [other for other in cluster.maybe.pods_on(pod.spec.node_name) if _has_one(other, first, last)]
    if size <= 1 or node is None or not users:
        return None
    name, path, most = pod.spec.node_name, "status.allocatable[pods]", (node.status.allocatable or {}).get("pods", "")
    allowed = (quote(node, path, "so many pods may run there"),) if has_path(node, path) else ()
    if len(users) >= size * _MOST - 1:
        more = f", and the node may run {most}" if most.isdecimal() and int(most) > size else ""
        return RangeUse(
            f"; its range has {size} addresses, {counted(len(users), 'pod')} {'has' if len(users) == 1 else 'have'} one{more}",
            Fix(
                f"Lower maxPods of the kubelet of node {name} to {size}, so that the scheduler places the pod elsewhere, or give"
                " new nodes larger ranges (--node-cidr-mask-size)"
            ),
            allowed,
        )
    if len(users) > size * _A_FEW:
        return None
    return RangeUse(
        f"; only {counted(len(users), 'pod')} of the node {'has' if len(users) == 1 else 'have'} one of its {size} addresses:"
        " those of pods that are gone were not given back",
        Fix(
            f"On node {name}, delete the files in /var/lib/cni/networks whose addresses no pod has, or drain the node and"
            " restart it"
        ),
        (quote(users[0], "status.podIP", "an address that is in use"),),
    )


def _has_one(pod: Pod, first: ipaddress.IPv4Address, last: ipaddress.IPv4Address) -> bool:
    if pod.spec.host_network or finished(pod):
        return False
    return any(
        isinstance(own := address_of(text), ipaddress.IPv4Address) and first <= own <= last
        for text in addresses_of(pod)
    )
