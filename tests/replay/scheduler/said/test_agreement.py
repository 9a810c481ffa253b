"""Agreement between replay and scheduler, over releases' wordings."""

from __future__ import annotations

import gzip
from collections import Counter
from pathlib import Path
from typing import Any

import msgspec
import pytest

from kubedoctor.cluster.grammar.versions import Version
from kubedoctor.cluster.kinds.core import Node
from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.replay.scheduler.cycle import SchedulingVerdict, schedule
from kubedoctor.replay.scheduler.plugins.node_unschedulable import CORDONED
from kubedoctor.replay.scheduler.plugins.taint_toleration import TAINT
from kubedoctor.replay.scheduler.preemption import preempt
from kubedoctor.replay.scheduler.releases import release_of
from kubedoctor.replay.scheduler.said.agreement import agreement, preemption_agreement
from kubedoctor.replay.scheduler.said.messages import parse_message
from kubedoctor.replay.scheduler.snapshot import ClusterState
from kubedoctor.testing.oracle import question


def node(name: str, cpu: str = "4", **spec: Any) -> Node:
    status = {"allocatable": {"cpu": cpu, "memory": "4Gi", "pods": "10"}}
    return msgspec.convert({"metadata": {"name": name}, "spec": spec, "status": status}, Node)


def verdict(*nodes: Node, release: str = "v1.37.2", **spec: Any) -> SchedulingVerdict:
    container = {"name": "a", "resources": {"requests": {"cpu": "2"}}}
    pod = msgspec.convert(
        {"metadata": {"name": "p", "namespace": "d"}, "spec": {"containers": [container], **spec}}, Pod
    )
    return schedule(pod, ClusterState.of(nodes, [], release=release_of(Version.parse(release))))


TAINTED: dict[str, Any] = {"taints": [{"key": "gpu", "value": "yes", "effect": "NoSchedule"}]}


@pytest.mark.parametrize(
    ("release", "said"),
    [
        ("v1.37.2", "0/2 nodes are available: 1 Insufficient cpu, 1 node(s) had untolerated taint(s)."),
        ("v1.34.1", "0/2 nodes are available: 1 Insufficient cpu, 1 node(s) had untolerated taint {gpu: yes}."),
        ("v1.37.2", "0/2 nodes are available: 1 Insufficient cpu, 1 node(s) had untolerated taint {gpu: yes}."),
        ("v1.28.0", "0/2 nodes are available: 1 Insufficient cpu, 1 node(s) had untolerated taint(s)."),
    ],
)
def test_the_same_numbers_agree_in_every_wording(release: str, said: str) -> None:
    assert agreement(verdict(node("a", "1"), node("b", **TAINTED), release=release), parse_message(said)).is_full


def test_what_is_cut_off_is_not_held_against_the_message() -> None:
    nodes = [
        node(f"n{i:02}", taints=[{"key": f"key-{i:02}", "value": "x" * 30, "effect": "NoSchedule"}]) for i in range(40)
    ]
    found = verdict(*nodes, release="v1.33.0")
    said = parse_message(found.message[:1020] + " ...")
    assert agreement(found, said).is_full
    assert not agreement(verdict(*nodes[:39], node("n39", "1"), release="v1.33.0"), said).differences
    fewer = agreement(verdict(*[node(f"n{i:02}", "1") for i in range(40)]), said)
    assert {one.obstacle for one in fewer.differences} == {TAINT}


def test_other_numbers_are_told() -> None:
    said = parse_message("0/3 nodes are available: 1 node(s) were unschedulable, 2 Insufficient cpu.")
    found = agreement(verdict(node("a", "1"), node("b", "1")), said)
    assert not found.is_full
    assert (found.nodes_said, found.nodes_replayed) == (3, 2)
    assert [(one.obstacle, one.said, one.replayed) for one in found.differences] == [(CORDONED, 1, 0)]


def test_another_taint_is_another_obstacle_where_both_sides_name_it() -> None:
    said = parse_message("0/1 nodes are available: 1 node(s) had untolerated taint {team: a}.")
    assert not agreement(verdict(node("b", **TAINTED), release="v1.34.1"), said).is_full
    assert agreement(verdict(node("b", **TAINTED)), said).is_full


def test_nodes_that_the_pod_does_not_name_are_worded_by_plugin_or_by_what_it_says() -> None:
    term = {"matchFields": [{"key": "metadata.name", "operator": "In", "values": ["a"]}]}
    required = {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [term]}}
    found = verdict(node("a", "1"), node("b"), affinity={"nodeAffinity": required})
    for reason in (
        "node(s) didn't satisfy plugin(s) [NodeAffinity]",
        "node(s) didn't match Pod's node affinity/selector",
    ):
        assert agreement(found, parse_message(f"0/2 nodes are available: 1 Insufficient cpu, 1 {reason}.")).is_full


def test_a_pod_that_fits_by_now_disagrees() -> None:
    said = parse_message("0/1 nodes are available: 1 Insufficient cpu.")
    found = agreement(verdict(node("a")), said)
    assert found.feasible == ("a",)
    assert not found.is_full


@pytest.mark.parametrize("name", ["preemption", "scheduling"])
def test_upstreams_own_events_agree(shared: Path, name: str) -> None:
    compared: Counter[bool] = Counter()
    with gzip.open(shared / "conformance" / "fuzz" / f"{name}.jsonl.gz") as lines:
        for line in lines:
            row = msgspec.json.decode(line, type=dict[str, msgspec.Raw])
            event = msgspec.json.decode(row["answer"]).get("event")
            if not event:
                continue
            waiting, state = question(row["request"])
            found, said = schedule(waiting, state), parse_message(event)
            assert agreement(found, said).is_full, event
            room = preemption_agreement(found, preempt(waiting, state, found), said)
            assert room is None or room.is_full, (event, room)
            assert (room is None) == (said.preemption is None), event
            compared[room is not None] += 1
    assert compared[True] > 400


