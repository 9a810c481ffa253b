"""Small clusters to change, and upstream's generated ones."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from kubedoctor.answers.placement.fixing.words import remedy_words
from kubedoctor.cluster.kinds.core import Node
from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.replay.scheduler.counterfactuals import Counterfactual, Situation, counterfactuals
from kubedoctor.replay.scheduler.cycle import SchedulingVerdict, schedule
from kubedoctor.replay.scheduler.snapshot import ClusterState
from kubedoctor.testing.oracle import question


class Row(msgspec.Struct):
    """A generated question: as it was asked, and understood."""

    id: str
    request: dict[str, Any]
    situation: Situation
    verdict: SchedulingVerdict


def pending(shared: Path, most: int, every: int = 1) -> Iterator[Row]:
    """Rows in which no node takes the pod."""
    found = 0
    with gzip.open(shared / "conformance" / "fuzz" / "scheduling.jsonl.gz") as lines:
        for number, line in enumerate(lines):
            if number % every:
                continue
            row = json.loads(line)
            situation = Situation(*question(json.dumps(row["request"]).encode()))
            verdict = schedule(situation.pod, situation.state)
            if verdict.feasible:
                continue
            yield Row(row["id"], row["request"], situation, verdict)
            found += 1
            if found == most:
                return


def node(name: str, cpu: str = "4", labels: dict[str, str] | None = None, **spec: Any) -> Node:
    status = {"allocatable": {"cpu": cpu, "memory": "4Gi", "pods": "10"}}
    metadata = {"name": name, "labels": {"kubernetes.io/hostname": name, **(labels or {})}}
    return msgspec.convert({"metadata": metadata, "spec": spec, "status": status}, Node)


def pod(name: str = "p", on: str = "", requests: dict[str, str] | None = None, **spec: Any) -> Pod:
    containers = spec.pop("containers", [{"name": "app", "resources": {"requests": requests or {}}}])
    labels = spec.pop("labels", {"app": "web"})
    metadata = {"name": name, "namespace": "d", "uid": name, "labels": labels, **spec.pop("metadata", {})}
    status = {"phase": "Running" if on else "Pending"}
    data = {"metadata": metadata, "spec": {"containers": containers, "nodeName": on, **spec}, "status": status}
    return msgspec.convert(data, Pod)


def found(waiting: Pod, state: ClusterState, others: tuple[Pod, ...] = ()) -> tuple[Counterfactual, ...]:
    situation = Situation(waiting, state)
    return counterfactuals(situation, schedule(waiting, state), waiting=others)


def summaries(waiting: Pod, state: ClusterState) -> list[str]:
    return [remedy_words(each) for each in found(waiting, state)]
