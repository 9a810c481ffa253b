"""Huge pages of a node that a container may not use: the kernel ends a program that touches them with SIGBUS."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from diagnostics.pods.crashes._story import Story
from kubedoctor.cluster import Cluster, Container, Node, Pod
from kubedoctor.findings import Ref, fix_by_hand, quote

_PREFIX: Final = "hugepages-"
_BUS_ERROR: Final = re.compile(r"\bbus error\b|\bSIGBUS\b|signal 7\b|exit code 135\b", re.IGNORECASE)


def says_bus_error(message: str) -> bool:
    return _BUS_ERROR.search(message) is not None


def huge_pages_refused(pod: Pod, container: Container, about: Ref, cluster: Cluster) -> Story | None:
    """Where the node has huge pages and the container has no limit for them, which allows none."""
    limits = (container.resources.limits if container.resources else None) or {}
    node = cluster.maybe.get(Node, "", pod.spec.node_name) if pod.spec.node_name else None
    if node is None or any(resource.startswith(_PREFIX) for resource in limits):
        return None
    size = _some(node.status.allocatable or {})
    if not size:
        return None
    amount = (node.status.allocatable or {})[size]
    text = f"bus error: node {node.name} has huge pages ({size} {amount}), of which container `{container.name}` may use none"
    fix = f"Let the program use no huge pages (PostgreSQL: huge_pages=off), or give container `{container.name}` a limit of {size}"
    evidence = quote(
        node, f"status.allocatable[{size}]", "the node's huge pages; a container without a limit may use none"
    )
    return Story(text, evidence=(evidence,), fixes=(fix_by_hand(about, fix),))


def _some(allocatable: Mapping[str, object]) -> str:
    """A size of huge pages that the node has."""
    found = (name for name, amount in allocatable.items() if name.startswith(_PREFIX) and str(amount).strip("0") != "")
    return next(iter(sorted(found)), "")
