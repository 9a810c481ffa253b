"""Which nodes are shown together, and which first."""

from __future__ import annotations

from typing import Any

import msgspec

from kubedoctor.cluster.kinds.core import Node
from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.replay.scheduler.cycle import schedule
from kubedoctor.replay.scheduler.many.grouping import grouped
from kubedoctor.replay.scheduler.snapshot import ClusterState


def node(name: str, cpu: str, **spec: Any) -> Node:
    status = {"allocatable": {"cpu": cpu, "memory": "4Gi", "pods": "10"}}
    return msgspec.convert({"metadata": {"name": name}, "spec": spec, "status": status}, Node)


def pod(cpu: str) -> Pod:
    container = {"name": "a", "resources": {"requests": {"cpu": cpu}}}
    return msgspec.convert(
        {"metadata": {"name": "p", "namespace": "d", "uid": "1"}, "spec": {"containers": [container]}}, Pod
    )


TAINT = {"key": "gpu", "value": "yes", "effect": "NoSchedule"}


def test_the_nearest_miss_comes_first_and_says_what_is_missing() -> None:
    nodes = [
        node("far", "500m"),
        node("near", "1800m"),
        node("tainted-and-small", "100m", taints=[TAINT]),
        node("tainted", "8", taints=[TAINT]),
    ]
    groups = grouped(schedule(pod("2"), ClusterState.of(nodes, [])))
    assert [group.names for group in groups] == [("tainted",), ("near", "far"), ("tainted-and-small",)]
    taint, small, both = groups
    assert [one.status.named for one in taint.blockers] == [("gpu=yes:NoSchedule",)]
    assert [(one.resource, one.missing) for one in small.blockers[0].status.shortages] == [("cpu", 200)]
    assert [one.plugin for one in both.blockers] == ["TaintToleration", "NodeResourcesFit"]
    assert both.first is not None
    assert both.first.plugin == "TaintToleration"


def test_a_pod_that_asks_for_more_than_a_float_holds_puts_its_node_last() -> None:
    hogs = [
        msgspec.convert(
            {
                "metadata": {"name": where, "namespace": "d"},
                "spec": {"nodeName": where, "containers": [{"name": "a", "resources": {"requests": {"cpu": cpu}}}]},
            },
            Pod,
        )
        for where, cpu in (("b", "1e400"), ("c", "3"))
    ]
    groups = grouped(schedule(pod("2"), ClusterState.of([node("b", "4"), node("c", "4")], hogs)))
    assert [name for group in groups for name in group.names] == ["c", "b"]


def test_nodes_that_take_the_pod_come_before_all_misses() -> None:
    groups = grouped(schedule(pod("1"), ClusterState.of([node("a", "500m"), node("b", "2")], [])))
    assert [(group.names, group.first is None) for group in groups] == [(("b",), True), (("a",), False)]


def test_room_that_is_used_can_be_freed_so_the_node_is_nearer_than_a_small_one() -> None:
    running = msgspec.convert(
        {
            "metadata": {"name": "r", "namespace": "d", "uid": "2"},
            "spec": {"nodeName": "used", "containers": [{"name": "a", "resources": {"requests": {"cpu": "2"}}}]},
            "status": {"phase": "Running"},
        },
        Pod,
    )
    state = ClusterState.of([node("small", "1800m"), node("used", "2")], [running])
    assert [one.node for group in grouped(schedule(pod("2"), state)) for one in group.nodes] == ["used", "small"]


def test_a_place_that_another_pod_waits_for_is_an_obstacle_of_its_own() -> None:
    waiting = msgspec.convert(
        {
            "metadata": {"name": "w", "namespace": "d", "uid": "3"},
            "spec": {"priority": 5, "containers": [{"name": "a", "resources": {"requests": {"cpu": "1"}}}]},
            "status": {"phase": "Pending", "nominatedNodeName": "a"},
        },
        Pod,
    )
    (group,) = grouped(schedule(pod("1"), ClusterState.of([node("a", "1")], [waiting])))
    assert group.nodes[0].blockers == ()
    assert [one.status.texts for one in group.blockers] == [("Insufficient cpu",)]
