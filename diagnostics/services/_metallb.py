"""MetalLB's pools of addresses, and the Services that have them."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from kubedoctor.cluster import Cluster, CustomResource, Event, Service, listed
from kubedoctor.findings import Evidence, has_path, quote, ref

POOL: Final = "IPAddressPool.metallb.io"
_SHARED: Final = ("metallb.io/allow-shared-ip", "metallb.universe.tf/allow-shared-ip")
_NONE_LEFT: Final = re.compile(r"no available IPs|no matching|in pool|<nil>", re.IGNORECASE)
_MOST: Final = 3


class Pools(NamedTuple):
    words: str = ""
    evidence: tuple[Evidence, ...] = ()


def pools(service: Service, failure: Event, cluster: Cluster) -> Pools:
    """What its pools have, where MetalLB found no address; nothing for another controller."""
    signed = f"{failure.source.component} {failure.reporting_component}".lower()
    if "metallb" not in signed or not _NONE_LEFT.search(failure.message):
        return Pools()
    found = [one for one in cluster.maybe.custom("IPAddressPool", "metallb.io") if has_path(one, "spec.addresses")]
    if not found:
        return Pools()
    users = [other for other in cluster.maybe.all(Service) if ref(other) != ref(service) and _has_of(other, found)]
    named = [f"{one.name} ({', '.join(_ranges(one))})" for one in found]
    words = f"; pool {listed(named, _MOST)}"
    words += f", used by {listed((ref(one).title for one in users), _MOST)}" if users else ""
    evidence = [quote(one, "spec.addresses", "the addresses of the pool") for one in found[:_MOST]]
    mine = _key(service)
    other = next((one for one in users if _key(one) is not None), None)
    theirs = _key(other) if other is not None else None
    if mine is not None and other is not None and theirs is not None and mine[1] != theirs[1]:
        words += f"; they share an address only with equal sharing keys: {mine[1]} here, {theirs[1]} there"
        evidence += [quote(service, mine[0], "its sharing key"), quote(other, theirs[0], "the other's sharing key")]
    return Pools(words, tuple(evidence))


def _ranges(pool: CustomResource) -> tuple[str, ...]:
    rows = (pool.spec or {}).get("addresses")
    return tuple(row for row in rows if isinstance(row, str)) if isinstance(rows, list) else ()


def _has_of(service: Service, found: list[CustomResource]) -> bool:
    addresses = [row.ip for row in service.status.load_balancer.ingress or () if row.ip]
    return any(_within(address, text) for address in addresses for pool in found for text in _ranges(pool))


def _within(address: str, text: str) -> bool:
    """Of a range `a-b` or a network."""
    try:
        own = ipaddress.ip_address(address)
        first, dash, last = (part.strip() for part in text.partition("-"))
        if not dash:
            return own in ipaddress.ip_network(first, strict=False)
        return int(ipaddress.ip_address(first)) <= int(own) <= int(ipaddress.ip_address(last))
    except ValueError:
        return False


def _key(service: Service) -> tuple[str, str] | None:
    """The path and the value of its sharing key."""
    found: Iterator[str] = (name for name in _SHARED if name in service.annotations)
    name = next(found, None)
    return (f"metadata.annotations[{name}]", service.annotations[name]) if name is not None else None
