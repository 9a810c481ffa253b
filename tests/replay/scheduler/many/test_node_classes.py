"""Nodes of a class share an answer: each pod gets the verdict that it gets alone."""

from __future__ import annotations

import gzip
import json
import re
from collections import Counter
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from msgspec import convert
from msgspec.structs import replace

from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.replay.scheduler.cycle import SchedulingVerdict, schedule
from kubedoctor.replay.scheduler.many.by_classes import by_classes, schedule_by_classes
from kubedoctor.replay.scheduler.many.node_classes import NodeClasses
from kubedoctor.replay.scheduler.snapshot import ClusterState
from kubedoctor.testing.oracle import question
from tests.bench import scheduling as made

QUESTIONS, PLUGINS = 15, 13


@pytest.mark.long
def test_generated_questions(shared: Path) -> None:
    """Also where classes would not pay: each question has a few nodes."""
    seen = 0
    with gzip.open(shared / "conformance" / "fuzz" / "scheduling.jsonl.gz") as lines:
        for line in lines:
            pod, state = question(json.dumps(json.loads(line)["request"]).encode())
            if not state.nodes:
                continue
            classes = NodeClasses(state)
            assert by_classes(pod, state, classes) == schedule(pod, state)
            seen += 1
    assert seen > 2900


@pytest.mark.long
def test_many_generated_questions_in_one_cluster(shared: Path) -> None:
    """The nodes of a few questions together, each with a twin that runs nothing: some are alike, some have volumes,
    attachments, nominated pods, and in every other cluster racks of their own."""
    asked = []
    with gzip.open(shared / "conformance" / "fuzz" / "scheduling.jsonl.gz", "rt", encoding="utf-8") as lines:
        for number, line in enumerate(islice(lines, 1500)):
            request = re.sub(r'"n([0-9])"', rf'"c{number % QUESTIONS}-n\1"', line)
            asked.append(json.loads(request)["request"])
    met: Counter[str] = Counter()
    for start in range(0, len(asked), QUESTIONS):
        cases = asked[start : start + QUESTIONS]
        objects = [one for case in cases for one in case["objects"] or ()]
        objects += [json.loads(json.dumps(one).replace("-n", "-twin")) for one in objects if one["kind"] == "Node"]
        for one in objects if start % 2 else ():
            if one["kind"] == "Node" and not one["metadata"]["name"].endswith("0"):
                one["metadata"].setdefault("labels", {})["rack"] = one["metadata"]["name"]
        _, state = question(json.dumps({"pod": cases[0]["pod"], "objects": objects}).encode())
        classes = NodeClasses(state)
        met["alike"] += len(classes.by_class.examples) < len(state.nodes)
        met["nominated"] += bool(state.nominated)
        met["attached"] += bool(state.attachments)
        met["racks of their own"] += len(classes.individual) > 1
        for case in cases:
            pod, _ = question(json.dumps({"pod": case["pod"], "objects": []}).encode())
            verdict = by_classes(pod, state, classes)
            assert verdict == schedule(pod, state)
            met["looked at nodes"] += bool(verdict.nodes)
            met["feasible"] += bool(verdict.feasible)
            met.update({each.plugin for one in verdict.nodes for each in one.blockers})
    assert min(met.values()) >= 20, met
    assert len(met) == 6 + PLUGINS, met


def test_an_error_of_a_filter_names_it() -> None:
    """A disk that the driver cannot be given, as the scheduler reports it."""
    fleet = made.nodes(40)
    state = ClusterState.of(fleet, [], **made.storage(1, [node.name for node in fleet]))
    disk = {"name": "disk", "azureDisk": {"diskName": "d", "diskURI": "u", "kind": "Dedicated"}}
    verdict = both_ways({"containers": [{"name": "a"}], "volumes": [disk]}, state)
    assert verdict.failed is not None
    assert verdict.failed.status.message.startswith('running "NodeVolumeLimits" filter plugin: ')


def test_a_claim_that_waits_for_one_node() -> None:
    """Nodes of the same class, and the volume is to be made for one of them."""
    fleet = made.nodes(40)
    objects = made.storage(1, [node.name for node in fleet])
    chosen = {"volume.kubernetes.io/selected-node": "n00008"}
    objects["claims"] = [
        replace(one, metadata=replace(one.metadata, annotations=chosen if one.name == "more-0" else one.annotations))
        for one in objects["claims"]
    ]
    claim = {"name": "more", "persistentVolumeClaim": {"claimName": "more-0"}}
    verdict = both_ways({"containers": [{"name": "a"}], "volumes": [claim]}, ClusterState.of(fleet, [], **objects))
    assert verdict.feasible == ("n00008",)


def test_nodes_without_a_label_that_tells_the_others_apart() -> None:
    """The first pod of a group that wants to be together may go wherever there is a rack."""
    fleet = [
        replace(
            one, metadata=replace(one.metadata, labels={**one.labels, "rack": one.name} if number % 7 else one.labels)
        )
        for number, one in enumerate(made.nodes(40))
    ]
    spec = {"containers": [{"name": "a"}], "affinity": {"podAffinity": made.required(0, "rack")}}
    verdict = both_ways(spec, ClusterState.of(fleet, []))
    assert 0 < len(verdict.feasible) < 34
    assert all(int(name[1:]) % 7 for name in verdict.feasible)


def both_ways(spec: dict[str, Any], state: ClusterState) -> SchedulingVerdict:
    """The verdict on a pod of the first workload."""
    pod = convert({"metadata": {"name": "p", "namespace": "ns0", "labels": {"app": "w0"}}, "spec": spec}, Pod)
    verdict = schedule_by_classes(pod, state)
    assert verdict == schedule(pod, state)
    return verdict


def test_pods_and_nodes_of_a_large_cluster() -> None:
    """All filters have something to do, and most nodes are like others."""
    fleet = made.nodes(300)
    state = ClusterState.of(fleet, made.running(300), **made.storage(20, [node.name for node in fleet]))
    pods = made.pending(200)
    small = [replace(pod, spec=replace(pod.spec, containers=(), affinity=None, volumes=None)) for pod in pods[::20]]
    sample = [*pods[::20], *small]
    verdicts = [schedule_by_classes(pod, state) for pod in sample]
    assert verdicts == [schedule(pod, state) for pod in sample]
    assert any(verdict.feasible for verdict in verdicts)
    classes = NodeClasses(state)
    assert len(classes.by_class.examples) < 100
