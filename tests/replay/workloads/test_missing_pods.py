"""How many pods are wanted and do not exist."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from kubedoctor.cluster.kinds.apps import DaemonSet, Deployment, Job, ReplicaSet, StatefulSet
from kubedoctor.replay.workloads.missing_pods import lacks_pods, missing_pods


@pytest.mark.parametrize(
    ("kind", "spec", "status", "missing"),
    [
        (ReplicaSet, {"replicas": 3}, {"replicas": 1}, 2),
        (ReplicaSet, {}, {}, 1),
        (ReplicaSet, {"replicas": 1}, {"replicas": 2}, 0),
        (StatefulSet, {"replicas": 2}, {"replicas": 2}, 0),
        (DaemonSet, {}, {"desiredNumberScheduled": 5, "currentNumberScheduled": 3}, 2),
        (Job, {}, {}, 1),
        (Job, {"completions": 5, "parallelism": 2}, {"active": 1, "succeeded": 1}, 1),
        # The last pods: no more than what is left to complete.
        (Job, {"completions": 5, "parallelism": 4}, {"succeeded": 4}, 1),
        (Job, {"suspend": True}, {}, 0),
        (Job, {}, {"conditions": [{"type": "Failed", "status": "True"}]}, 0),
        (Job, {}, {"conditions": [{"type": "FailureTarget", "status": "True"}]}, 0),
        (Job, {}, {"completionTime": "2026-01-15T10:00:00Z"}, 0),
        # A Deployment makes ReplicaSets, not pods.
        (Deployment, {"replicas": 3}, {"replicas": 0}, 0),
    ],
)
def test_missing_pods(kind: type[Any], spec: dict[str, Any], status: dict[str, Any], missing: int) -> None:
    workload = msgspec.convert({"metadata": {"name": "w"}, "spec": spec, "status": status}, kind)
    assert missing_pods(workload) == missing
    assert lacks_pods(workload) is (missing > 0)
