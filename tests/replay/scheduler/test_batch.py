"""Many pods at once get the verdicts that each gets alone."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

from msgspec.structs import replace

from kubedoctor.replay.scheduler import batch
from kubedoctor.replay.scheduler.batch import schedule_many
from kubedoctor.replay.scheduler.cycle import schedule
from kubedoctor.replay.scheduler.snapshot import ClusterState
from kubedoctor.testing.oracle import question
from tests.bench import scheduling as made


def test_generated_questions(shared: Path) -> None:
    """Also where classes would not pay: each question has a few nodes."""
    seen = 0
    with gzip.open(shared / "conformance" / "fuzz" / "scheduling.jsonl.gz") as lines:
        for line in lines:
            pod, state = question(json.dumps(json.loads(line)["request"]).encode())
            if not state.nodes:
                continue
            classes = batch.NodeClasses(state)
            assert batch.by_classes(pod, state, classes) == schedule(pod, state)
            seen += 1
    assert seen > 2900


def test_pods_and_nodes_of_a_large_cluster() -> None:
    """All filters have something to do, and most nodes are like others."""
    fleet = made.nodes(300)
    state = ClusterState.of(fleet, made.running(300), **made.storage(20, [node.name for node in fleet]))
    pods = made.pending(200)
    small = [replace(pod, spec=replace(pod.spec, containers=(), affinity=None, volumes=None)) for pod in pods[::20]]
    verdicts = schedule_many([*pods, *small], state)
    assert verdicts[:200:20] == [schedule(pod, state) for pod in pods[::20]]
    assert verdicts[200:] == [schedule(pod, state) for pod in small]
    assert any(verdict.feasible for verdict in verdicts)
    assert verdicts[0] is verdicts[19]
    classes = batch.NodeClasses(state)
    assert len(classes.by_class.examples) < 100
