"""NodeName: `spec.nodeName` names the only node (`plugins/nodename`, v1.37)."""

from __future__ import annotations

from typing import Final

from kubedoctor.cluster.changes import Operation, Step
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
from kubedoctor.replay.scheduler.releases import SchedulerRelease
from kubedoctor.replay.scheduler.remedies.edits import Edit, Kind, Remedy
from kubedoctor.replay.scheduler.snapshot import ClusterState, NodeInfo

NODE_NAME: Final = Obstacle("node name")
_MISMATCH: Final = unresolvable(reason(NODE_NAME, "node(s) didn't match the requested node name"))
_LEAVES_OUT_SINCE: Final = SchedulerRelease(37)


def _named_node(pod: Pod) -> str:
    return pod.spec.node_name


class NodeName(Plugin):
    name = "NodeName"
    pod_parts = (_named_node,)
    wordings = (Wording(r"node\(s\) didn't match the requested node name", NODE_NAME),)
    left_out_as = NODE_NAME

    def pre_filter(self, pod: Pod, state: ClusterState) -> Prepared:
        """Since 1.37 this leaves only the named node; before, Filter alone rejects the others."""
        node_name = pod.spec.node_name
        if not node_name:
            return Prepared(SUCCESS)
        only = frozenset((node_name,)) if state.release >= _LEAVES_OUT_SINCE else None
        return Prepared(SUCCESS, _Filter(node_name), only)

    def early_remedies(self, pod: Pod, state: ClusterState, status: Status) -> list[Remedy]:
        return [(_drop_node_name(pod),)] if pod.spec.node_name else []

    def remedies(self, pod: Pod, state: ClusterState, node: NodeInfo, status: Status) -> list[Remedy]:
        return [(_drop_node_name(pod),)]


def _drop_node_name(pod: Pod) -> Edit:
    """The scheduler then chooses the node."""
    operation = Operation(ref(pod), (Step(("spec", "nodeName"), ""),))
    return Edit(Kind.DROP_NODE_NAME, ref(pod), (operation,), weight=5, node=pod.spec.node_name)


class _Filter(NodeFilter):
    def __init__(self, node_name: str) -> None:
        self.node_name = node_name

    def check(self, node: NodeInfo) -> Status:
        return SUCCESS if self.node_name == node.name else _MISMATCH
