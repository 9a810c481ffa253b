"""NodeUnschedulable: cordoned nodes accept only pods that tolerate the cordon (`plugins/nodeunschedulable`, v1.37)."""

from __future__ import annotations

from typing import Final

from kubedoctor.cluster.changes import Operation, Step
from kubedoctor.cluster.grammar.tolerations import tolerates
from kubedoctor.cluster.kinds.core import Node
from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.cluster.kinds.references import ref
from kubedoctor.replay.scheduler.framework import (
    SUCCESS,
    NodeFilter,
    Obstacle,
    Plugin,
    Prepared,
    Status,
    Wording,
    reason,
    unresolvable,
)
from kubedoctor.replay.scheduler.many.node_classes import Grouping, NodeClasses
from kubedoctor.replay.scheduler.plugins import pod_parts
from kubedoctor.replay.scheduler.remedies.edits import Edit, Kind, Remedy
from kubedoctor.replay.scheduler.snapshot import ClusterState, NodeInfo
from kubedoctor.replay.scheduler.well_known import CORDON

CORDONED: Final = Obstacle("cordoned")
_CORDONED: Final = unresolvable(reason(CORDONED, "node(s) were unschedulable"))


class NodeUnschedulable(Plugin):
    name = "NodeUnschedulable"
    pod_parts = (pod_parts.tolerations,)
    wordings = (Wording(r"node\(s\) were unschedulable", CORDONED),)

    def pre_filter(self, pod: Pod, state: ClusterState) -> Prepared:
        if any(tolerates(toleration, CORDON) for toleration in pod.spec.tolerations or ()):
            return Prepared(SUCCESS)
        return Prepared(SUCCESS, _Filter())

    def remedies(self, pod: Pod, state: ClusterState, node: NodeInfo, status: Status) -> list[Remedy]:
        return [(uncordon(node.node),)]


def uncordon(node: Node) -> Edit:
    """Also removes the taint of the cordon."""
    steps = [Step(("spec", "unschedulable"), False)]
    steps += [
        Step(("spec", "taints", index), remove=True)
        for index, taint in enumerate(node.spec.taints or ())
        if taint.key == CORDON.key
    ]
    return Edit(Kind.UNCORDON, ref(node), (Operation(ref(node), tuple(steps)),), weight=3)


class _Filter(NodeFilter):
    def check(self, node: NodeInfo) -> Status:
        return _CORDONED if node.node.spec.unschedulable else SUCCESS

    def alike(self, classes: NodeClasses) -> Grouping:
        return classes.by_class
