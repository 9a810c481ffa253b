"""Stages of rollouts; kubectl's texts are compared in tests/testing/test_oracle.py."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from kubedoctor.cluster.kinds.apps import DaemonSet, Deployment, StatefulSet
from kubedoctor.replay.workloads.rollouts import RolloutStage, rollout_of


@pytest.mark.parametrize(
    ("status", "stage", "have", "want"),
    [
        ({"updatedReplicas": 1}, RolloutStage.UPDATING, 1, 3),
        ({"updatedReplicas": 3, "replicas": 4}, RolloutStage.OLD_PODS, 0, 1),
        ({"updatedReplicas": 3, "replicas": 3, "availableReplicas": 2}, RolloutStage.UNAVAILABLE, 2, 3),
        ({"updatedReplicas": 3, "replicas": 3, "availableReplicas": 3}, RolloutStage.COMPLETE, 0, 0),
        ({"conditions": [{"type": "Progressing", "reason": "ProgressDeadlineExceeded"}]}, RolloutStage.DEADLINE, 0, 0),
        ({"observedGeneration": 1}, RolloutStage.UNOBSERVED, 0, 0),
    ],
)
def test_a_deployment(status: dict[str, Any], stage: RolloutStage, have: int, want: int) -> None:
    document = {
        "metadata": {"name": "web", "generation": 2},
        "spec": {"replicas": 3},
        "status": {"observedGeneration": 2, **status},
    }
    rollout = rollout_of(msgspec.convert(document, Deployment))
    assert (rollout.stage, rollout.have, rollout.want) == (stage, have, want)
    assert rollout.done is (stage is RolloutStage.COMPLETE)
    assert rollout.failed is (stage is RolloutStage.DEADLINE)


def test_pods_are_counted_as_pods_and_as_replicas() -> None:
    daemon_set = DaemonSet()
    assert rollout_of(daemon_set).stage is RolloutStage.OTHER_STRATEGY
    document = {
        "metadata": {"name": "agent"},
        "spec": {"updateStrategy": {"type": "RollingUpdate"}},
        "status": {"desiredNumberScheduled": 3, "updatedNumberScheduled": 3, "numberAvailable": 1},
    }
    rollout = rollout_of(msgspec.convert(document, DaemonSet))
    assert rollout.text == 'Waiting for daemon set "agent" rollout to finish: 1 of 3 updated pods are available...\n'


def test_a_partition_holds_old_pods_back() -> None:
    document = {
        "metadata": {"name": "db", "generation": 1},
        "spec": {"replicas": 3, "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"partition": 1}}},
        "status": {"observedGeneration": 1, "readyReplicas": 3, "updatedReplicas": 1},
    }
    rollout = rollout_of(msgspec.convert(document, StatefulSet))
    assert (rollout.stage, rollout.have, rollout.want) == (RolloutStage.PARTITION, 1, 2)
