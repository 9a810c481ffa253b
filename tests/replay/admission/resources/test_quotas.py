"""Quotas and one more pod. The usages are rows of `pkg/quota/v1/evaluator/core/pods_test.go TestPodEvaluatorUsage`
(v1.37)."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from kubedoctor.cluster.kinds.core import ResourceQuota
from kubedoctor.cluster.kinds.pods import PodSpec
from kubedoctor.replay.admission.resources.quotas import pod_usage, would_exceed


def spec(container: dict[str, Any] | None = None, init: dict[str, Any] | None = None) -> PodSpec:
    containers = [{"name": "a", "resources": container}] if container is not None else []
    first = [{"name": "i", "resources": init}] if init is not None else []
    return msgspec.convert({"containers": containers, "initContainers": first}, PodSpec)


@pytest.mark.parametrize(
    ("title", "pod", "expected"),
    [
        (
            "container CPU",
            spec({"requests": {"cpu": "1m"}, "limits": {"cpu": "2m"}}),
            {"requests.cpu": "1m", "cpu": "1m", "limits.cpu": "2m", "pods": "1", "count/pods": "1"},
        ),
        (
            "init container MEM",
            spec(init={"requests": {"memory": "1m"}, "limits": {"memory": "2m"}}),
            {"requests.memory": "1m", "memory": "1m", "limits.memory": "2m", "pods": "1", "count/pods": "1"},
        ),
        (
            "container local ephemeral storage",
            spec({"requests": {"ephemeral-storage": "32Mi"}, "limits": {"ephemeral-storage": "64Mi"}}),
            {
                "requests.ephemeral-storage": "32Mi",
                "ephemeral-storage": "32Mi",
                "limits.ephemeral-storage": "64Mi",
                "pods": "1",
                "count/pods": "1",
            },
        ),
    ],
)
def test_rows_of_upstream(title: str, pod: PodSpec, expected: dict[str, str]) -> None:
    assert {name: str(amount) for name, amount in pod_usage(pod).items()} == expected, title


def quota(hard: dict[str, str], used: dict[str, str], **fields: Any) -> ResourceQuota:
    document = {"metadata": {"name": "q"}, "spec": {"hard": hard} | fields, "status": {"hard": hard, "used": used}}
    return msgspec.convert(document, ResourceQuota)


USAGE = pod_usage(spec({"requests": {"cpu": "500m"}}))


def test_only_what_goes_over_is_named() -> None:
    (over,) = would_exceed(quota({"requests.cpu": "2", "pods": "9"}, {"requests.cpu": "1600m", "pods": "3"}), USAGE)
    assert (over.resource, str(over.used), str(over.hard), str(over.needed)) == ("requests.cpu", "1600m", "2", "500m")


def test_what_fits_exactly_fits() -> None:
    assert not would_exceed(quota({"requests.cpu": "2"}, {"requests.cpu": "1500m"}), USAGE)


def test_what_the_pod_does_not_use_is_no_obstacle() -> None:
    assert not would_exceed(quota({"limits.memory": "1Gi"}, {"limits.memory": "2Gi"}), USAGE)


def test_a_quota_that_nobody_has_counted_yet_starts_at_nothing() -> None:
    assert not would_exceed(quota({"pods": "1", "count/pods": "1"}, {}), USAGE)
    assert would_exceed(quota({"pods": "0"}, {}), USAGE)


def test_a_quota_with_scopes_is_not_judged() -> None:
    assert not would_exceed(quota({"pods": "0"}, {}, scopes=["BestEffort"]), USAGE)


def test_a_scope_selects_the_pod() -> None:
    best_effort, burstable = spec({}), spec({"requests": {"cpu": "1"}})
    full = quota({"pods": "1"}, {"pods": "1"}, scopes=["BestEffort"])
    assert would_exceed(full, pod_usage(best_effort), best_effort)
    assert not would_exceed(full, pod_usage(burstable), burstable)
