"""Which pools MetalLB's speakers announce (`internal/config/config.go` setL2AdvertisementsToPools, setBGPAdvertisementsToPools,
v0.14)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

import msgspec

from kubedoctor.cluster.grammar.selectors import SelectorError, selector_of
from kubedoctor.cluster.kinds.core import Node, Service
from kubedoctor.cluster.kinds.meta import CustomResource, LabelSelector

GROUP: Final = "metallb.io"
POOL: Final = f"IPAddressPool.{GROUP}"
ADVERTISEMENTS: Final = ("L2Advertisement", "BGPAdvertisement")
_OF_POOL: Final = (f"{GROUP}/ip-allocated-from-pool", "metallb.universe.tf/ip-allocated-from-pool")


def pool_of(service: Service) -> str:
    """The pool from which the controller took the address of a Service; empty where it wrote none (before v0.13.6)."""
    return next((name for key in _OF_POOL if (name := service.annotations.get(key, ""))), "")


def selects(advertisement: CustomResource, pool: CustomResource) -> bool:
    """Whether an advertisement is for a pool: by name, by the pool's labels, or for all as it names none. A selector that
    cannot be read counts as one that matches."""
    spec = advertisement.spec or {}
    names, selectors = spec.get("ipAddressPools") or (), spec.get("ipAddressPoolSelectors") or ()
    if advertisement.namespace != pool.namespace:
        return False
    return (not names and not selectors) or pool.name in names or _any_matches(selectors, pool.labels)


def has_node(advertisement: CustomResource, nodes: Iterable[Node]) -> bool:
    """Whether it is announced from a node."""
    selectors = (advertisement.spec or {}).get("nodeSelectors") or ()
    return not selectors or any(_any_matches(selectors, node.labels) for node in nodes)


def _any_matches(selectors: Iterable[object], labels: Mapping[str, str]) -> bool:
    for selector in selectors:
        try:
            if selector_of(msgspec.convert(selector or {}, LabelSelector)).matches(labels):
                return True
        except (SelectorError, msgspec.ValidationError):
            return True
    return False
