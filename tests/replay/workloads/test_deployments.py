"""The state of rollouts."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from kubedoctor.cluster.kinds.apps import Deployment
from kubedoctor.replay.workloads.deployments import complete, deadline, past_deadline


def deployment(desired: int, current: int, updated: int, available: int, reason: str = "", **spec: Any) -> Deployment:
    status = {
        "updatedReplicas": updated,
        "replicas": current,
        "availableReplicas": available,
        "conditions": [{"type": "Progressing", "status": "False", "reason": reason}] if reason else [],
    }
    document = {"metadata": {"name": "web"}, "spec": {"replicas": desired} | spec, "status": status}
    return msgspec.convert(document, Deployment)


@pytest.mark.parametrize(
    ("title", "one", "expected"),
    [
        ("not complete: min but not all pods become available", deployment(5, 5, 5, 4), False),
        ("not complete: min availability is not honored", deployment(5, 5, 5, 3), False),
        ("complete", deployment(5, 5, 5, 5), True),
        ("not complete: all pods are available but not updated", deployment(5, 5, 4, 5), False),
        ("not complete: still running old pods", deployment(1, 2, 1, 1), False),
        ("not complete: one replica deployment never comes up", deployment(1, 1, 1, 0), False),
    ],
)
def test_rows_of_upstream(title: str, one: Deployment, expected: bool) -> None:
    """`deployment_util_test.go TestDeploymentComplete`."""
    assert complete(one) is expected, title


def test_the_deadline_counts_until_the_rollout_is_complete() -> None:
    assert past_deadline(deployment(5, 6, 1, 4, "ProgressDeadlineExceeded"))
    assert not past_deadline(deployment(5, 5, 5, 5, "ProgressDeadlineExceeded"))
    assert not past_deadline(deployment(5, 6, 1, 4, "FailedCreate"))
    assert not past_deadline(deployment(5, 6, 1, 4))


def test_the_deadline_is_ten_minutes_unless_it_is_set() -> None:
    assert deadline(deployment(1, 1, 1, 1)) == 600
    assert deadline(deployment(1, 1, 1, 1, progressDeadlineSeconds=30)) == 30
