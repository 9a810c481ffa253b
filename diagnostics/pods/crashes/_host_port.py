"""Who has a port of a node."""

from __future__ import annotations

from typing import NamedTuple

from kubedoctor.cluster import Cluster, Pod, container_path, finished, ref, workload_of
from kubedoctor.findings import Evidence, Ref, quote


class PortHolder(NamedTuple):
    """A running pod with a port of the node, what creates it, and where the port is declared."""

    pod: Pod
    workload: Ref
    evidence: Evidence


def holder_of_port(pod: Pod, port: int, cluster: Cluster) -> PortHolder | None:
    """The pod on the same node that declares the port as one of the node's; None where none does."""
    for other in cluster.maybe.pods_on(pod.spec.node_name):
        if ref(other) == ref(pod) or finished(other):
            continue
        for container in other.spec.containers:
            for index, entry in enumerate(container.ports or ()):
                taken = entry.host_port or (entry.container_port if other.spec.host_network else 0)
                if taken == port:
                    field = "hostPort" if entry.host_port else "containerPort"
                    path = f"{container_path(other, container.name)}.ports[{index}].{field}"
                    evidence = quote(other, path, "it has this port of the node")
                    return PortHolder(other, workload_of(other, cluster) or ref(other), evidence)
    return None
