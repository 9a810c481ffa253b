"""NodePorts: host ports that others on the node have taken (`plugins/nodeports`, v1.37)."""

from __future__ import annotations

from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.replay.scheduler.framework import SKIPPED, SUCCESS, NodeFilter, Prepared, Status, unschedulable
from kubedoctor.replay.scheduler.plugins.host_ports import HostPort, host_ports
from kubedoctor.replay.scheduler.said import reasons
from kubedoctor.replay.scheduler.snapshot import ClusterState, NodeInfo


class NodePorts:
    name = "NodePorts"

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
        return unschedulable(reasons.HOST_PORTS, named=taken) if taken else SUCCESS
