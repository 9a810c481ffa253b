"""Which updates are heartbeats."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from kubedoctor.cluster.kinds.meta import KubernetesObject
from kubedoctor.cluster.seen.heartbeats import is_heartbeat
from tests.engine.clinic import objects

LEASE: dict[str, Any] = {
    "kind": "Lease",
    "metadata": {"name": "n1", "namespace": "kube-node-lease", "resourceVersion": "1"},
    "spec": {"holderIdentity": "n1", "renewTime": "2026-11-28T10:00:00.000000Z"},
}
NODE: dict[str, Any] = {
    "kind": "Node",
    "metadata": {"name": "n1", "resourceVersion": "1"},
    "status": {
        "conditions": [{"type": "Ready", "status": "True", "lastHeartbeatTime": "2026-11-28T10:00:00Z"}],
    },
}
POD: dict[str, Any] = {
    "kind": "Pod",
    "metadata": {"name": "web-1", "namespace": "shop", "resourceVersion": "1"},
    "spec": {"containers": [{"name": "app"}]},
    "status": {"phase": "Pending"},
}


def updated(manifest: dict[str, Any], *path: str | int, value: Any) -> tuple[KubernetesObject, KubernetesObject]:
    """The object before and after an update."""
    after = copy.deepcopy(manifest)
    after["metadata"]["resourceVersion"] = "2"
    place: Any = after
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    (before_object,), (after_object,) = objects(manifest), objects(after)
    return before_object, after_object


@pytest.mark.parametrize(
    ("manifest", "path", "value"),
    [
        (LEASE, ("spec", "renewTime"), "2026-11-28T10:00:10.000000Z"),
        (NODE, ("status", "conditions", 0, "lastHeartbeatTime"), "2026-11-28T10:00:10Z"),
        (POD, ("metadata", "resourceVersion"), "3"),
    ],
)
def test_heartbeats(manifest: dict[str, Any], path: tuple[str | int, ...], value: Any) -> None:
    assert is_heartbeat(*updated(manifest, *path, value=value))


@pytest.mark.parametrize(
    ("manifest", "path", "value"),
    [
        (LEASE, ("spec", "holderIdentity"), "n2"),
        (NODE, ("status", "conditions", 0, "status"), "Unknown"),
        (NODE, ("metadata", "labels"), {"zone": "a"}),
        (POD, ("status", "phase"), "Running"),
        (POD, ("metadata", "annotations"), {"note": "changed"}),
    ],
)
def test_news(manifest: dict[str, Any], path: tuple[str | int, ...], value: Any) -> None:
    assert not is_heartbeat(*updated(manifest, *path, value=value))


def test_a_new_object_is_news() -> None:
    (pod,) = objects(POD)
    assert not is_heartbeat(None, pod)
