"""Agreement between replay and scheduler, over releases' wordings."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import msgspec
import pytest

from kubedoctor.cluster.core import Node
from kubedoctor.cluster.pods import Pod
from kubedoctor.cluster.versions import Version
from kubedoctor.replay.scheduler.agreement import agreement
from kubedoctor.replay.scheduler.cycle import Verdict, schedule
from kubedoctor.replay.scheduler.messages import Obstacle, parse_message
from kubedoctor.replay.scheduler.reasons import release_of
from kubedoctor.replay.scheduler.snapshot import ClusterState
from kubedoctor.testing.oracle import question


def node(name: str, cpu: str = "4", **spec: Any) -> Node:
    status = {"allocatable": {"cpu": cpu, "memory": "4Gi", "pods": "10"}}
    return msgspec.convert({"metadata": {"name": name}, "spec": spec, "status": status}, Node)


def verdict(*nodes: Node, release: str = "v1.37.2", **spec: Any) -> Verdict:
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


def test_other_numbers_are_told() -> None:
    said = parse_message("0/3 nodes are available: 1 node(s) were unschedulable, 2 Insufficient cpu.")
    found = agreement(verdict(node("a", "1"), node("b", "1")), said)
    assert not found.is_full
    assert (found.nodes_said, found.nodes_replayed) == (3, 2)
    assert [(one.obstacle, one.said, one.replayed) for one in found.differences] == [(Obstacle.CORDONED, 1, 0)]


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


def test_upstreams_own_events_agree(shared: Path) -> None:
    compared = 0
    with gzip.open(shared / "conformance" / "fuzz" / "preemption.jsonl.gz") as lines:
        for line in lines:
            row = msgspec.json.decode(line, type=dict[str, msgspec.Raw])
            event = msgspec.json.decode(row["answer"]).get("event")
            if event:
                compared += 1
                assert agreement(schedule(*question(row["request"])), parse_message(event)).is_full, event
    assert compared > 300
