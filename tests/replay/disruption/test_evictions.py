"""What the eviction subresource decides; upstream's own answers are compared in tests/testing/test_oracle.py."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.cluster.kinds.policy import PodDisruptionBudget
from kubedoctor.replay.disruption.evictions import Eviction, evict


def pod(ready: str = "True", phase: str = "Running") -> Pod:
    document = {
        "metadata": {"name": "web-1", "namespace": "shop", "labels": {"app": "web"}},
        "status": {"phase": phase, "conditions": [{"type": "Ready", "status": ready}]},
    }
    return msgspec.convert(document, Pod)


def budget(allowed: int = 0, current: int = 1, desired: int = 1, **more: Any) -> PodDisruptionBudget:
    document: dict[str, Any] = {
        "metadata": {"name": "web", "namespace": more.get("namespace", "shop"), "generation": 2},
        "spec": {"selector": more.get("selector", {"matchLabels": {"app": "web"}})} | more.get("spec", {}),
        "status": {
            "disruptionsAllowed": allowed,
            "currentHealthy": current,
            "desiredHealthy": desired,
            "observedGeneration": more.get("observed", 2),
            "conditions": more.get("conditions", []),
        },
    }
    return msgspec.convert(document, PodDisruptionBudget)


def said(reason: str, message: str = "no") -> dict[str, Any]:
    return {"conditions": [{"type": "DisruptionAllowed", "status": "False", "reason": reason, "message": message}]}


@pytest.mark.parametrize(
    ("subject", "budgets", "outcome"),
    [
        (pod(), [], Eviction.UNGUARDED),
        (pod(), [budget(namespace="other")], Eviction.UNGUARDED),
        (pod(), [budget(selector=None)], Eviction.UNGUARDED),
        (pod(), [budget(selector={"matchLabels": {"a": "-"}})], Eviction.UNGUARDED),
        (pod(), [budget(1)], Eviction.WITHIN_BUDGET),
        (pod(phase="Pending"), [budget(), budget()], Eviction.NOT_RUNNING),
        (pod(), [budget(1), budget(1)], Eviction.SEVERAL_BUDGETS),
        (pod("False"), [budget(current=1)], Eviction.UNHEALTHY),
        (pod("False"), [budget(current=0)], Eviction.TOO_FEW_HEALTHY),
        (pod("False"), [budget(current=0, spec={"unhealthyPodEvictionPolicy": "AlwaysAllow"})], Eviction.UNHEALTHY),
        (pod(), [budget(1, observed=1)], Eviction.OUTDATED_STATUS),
        (pod(), [budget(-1)], Eviction.NEGATIVE),
        (pod(), [budget(**said("SyncFailed"))], Eviction.FAILED_SYNC),
        (pod(), [budget(current=2, **said("Other"))], Eviction.CONDITION),
        (pod(), [budget(current=2)], Eviction.NONE_ALLOWED),
    ],
)
def test_the_outcome(subject: Pod, budgets: list[PodDisruptionBudget], outcome: Eviction) -> None:
    verdict = evict(subject, budgets)
    assert verdict.outcome is outcome
    assert verdict.allowed is (verdict.code == 0) is (verdict.message == "")
