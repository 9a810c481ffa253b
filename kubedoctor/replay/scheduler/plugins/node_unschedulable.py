"""NodeUnschedulable: cordoned nodes take only pods that tolerate the cordon (`plugins/nodeunschedulable`, v1.37)."""

from __future__ import annotations

from kubedoctor.cluster.grammar.tolerations import tolerates
from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.replay.scheduler.framework import SUCCESS, NodeFilter, Prepared, Status, unresolvable
from kubedoctor.replay.scheduler.said import reasons
from kubedoctor.replay.scheduler.snapshot import ClusterState, NodeInfo
from kubedoctor.replay.scheduler.well_known import CORDON

_CORDONED = unresolvable(reasons.CORDONED)


class NodeUnschedulable:
    name = "NodeUnschedulable"

    def pre_filter(self, pod: Pod, state: ClusterState) -> Prepared:
        if any(tolerates(one, CORDON) for one in pod.spec.tolerations or ()):
            return Prepared(SUCCESS)
        return Prepared(SUCCESS, _Filter())


class _Filter(NodeFilter):
    def check(self, node: NodeInfo) -> Status:
        return _CORDONED if node.node.spec.unschedulable else SUCCESS
