"""NodeName: `spec.nodeName` names the only node (`plugins/nodename`, v1.37)."""

from __future__ import annotations

from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.replay.scheduler.framework import SUCCESS, NodeFilter, Prepared, Status, unresolvable
from kubedoctor.replay.scheduler.said import reasons
from kubedoctor.replay.scheduler.snapshot import ClusterState, NodeInfo

_MISMATCH = unresolvable(reasons.NODE_NAME)


class NodeName:
    name = "NodeName"

    def pre_filter(self, pod: Pod, state: ClusterState) -> Prepared:
        """Since 1.37 this leaves only the named node; before, Filter alone rejects the others."""
        named = pod.spec.node_name
        if not named:
            return Prepared(SUCCESS)
        return Prepared(SUCCESS, _Filter(named), frozenset((named,)) if state.release.node_name_first else None)


class _Filter(NodeFilter):
    def __init__(self, wanted: str) -> None:
        self.wanted = wanted

    def check(self, node: NodeInfo) -> Status:
        return SUCCESS if self.wanted == node.name else _MISMATCH
