"""The node of a pod, as findings name and quote it."""

from __future__ import annotations

from kubedoctor.cluster import Cluster, Node, Pod
from kubedoctor.findings import Evidence, Ref, has_path, quote


def blamed_node(pod: Pod) -> tuple[Ref, ...]:
    """For `because_of`; empty for a pod that has no node."""
    return (Ref("Node", "", pod.spec.node_name),) if pod.spec.node_name else ()


def node_architecture(pod: Pod, cluster: Cluster, shows: str) -> tuple[Evidence, ...]:
    """The CPU architecture of the node; empty where it is not known."""
    node = cluster.maybe.get(Node, "", pod.spec.node_name)
    path = "status.nodeInfo.architecture"
    return (quote(node, path, shows),) if node is not None and has_path(node, path) else ()


def node_system(pod: Pod, cluster: Cluster, shows: str) -> tuple[Evidence, ...]:
    """The operating system of the node and its build; empty where they are not known."""
    node = cluster.maybe.get(Node, "", pod.spec.node_name)
    paths = ("status.nodeInfo.osImage", "status.nodeInfo.kernelVersion")
    return tuple(quote(node, path, shows) for path in paths if node is not None and has_path(node, path))
