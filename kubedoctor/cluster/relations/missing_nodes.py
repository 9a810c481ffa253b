"""Nodes that objects name and that do not exist: removed, or never created."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

from kubedoctor.cluster.kinds.coordination import Lease
from kubedoctor.cluster.kinds.core import Event, Node
from kubedoctor.cluster.kinds.meta import KubernetesObject
from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.cluster.kinds.storage import CSINode, VolumeAttachment
from kubedoctor.cluster.seen.reading import Cluster
from kubedoctor.cluster.triage import finished

HEARTBEATS = "kube-node-lease"
REMOVALS = ("RemovingNode", "DeletingNode")
"""Events of the node controllers when a Node is deleted (`pkg/controller/nodelifecycle`, `cloud-provider`, v1.37)."""


class Trace(msgspec.Struct, frozen=True):
    """An object that still names a node. path: where, for `quote`. says: a clause about the node, read after the
    object's name."""

    node: str
    object: KubernetesObject
    path: str
    says: str


def is_missing(node: str, cluster: Cluster) -> bool:
    """No such node exists, but others do; False where nodes cannot be read, or only in part. Some virtual clusters show
    no nodes and still run pods."""
    if not node or cluster.maybe.get(Node, "", node) is not None:
        return False
    return bool(cluster.maybe.all(Node)) and not any(gap.kind == "Node" for gap in cluster.gaps)


def traces_of_missing_nodes(cluster: Cluster) -> tuple[Trace, ...]:
    """Objects that name nodes that do not exist, with the strongest evidence for each node first. Reads nodes, pods,
    the objects that the kubelet and the volume controllers keep for a node, and events; all leniently."""
    lenient = cluster.maybe
    cluster.together(
        lambda: lenient.all(Node),
        lambda: lenient.all(Pod),
        lambda: lenient.all(Lease, HEARTBEATS),
        lambda: lenient.all(CSINode),
        lambda: lenient.all(VolumeAttachment),
        lambda: lenient.events_about_kind("Node"),
    )
    existing = {node.name for node in lenient.all(Node)}
    traces = (
        *_of_pods(lenient.all(Pod)),
        *(Trace(csi_node.name, csi_node, "metadata.name", "still exists for it") for csi_node in lenient.all(CSINode)),
        *(
            Trace(attachment.spec.node_name, attachment, "spec.nodeName", "attaches a volume to it")
            for attachment in lenient.all(VolumeAttachment)
        ),
        *(Trace(lease.name, lease, "metadata.name", "is its heartbeat") for lease in lenient.all(Lease, HEARTBEATS)),
        *_of_events(lenient.events_about_kind("Node")),
    )
    return tuple(trace for trace in traces if trace.node and trace.node not in existing)


def _of_pods(pods: Iterable[Pod]) -> Iterator[Trace]:
    for pod in pods:
        if finished(pod):
            continue
        if pod.spec.node_name:
            yield Trace(pod.spec.node_name, pod, "spec.nodeName", "is bound to it")
        elif pod.status.nominated_node_name:
            yield Trace(pod.status.nominated_node_name, pod, "status.nominatedNodeName", "is nominated for it")


def _of_events(events: Iterable[Event]) -> Iterator[Trace]:
    """The newest first."""
    for event in reversed(tuple(events)):
        if event.reason:
            yield Trace(event.involved_object.name, event, "reason", f"reports {event.reason}")
