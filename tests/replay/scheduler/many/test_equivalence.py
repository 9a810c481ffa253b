"""Pods that share a verdict."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.cluster.kinds.volumes import ConfigMapSource, Volume
from kubedoctor.replay.scheduler.cycle import schedule
from kubedoctor.replay.scheduler.many.equivalence import equivalence_key
from kubedoctor.testing.oracle import question


def pod(name: str = "p", **changes: Any) -> Pod:
    spec = {
        "containers": [{"name": "a", "image": f"image-{name}", "resources": {"requests": {"cpu": "1"}}}],
        "volumes": [{"name": f"kube-api-access-{name}", "projected": {}}],
        **changes,
    }
    return msgspec.convert({"metadata": {"name": name, "namespace": "d", "uid": name}, "spec": spec}, Pod)


def test_replicas_are_alike() -> None:
    assert equivalence_key(pod("p-1")) == equivalence_key(pod("p-2"))


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


def renamed(pod: Pod) -> Pod:
    """Another replica as far as filters go, and in all else another pod."""
    containers = tuple(replace(one, image="other", args=("other",)) for one in pod.spec.containers)
    volumes = (*(pod.spec.volumes or ()), Volume(name="files", config_map=ConfigMapSource(name="other")))
    spec = replace(pod.spec, containers=containers, volumes=volumes, service_account_name="other")
    return replace(pod, metadata=replace(pod.metadata, name="other", uid="other"), spec=spec)


def test_equal_keys_mean_equal_verdicts(shared: Path) -> None:
    """Upstream's questions asked again for another replica."""
    alike = 0
    with gzip.open(shared / "conformance" / "fuzz" / "scheduling.jsonl.gz") as lines:
        for line, _ in zip(lines, range(300), strict=False):
            one, state = question(msgspec.json.decode(line, type=dict[str, msgspec.Raw])["request"])
            other = renamed(one)
            if equivalence_key(other) == equivalence_key(one):
                alike += 1
                assert schedule(other, state) == schedule(one, state)
    assert alike > 200
