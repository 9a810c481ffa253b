"""Whether a node is being removed on purpose."""

from __future__ import annotations

from kubedoctor.cluster import Node

_REMOVAL = frozenset({"ToBeDeletedByClusterAutoscaler", "karpenter.sh/disrupted", "karpenter.sh/disruption"})
"""Taints of nodes that the cluster-autoscaler or Karpenter removes."""


def is_removed(node: Node) -> bool:
    """It is being deleted, or an autoscaler has chosen it."""
    return node.metadata.deletion_timestamp is not None or any(
        taint.key in _REMOVAL for taint in node.spec.taints or ()
    )