def guest(name: str, priority: int = 0) -> Pod:
    spec = {"nodeName": "a", "priority": priority, "containers": [{"name": "a"}]}
    return msgspec.convert({"metadata": {"name": name, "namespace": "d"}, "spec": spec}, Pod)


FULL = msgspec.convert({"metadata": {"name": "a"}, "status": {"allocatable": {"cpu": "4", "pods": "1"}}}, Node)
TAKEN = "0/1 nodes are available: 1 Too many pods. preemption: "


@pytest.mark.parametrize(
    ("priority", "said", "agrees", "differences"),
    [
        (5, "0/1 nodes are available: 1 No preemption victims found for incoming pod.", True, []),
        (5, "0/1 nodes are available: 1 No preemption victims found for incoming pod..", True, []),
        (
            5,
            "0/1 nodes are available: 1 Too many pods.",
            False,
            [("no preemption victims", 0, 1), ("too many pods", 1, 0)],
        ),
        (
            5,
            "0/1 nodes are available: 1 Preemption is not helpful for scheduling.",
            False,
            [("no preemption victims", 0, 1), ("preemption is not helpful", 1, 0)],
        ),
        (5, "not eligible due to preemptionPolicy=Never.", False, []),
        (5, "found a potential placement for pod on node a, preempting 1 victims", False, []),
        (-1, "found a potential placement for pod on node a, preempting 1 victims", True, []),
        (-1, "found a potential placement for pod on node a, preempting 2 victims", False, []),
        (-1, "found a potential placement for pod on node b, preempting 1 victims", False, []),
        (
            -1,
            "0/1 nodes are available: 1 No preemption victims found for incoming pod.",
            False,
            [("no preemption victims", 1, 0)],
        ),
    ],
)
def test_preemption_is_compared_apart(
    priority: int, said: str, agrees: bool, differences: list[tuple[str, int, int]]
) -> None:
    waiting = msgspec.convert({"metadata": {"name": "p", "namespace": "d"}, "spec": {"containers": []}}, Pod)
    state = ClusterState.of([FULL], [guest("g", priority)])
    found, heard = schedule(waiting, state), parse_message(TAKEN + said)
    assert agreement(found, heard).is_full
    room = preemption_agreement(found, preempt(waiting, state, found), heard)
    assert room is not None
    assert room.is_full is agrees
    assert [(one.obstacle.value, one.said, one.replayed) for one in room.differences] == differences


def test_victims_that_end_already_are_what_the_scheduler_announced() -> None:
    waiting = msgspec.convert(
        {
            "metadata": {"name": "p", "namespace": "d"},
            "spec": {"containers": []},
            "status": {"nominatedNodeName": "a"},
        },
        Pod,
    )
    going = msgspec.convert(
        {
            "metadata": {"name": "g", "namespace": "d", "deletionTimestamp": "2026-01-01T00:00:00Z"},
            "spec": {"nodeName": "a", "priority": -1, "containers": []},
            "status": {
                "conditions": [{"type": "DisruptionTarget", "status": "True", "reason": "PreemptionByScheduler"}]
            },
        },
        Pod,
    )
    state = ClusterState.of([FULL], [going])
    found = schedule(waiting, state)
    for node, agrees in (("a", True), ("b", False)):
        said = parse_message(f"{TAKEN}found a potential placement for pod on node {node}, preempting 1 victims")
        room = preemption_agreement(found, preempt(waiting, state, found), said, "a")
        assert room is not None
        assert room.is_full is agrees


def test_silence_about_preemption_is_no_difference() -> None:
    waiting = msgspec.convert({"metadata": {"name": "p", "namespace": "d"}, "spec": {"containers": []}}, Pod)
    state = ClusterState.of([FULL], [guest("g")])
    found = schedule(waiting, state)
    said = parse_message("0/1 nodes are available: 1 Too many pods.")
    assert preemption_agreement(found, preempt(waiting, state, found), said) is None


@pytest.mark.parametrize(
    "rest",
    [
        "preemption: 0/1 nodes are available: 1 No preemption victims found for incoming pod..",  # up to 1.30
        "preemption: 0/1 nodes are available: 1 No preemption victims found for incoming pod.",
        "no new claims to deallocate, preemption: 0/1 nodes are available: "
        "1 No preemption victims found for incoming pod.",  # 1.34 to 1.36
        "preemption: 0/1 nodes are available: 1 No preemption victims found for incoming pods.",
    ],
)
@pytest.mark.parametrize("release", ["v1.28.0", "v1.31.4", "v1.34.2", "v1.37.2"])
def test_preemption_agrees_in_every_wording(release: str, rest: str) -> None:
    waiting = msgspec.convert({"metadata": {"name": "p", "namespace": "d"}, "spec": {"containers": []}}, Pod)
    state = ClusterState.of([FULL], [guest("g")], release=release_of(Version.parse(release)))
    found = schedule(waiting, state)
    said = parse_message(f"0/1 nodes are available: 1 Too many pods. {rest}")
    room = preemption_agreement(found, preempt(waiting, state, found), said)
    assert room is not None
    assert room.is_full
