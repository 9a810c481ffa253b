"""Network policies against upstream's engines, and against packets that were tried in a running cluster."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import pytest

from kubedoctor.cluster.kinds.core import Namespace
from kubedoctor.cluster.kinds.networking import NetworkPolicy
from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.replay.network import Party, PolicySet
from kubedoctor.testing.oracle import answer_line

T = TypeVar("T")

ROWS = 1500
FLOWS = 45_000


def of_kind(struct: type[T], objects: list[dict[str, Any]]) -> list[T]:
    return [msgspec.convert(each, struct) for each in objects if each["kind"] == struct.__name__]


class World:
    """Pods by name, namespaces and policies of one case."""

    def __init__(self, objects: list[dict[str, Any]]) -> None:
        self.namespaces = {each.name: each.labels for each in of_kind(Namespace, objects)}
        self.pods = {f"{each.namespace}/{each.name}": each for each in of_kind(Pod, objects)}
        self.policies = PolicySet(of_kind(NetworkPolicy, objects))

    def party(self, name: str, family: int = 0) -> Party:
        pod = self.pods.get(name)
        if pod is None:
            return Party.outside(name)
        return Party.of_pod(pod, self.namespaces.get(pod.namespace), family)


def fuzz_rows(shared: Path) -> Iterator[bytes]:
    with gzip.open(shared / "conformance/fuzz/networkpolicy.jsonl.gz", "rb") as lines:
        yield from lines


def test_generated_questions(shared: Path) -> None:
    """kube-network-policies 1.1.0 and cyclonus 0.5.6 give these answers."""
    wrong: list[tuple[Any, ...]] = []
    rows = flows = 0
    for line in fuzz_rows(shared):
        rows += 1
        row, ours = json.loads(line), answer_line(line)
        answers = row["answer"]["flows"]
        flows += len(answers)
        if ours["answer"] != row["answer"]:
            wrong.append((row["id"], ours))
    assert wrong == []
    assert (rows, flows) == (ROWS, FLOWS)


def packet_files(shared: Path) -> Iterator[dict[str, Any]]:
    for path in sorted((shared / "conformance/packets").glob("*.json")):
        yield json.loads(path.read_text(encoding="utf-8"))


def measured(case: Mapping[str, Any], key: str) -> Iterator[tuple[World, dict[str, Any]]]:
    world = World(case["objects"])
    for row in case.get(key) or ():
        yield world, row


@pytest.mark.parametrize("key", ["results", "host_network_results"])
def test_packets_between_pods(shared: Path, key: str) -> None:
    wrong: list[tuple[Any, ...]] = []
    rows = 0
    for case in packet_files(shared):
        for world, row in measured(case, key):
            rows += 1
            verdict = world.policies.judge(
                world.party(row["src"]), world.party(row["dst"]), row["port"], row["protocol"]
            )
            if verdict.allowed is not row["allowed"]:
                wrong.append((case["name"], row))
    assert wrong == []
    assert rows > 100


def test_packets_through_a_service(shared: Path) -> None:
    """The Service `svc-a` leads from port 8000 to port 80 of pod a: policies see the pod."""
    wrong: list[tuple[Any, ...]] = []
    rows = 0
    for case in packet_files(shared):
        for world, row in measured(case, "service_results"):
            rows += 1
            destination = world.party(row["dst"].replace("svc-a", "a"))
            verdict = world.policies.judge(world.party(row["src"]), destination, 80, row["protocol"])
            if verdict.allowed is not row["allowed"]:
                wrong.append((case["name"], row))
    assert wrong == []
    assert rows > 100


def test_packets_to_itself(shared: Path) -> None:
    rows = 0
    for case in packet_files(shared):
        for world, row in measured(case, "results"):
            if row["src"] == row["dst"]:
                rows += 1
                me = world.party(row["src"])
                assert world.policies.judge(me, me, row["port"], row["protocol"]).allowed is row["allowed"]
    assert rows > 100


def test_packets_from_the_node(shared: Path) -> None:
    """As a kubelet's probes come: never blocked."""
    rows = 0
    for case in packet_files(shared):
        for world, row in measured(case, "node_results"):
            rows += 1
            target = world.party(row["dst"])
            node = Party(node=target.node)
            assert target.node
            assert world.policies.judge(node, target, row["port"], row["protocol"]).allowed is row["allowed"]
    assert rows > 100
