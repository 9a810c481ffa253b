"""The scheduler's messages, by the scheduler's own answers and by the wordings of older releases."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kubedoctor.replay.scheduler.cycle import NO_NODES, PLUGINS
from kubedoctor.replay.scheduler.framework import OTHER, Obstacle, Reason
from kubedoctor.replay.scheduler.plugins.dynamic_resources import RESOURCE_CLAIM
from kubedoctor.replay.scheduler.plugins.node_resources_fit import RESOURCE, TOO_MANY_PODS
from kubedoctor.replay.scheduler.plugins.pod_claims import CLAIM_MISSING, CLAIM_UNBOUND
from kubedoctor.replay.scheduler.plugins.taint_toleration import TAINT
from kubedoctor.replay.scheduler.plugins.volume_binding import CLAIM_NOT_YET_MADE, VOLUME_NODE_AFFINITY
from kubedoctor.replay.scheduler.preemption import NO_VICTIMS
from kubedoctor.replay.scheduler.said.messages import StatedPreemption, parse_message


def _rows(shared: Path, name: str) -> Iterator[dict[str, Any]]:
    with gzip.open(shared / "conformance" / "fuzz" / f"{name}.jsonl.gz", "rt", encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)


@pytest.mark.parametrize("name", ["scheduling", "preemption"])
def test_the_counts_are_those_of_the_nodes(shared: Path, name: str) -> None:
    """Upstream gives the reasons of each node beside the message that it made of them."""
    compared = 0
    for row in _rows(shared, name):
        answer = row["answer"]
        for key in ("message", "event"):
            if key not in answer:
                continue
            said = parse_message(answer[key])
            counted = {reason.text: reason.count for reason in said.reasons if reason.count is not None}
            assert len(counted) == len([reason for reason in said.reasons if reason.count is not None])
            if counted:
                nodes = answer["nodes"].values()
                wanted = Counter(reason for node in nodes for reason in set(node.get("reasons") or ()))
                assert counted == wanted, (row["id"], key)
                compared += 1
            assert all(reason.obstacle is not OTHER for reason in said.reasons), (row["id"], answer[key])
    assert compared > 700


@pytest.mark.parametrize("name", ["scheduling", "preemption"])
def test_what_is_said_of_preemption_is_what_was_decided(shared: Path, name: str) -> None:
    places = 0
    for row in _rows(shared, name):
        answer = row["answer"]
        if "event" not in answer:
            continue
        made = parse_message(answer["event"]).preemption
        if answer.get("preemption", {}).get("code") == "Success":
            assert made is not None, row["id"]
            assert made.node in answer["preemption"]["best"]
            assert made.victims == len(answer["preemption"]["candidates"][made.node]["victims"])
            places += 1
        elif made is not None:
            assert not made.node
            assert all(reason.obstacle is not OTHER for reason in made.reasons), answer["event"]
    assert places > 50


@pytest.mark.parametrize(
    ("text", "nodes", "reasons"),
    [
        (
            "0/6 nodes are available: 1 Insufficient example.com/gpu, 2 node(s) had untolerated taint {gpu: true}, "
            "3 node(s) had untolerated taint {team: a, 7 b. c}. preemption: 0/6 nodes are available: "
            "6 StatedPreemption is not helpful for scheduling..",
            6,
            [
                (1, RESOURCE, "example.com/gpu"),
                (2, TAINT, "gpu: true"),
                (3, TAINT, "team: a, 7 b. c"),
            ],
        ),
        (
            "0/2 nodes are available: 2 node(s) had taint {node.kubernetes.io/disk-pressure: }, that the pod "
            "didn't tolerate.",
            2,
            [(2, TAINT, "node.kubernetes.io/disk-pressure: ")],
        ),
        (
            "0/3 nodes are available: 3 node(s) had volume node affinity conflict. preemption: 0/3 nodes are "
            "available: 3 StatedPreemption is not helpful for scheduling.",
            3,
            [(3, VOLUME_NODE_AFFINITY, "")],
        ),
        (
            '0/3 nodes are available: persistentvolumeclaim "data.v1, 2 x" not found. not found',
            3,
            [(None, CLAIM_MISSING, "data.v1, 2 x")],
        ),
        (
            "0/3 nodes are available: pod has unbound immediate PersistentVolumeClaims. not found",
            3,
            [(None, CLAIM_UNBOUND, "")],
        ),
        (
            "0/4 nodes are available: 1 node(s) didn't satisfy plugin(s) [NodeAffinity NodeName], "
            "3 cannot allocate all claims. no new claims to deallocate, preemption: not eligible due to "
            "preemptionPolicy=Never.",
            4,
            [(1, PLUGINS, "NodeAffinity NodeName"), (3, RESOURCE_CLAIM, "")],
        ),
        (
            '0/1 nodes are available: waiting for ephemeral volume controller to create the persistentvolumeclaim "a-b".',
            1,
            [(None, CLAIM_NOT_YET_MADE, "a-b")],
        ),
        (
            '0/1 nodes are available: waiting for dynamic resource controller to create the resourceclaim for pod "x".',
            1,
            [(None, RESOURCE_CLAIM, "")],
        ),
        ("no nodes available to schedule pods", None, [(None, NO_NODES, "")]),
        (
            'running PreBind plugin "VolumeBinding": binding volumes: context deadline exceeded',
            None,
            [(None, OTHER, "")],
        ),
        ("0/3 nodes are available:", 3, []),
        ("", None, [(None, OTHER, "")]),
    ],
)
def test_wordings_of_all_releases(
    text: str, nodes: int | None, reasons: list[tuple[int | None, Obstacle, str]]
) -> None:
    said = parse_message(text)
    assert said.nodes == nodes
    assert [(one.count, one.obstacle, one.detail) for one in said.reasons] == reasons


def test_preemption_is_taken_apart() -> None:
    said = parse_message(
        "0/3 nodes are available: 3 Insufficient cpu. preemption: 0/3 nodes are available: "
        "1 Insufficient cpu, 2 No preemption victims found for incoming pod."
    )
    assert said.preemption is not None
    assert [(one.count, one.obstacle) for one in said.preemption.reasons] == [
        (1, RESOURCE),
        (2, NO_VICTIMS),
    ]
    never = parse_message(
        "0/1 nodes are available: 1 Too many pods. preemption: not eligible due to preemptionPolicy=Never."
    )
    assert never.preemption == StatedPreemption("not eligible due to preemptionPolicy=Never.")
    assert never.reasons == (Reason(1, TOO_MANY_PODS, "", "Too many pods"),)


def cut_at(length: int, text: str) -> str:
    """As `truncateMessage` of `pkg/scheduler/schedule_one.go` does it."""
    return text if len(text) <= length else text[: length - len(" ...")] + " ..."


def test_a_message_that_is_cut_keeps_its_whole_reasons() -> None:
    reasons = [f"1 node(s) had untolerated taint {{number: {number}, of many}}" for number in range(40)]
    found = parse_message(cut_at(1024, f"0/40 nodes are available: {', '.join(reasons)}."))
    assert found.cut
    assert 10 < len(found.reasons) < 40
    assert [one.text for one in found.reasons] == [one.removeprefix("1 ") for one in reasons[: len(found.reasons)]]
    assert not parse_message(f"0/40 nodes are available: {', '.join(reasons)}.").cut


def test_a_message_that_is_cut_in_what_it_says_of_preemption_has_all_reasons() -> None:
    useless = ", ".join(f"1 reason {number}" for number in range(100))
    text = f"0/40 nodes are available: 40 Insufficient cpu. preemption: 0/40 nodes are available: {useless}."
    found = parse_message(cut_at(1024, text))
    assert (len(found.reasons), found.cut, found.preemption) == (1, False, None)
