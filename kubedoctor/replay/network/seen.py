"""The policies of administrators that were seen, and NetworkPolicies together with them."""

from __future__ import annotations

from collections.abc import Iterable

from kubedoctor.cluster.kinds.core import Node
from kubedoctor.cluster.kinds.networking import NetworkPolicy
from kubedoctor.cluster.kinds.references import kind_name
from kubedoctor.cluster.seen.reading import Cluster
from kubedoctor.replay.network.admin import ADMIN_KINDS, AnyAdminPolicy
from kubedoctor.replay.network.verdicts import PolicySet


def admin_policies(cluster: Cluster) -> tuple[AnyAdminPolicy, ...]:
    """Those that were seen: few clusters serve these kinds."""
    rows = (row for kind in ADMIN_KINDS for row in cluster.snapshot.of_kind(kind_name(kind)))
    return tuple(row for row in rows if isinstance(row, ADMIN_KINDS))


def with_admin_policies(policies: Iterable[NetworkPolicy], cluster: Cluster) -> PolicySet:
    """NetworkPolicies, and what decides before and after them."""
    admin = admin_policies(cluster)
    nodes = [row for row in cluster.snapshot.of_kind("Node") if isinstance(row, Node)] if admin else ()
    return PolicySet(policies, admin, nodes)
