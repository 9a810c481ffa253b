"""NodePorts: host ports that others on the node have taken (`plugins/nodeports`, v1.37)."""

from __future__ import annotations

from typing import Final

from kubedoctor.cluster.kinds.containers import Container
from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.replay.scheduler.framework import (
    SKIPPED,
    SUCCESS,
    NodeFilter,
    Obstacle,
    Plugin,
    Prepared,
    Status,
    Wording,
    reason,
    unschedulable,
)
from kubedoctor.replay.scheduler.many.node_classes import Grouping, NodeClasses
from kubedoctor.replay.scheduler.memos import Memo
from kubedoctor.replay.scheduler.plugins.host_ports import HostPort, host_ports
from kubedoctor.replay.scheduler.snapshot import ClusterState, NodeInfo

HOST_PORT: Final = Obstacle("host port")
_TAKEN: Final = reason(HOST_PORT, "node(s) didn't have free ports for the requested pod ports")
_BY_TAKEN_PORTS: Final = Memo[None, Grouping]()


def _ports(pod: Pod) -> object:
    own = [_ports_of(container) for container in pod.spec.containers]
    return own, [(_ports_of(container), container.restart_policy) for container in pod.spec.init_containers or ()]


def _ports_of(container: Container) -> list[object]:
    return [port for port in container.ports or () if port.host_port]


class NodePorts(Plugin):
    name = "NodePorts"
    pod_parts = (_ports,)
    wordings = (Wording(r"node\(s\) didn't have free ports for the requested pod ports", HOST_PORT),)

    def pre_filter(self, pod: Pod, state: ClusterState) -> Prepared:
        wanted = host_ports(pod)
        return Prepared(SUCCESS, _Filter(wanted)) if wanted else SKIPPED


class _Filter(NodeFilter):
    def __init__(self, wanted: tuple[HostPort, ...]) -> None:
        self.wanted = wanted

    def check(self, node: NodeInfo) -> Status:
        if not node.used_ports:
            return SUCCESS
        taken = tuple(str(port) for port in self.wanted if port.clashes(node.used_ports))
        return unschedulable(_TAKEN, named=taken) if taken else SUCCESS

    def alike(self, classes: NodeClasses) -> Grouping:
        return _BY_TAKEN_PORTS.kept(classes, None, lambda: classes.grouping(node.used_ports for node in classes.nodes))
