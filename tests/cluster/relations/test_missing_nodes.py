"""What still names nodes that do not exist."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec

from kubedoctor.cluster import Cluster, Snapshot, Source, ref
from kubedoctor.cluster.kinds.coordination import Lease
from kubedoctor.cluster.kinds.core import Event, Node
from kubedoctor.cluster.kinds.meta import KubernetesObject
from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.cluster.kinds.storage import CSINode, VolumeAttachment
from kubedoctor.cluster.relations.missing_nodes import is_missing, traces_of_missing_nodes
from kubedoctor.cluster.seen.wants import Want

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def made(kind: type[KubernetesObject], name: str, namespace: str = "", **fields: Any) -> KubernetesObject:
    return msgspec.convert({"metadata": {"name": name, "namespace": namespace}, **fields}, kind)


def cluster(*objects: KubernetesObject) -> Cluster:
    snapshot = Snapshot(NOW, Source("files", "test", "v1.37.2"), complete=True)
    snapshot.add(objects)
    return Cluster(snapshot)


HERE = made(Node, "here")


def test_a_node_is_missing_where_others_are_seen() -> None:
    assert is_missing("gone", cluster(HERE))
    assert not is_missing("here", cluster(HERE))
    assert not is_missing("", cluster(HERE))
    assert not is_missing("gone", cluster()), "a virtual cluster shows no node at all"


def test_what_cannot_be_read_is_not_missing() -> None:
    blind = cluster(HERE)
    blind.snapshot.refuse(Want("Node"), "nodes is forbidden")
    assert not is_missing("gone", blind)


def test_everything_that_names_a_missing_node_is_found() -> None:
    about = {"kind": "Node", "name": "f"}
    found = traces_of_missing_nodes(
        cluster(
            HERE,
            made(Pod, "a", "d", spec={"nodeName": "a", "containers": []}),
            made(Pod, "b", "d", spec={"containers": []}, status={"nominatedNodeName": "b"}),
            made(Pod, "done", "d", spec={"nodeName": "x", "containers": []}, status={"phase": "Succeeded"}),
            made(Pod, "well", "d", spec={"nodeName": "here", "containers": []}),
            made(CSINode, "c"),
            made(VolumeAttachment, "attached", spec={"nodeName": "d"}),
            made(Lease, "e", "kube-node-lease"),
            made(Lease, "here", "kube-node-lease"),
            made(Lease, "kube-scheduler", "kube-system"),
            made(Event, "f.1", "default", involvedObject=about, reason="RemovingNode"),
            made(Event, "p.1", "d", involvedObject={"kind": "Pod", "name": "p", "namespace": "d"}, reason="Killing"),
        )
    )
    assert [(one.node, ref(one.object).title, one.path) for one in found] == [
        ("a", "Pod d/a", "spec.nodeName"),
        ("b", "Pod d/b", "status.nominatedNodeName"),
        ("c", "CSINode c", "metadata.name"),
        ("d", "VolumeAttachment attached", "spec.nodeName"),
        ("e", "Lease kube-node-lease/e", "metadata.name"),
        ("f", "Event default/f.1", "reason"),
    ]
