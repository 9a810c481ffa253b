"""Pods that share a verdict."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import msgspec
import pytest

from kubedoctor.cluster.core import Node
from kubedoctor.cluster.pods import Pod
from kubedoctor.replay.scheduler.batch import schedule_many
from kubedoctor.replay.scheduler.cycle import schedule
from kubedoctor.replay.scheduler.equivalence import equivalence_key
from kubedoctor.replay.scheduler.snapshot import ClusterState
from kubedoctor.testing.oracle import question


def pod(name: str = "p", **changes: Any) -> Pod:
    spec = {
        "containers": [{"name": "a", "image": f"image-{name}", "resources": {"requests": {"cpu": "1"}}}],
        "volumes": [{"name": f"kube-api-access-{name}", "projected": {}}],
        **changes,
    }
    return msgspec.convert({"metadata": {"name": name, "namespace": "d", "uid": name}, "spec": spec}, Pod)


def test_replicas_share_one_verdict() -> None:
    node = msgspec.convert({"metadata": {"name": "n"}, "status": {"allocatable": {"cpu": "500m", "pods": "9"}}}, Node)
    first, second = schedule_many([pod("p-1"), pod("p-2")], ClusterState.of([node], []))
    assert second is first
    assert first.message == "0/1 nodes are available: 1 Insufficient cpu."


@pytest.mark.parametrize(
    "changes",
    [
        {"containers": [{"name": "a", "resources": {"requests": {"cpu": "2"}}}]},
        {"containers": [{"name": "a", "resources": {"requests": {"cpu": "1"}}, "ports": [{"hostPort": 80}]}]},
        {"initContainers": [{"name": "b", "resources": {"requests": {"cpu": "1"}}}]},
        {"nodeSelector": {"disk": "ssd"}},
        {"tolerations": [{"operator": "Exists"}]},
        {"priority": 1},
        {"schedulingGates": [{"name": "g"}]},
        {"volumes": [{"name": "v", "persistentVolumeClaim": {"claimName": "c"}}]},
        {"volumes": [{"name": "v", "rbd": {"image": "i"}}]},
        {"overhead": {"cpu": "1"}},
        {"hostNetwork": True},
    ],
)
def test_what_a_filter_reads_tells_pods_apart(changes: dict[str, Any]) -> None:
    assert equivalence_key(pod("p", **changes)) != equivalence_key(pod("p"))


def test_pods_with_claims_of_their_own_are_like_no_other() -> None:
    volumes = [{"name": "v", "ephemeral": {}}]
    assert equivalence_key(pod("p-1", volumes=volumes)) != equivalence_key(pod("p-2", volumes=volumes))


def test_equal_keys_mean_equal_verdicts(shared: Path) -> None:
    """Of upstream's questions: each pod against the cluster of the next one, with the replay's answer shared."""
    with gzip.open(shared / "conformance" / "fuzz" / "scheduling.jsonl.gz") as lines:
        cases = [
            question(msgspec.json.decode(line, type=dict[str, msgspec.Raw])["request"])
            for line, _ in zip(lines, range(120), strict=False)
        ]
    state = cases[0][1]
    pods = [one for one, _ in cases]
    assert schedule_many(pods, state) == [schedule(one, state) for one in pods]
