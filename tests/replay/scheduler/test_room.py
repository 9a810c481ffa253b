"""What is known of all nodes: room, labels, taints."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec

from kubedoctor.cluster import Cluster, Node, Pod, Snapshot, Source, Want
from kubedoctor.cluster.pods import Toleration
from kubedoctor.replay.scheduler.room import fleet_of, room_by_node


def _node(name: str, spec: dict[str, Any] | None = None, **labels: str) -> Node:
    data = {
        "metadata": {"name": name, "labels": {"kubernetes.io/hostname": name, **labels}},
        "spec": spec or {},
        "status": {"allocatable": {"cpu": "2", "memory": "4Gi", "pods": "2"}},
    }
    return msgspec.convert(data, Node)


def _pod(name: str, node: str, cpu: str, phase: str = "Running") -> Pod:
    container = {"name": "a", "resources": {"requests": {"cpu": cpu}}}
    return msgspec.convert(
        {
            "metadata": {"name": name, "namespace": "n"},
            "spec": {"nodeName": node, "containers": [container]},
            "status": {"phase": phase},
        },
        Pod,
    )


def _cluster(*objects: Node | Pod) -> Cluster:
    snapshot = Snapshot(datetime(2026, 1, 1, tzinfo=UTC), Source("files", "test", "v1.37.2"), complete=True)
    snapshot.add(objects)
    return Cluster(snapshot)


def test_free_is_allocatable_less_what_unfinished_pods_ask_for() -> None:
    cluster = _cluster(
        _node("a"), _node("b"), _pod("1", "a", "500m"), _pod("2", "a", "1"), _pod("3", "a", "1", "Failed")
    )
    room = room_by_node(cluster)
    assert room is not None
    assert (str(room["a"].free["cpu"]), str(room["b"].free["cpu"])) == ("500m", "2")
    assert (room["a"].is_full, room["b"].is_full) == (True, False)


def test_the_room_follows_the_pods() -> None:
    cluster = _cluster(_node("a"), _pod("1", "a", "500m"))
    before = room_by_node(cluster)
    assert before is room_by_node(cluster)
    cluster.snapshot.add([_pod("2", "a", "1")])
    after = room_by_node(cluster)
    assert after is not None
    assert str(after["a"].free["cpu"]) == "500m"


def test_without_all_pods_the_room_is_unknown() -> None:
    cluster = _cluster(_node("a"))
    cluster.snapshot.refuse(Want("Pod"), "pods is forbidden")
    assert room_by_node(cluster) is None
    assert any(gap.kind == "Pod" for gap in cluster.gaps)


def test_nodes_are_sorted_by_what_closes_them() -> None:
    taint = {"key": "team", "value": "a", "effect": "NoSchedule"}
    fleet = fleet_of(
        _cluster(_node("cordoned", {"unschedulable": True}), _node("free"), _node("tainted", {"taints": [taint]}))
    )
    closed = fleet.closed_to(())
    assert [node.name for node in closed.cordoned] == ["cordoned"]
    assert [(node.name, one.key) for node, one in closed.tainted] == [("tainted", "team")]
    assert [node.name for node in closed.open] == ["free"]
    everything = (Toleration(operator="Exists"),)
    assert [node.name for node in fleet.closed_to(everything).open] == ["cordoned", "free", "tainted"]


def test_nodes_that_differ_by_name_only_have_one_kind_of_labels() -> None:
    fleet = fleet_of(_cluster(_node("a", disk="ssd"), _node("b", disk="ssd"), _node("c")))
    assert sorted(labels.get("disk", "") for labels in fleet.kinds_of_labels) == ["", "ssd"]
    assert ("disk", "ssd") in fleet.labels
