"""Pods of one controller have their equal parts in common, and are what they were."""

from __future__ import annotations

import copy
from typing import Any

from kubedoctor.cluster import Pod
from kubedoctor.cluster.seen.decoding import convert_object
from kubedoctor.cluster.seen.sharing import MOST_MODELS, Models, keep_parts, share_parts


def manifest(name: str, *, owner: str = "web", image: str = "web:1", volumes: int = 2) -> dict[str, Any]:
    token = {"name": f"kube-api-access-{name}", "projected": {"sources": [{"serviceAccountToken": {"path": "token"}}]}}
    config = {"name": "config", "configMap": {"name": "settings"}}
    return {
        "metadata": {
            "name": name,
            "namespace": "shop",
            "labels": {"app": "web"},
            "ownerReferences": [{"kind": "ReplicaSet", "name": owner, "controller": True}] if owner else [],
        },
        "spec": {
            "containers": [{"name": "app", "image": image, "env": [{"name": "A", "value": "b"}]}],
            "volumes": [config, token][:volumes],
            "tolerations": [{"operator": "Exists"}],
        },
        "status": {"phase": "Running"},
    }


def pods(*manifests: dict[str, Any]) -> list[Pod]:
    return [pod for item in manifests for pod in convert_object("Pod", item).objects if isinstance(pod, Pod)]


MANIFESTS = [
    manifest("a"),
    manifest("b"),
    manifest("c", image="web:2", volumes=1),
    manifest("d", volumes=0),
    manifest("e", owner=""),
    manifest("f", owner="other"),
]


def test_the_pods_are_what_they_were() -> None:
    shared = pods(*copy.deepcopy(MANIFESTS))
    share_parts(shared)
    assert shared == pods(*MANIFESTS)


def test_equal_parts_are_the_same_object() -> None:
    first, second, third, *_, alone, other = shared = pods(*MANIFESTS)
    share_parts(shared)
    assert second.metadata.labels is first.metadata.labels
    assert second.spec.containers[0].env is first.spec.containers[0].env
    assert second.spec.tolerations is third.spec.tolerations is first.spec.tolerations
    assert first.spec.volumes is not None
    assert second.spec.volumes is not None
    assert second.spec.volumes[0] is first.spec.volumes[0]
    assert second.spec.volumes[1].projected is first.spec.volumes[1].projected
    assert (second.spec.volumes[1].name, third.spec.containers[0].image) == ("kube-api-access-b", "web:2")
    assert alone.metadata.labels is not first.metadata.labels
    assert other.metadata.labels is not first.metadata.labels


def test_a_changed_object_keeps_what_is_equal_and_is_what_it_was() -> None:
    changed = {**manifest("a"), "status": {"phase": "Failed"}}
    (before,), (after,), (again,) = pods(manifest("a")), pods(changed), pods(copy.deepcopy(changed))
    keep_parts(before, after)
    assert after == again
    assert after.spec is before.spec
    assert after.metadata.labels is before.metadata.labels
    assert after.status.phase == "Failed"
    (other,) = pods(manifest("a", image="web:2"))
    keep_parts(before, other)
    assert other.spec.containers[0].image == "web:2"


def test_later_pods_share_with_the_newest_earlier_ones() -> None:
    models: Models = {}
    (first,), (second,) = pods(manifest("a")), pods(manifest("b"))
    share_parts([first], models)
    share_parts([second], models)
    assert second.metadata.labels is first.metadata.labels
    share_parts(pods(*(manifest("p", owner=f"owner-{number}") for number in range(MOST_MODELS))), models)
    assert ("shop", "web") not in models
    assert len(models) == MOST_MODELS
