"""NodePorts: host ports that other pods on the node use (`plugins/nodeports`, v1.37)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from kubedoctor.cluster.changes import Operation, Path, Step
from kubedoctor.cluster.kinds.containers import Container
from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.cluster.kinds.references import ref
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
from kubedoctor.replay.scheduler.plugins.host_ports import EVERY_ADDRESS, HostPort, host_ports
from kubedoctor.replay.scheduler.remedies.deleting import delete_pods
from kubedoctor.replay.scheduler.remedies.edits import Because, Edit, Kind, Remedy
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
        ports = host_ports(pod)
        return Prepared(SUCCESS, _Filter(ports)) if ports else SKIPPED

    def remedies(self, pod: Pod, state: ClusterState, node: NodeInfo, status: Status) -> list[Remedy]:
        return _remedies(pod, node)


class _Filter(NodeFilter):
    def __init__(self, ports: tuple[HostPort, ...]) -> None:
        self.ports = ports

    def check(self, node: NodeInfo) -> Status:
        if not node.used_ports:
            return SUCCESS
        used = tuple(str(port) for port in self.ports if port.clashes(node.used_ports))
        return unschedulable(_TAKEN, named=used) if used else SUCCESS

    def alike(self, classes: NodeClasses) -> Grouping:
        return _BY_TAKEN_PORTS.kept(classes, None, lambda: classes.grouping(node.used_ports for node in classes.nodes))


def _remedies(pod: Pod, node: NodeInfo) -> list[Remedy]:
    """Remove the host port, or delete the pod that uses it."""
    pod_ports = list(_host_ports(pod))
    clashing = [(path, name, port) for path, name, port in pod_ports if port.clashes(node.used_ports)]
    remedies: list[Remedy] = []
    if not pod.spec.host_network:
        remedies.append(tuple(_no_host_port(pod, *clash) for clash in clashing))
    ports = [port for _, _, port in clashing]
    holders = [info.pod for info in node.pods if any(port.clashes(info.ports) for port in ports)]
    names = tuple(sorted({str(port) for port in ports}))
    return remedies + delete_pods(holders, Because.HOST_PORTS, node.name, names)


def _host_ports(pod: Pod) -> Iterator[tuple[Path, str, HostPort]]:
    for field, containers in (("containers", pod.spec.containers), ("initContainers", pod.spec.init_containers or ())):
        for index, container in enumerate(containers):
            if field == "initContainers" and not container.restarts_always:
                continue
            for position, container_port in enumerate(container.ports or ()):
                if container_port.host_port > 0:
                    port = HostPort(
                        container_port.host_ip or EVERY_ADDRESS,
                        container_port.protocol or "TCP",
                        container_port.host_port,
                    )
                    yield ("spec", field, index, "ports", position, "hostPort"), container.name, port


def _no_host_port(pod: Pod, path: Path, container: str, port: HostPort) -> Edit:
    operation = Operation(ref(pod), (Step(path, remove=True),))
    return Edit(Kind.FREE_HOST_PORT, ref(pod), (operation,), (container, str(port.port)), 4, names=(str(port),))
