"""A budget's own status says that it lets no pod go; that needs no pods in the file."""

from __future__ import annotations

import pytest

from kubedoctor.cluster import Snapshot, Source
from kubedoctor.cluster.seen.wants import Want
from kubedoctor.engine import scan
from kubedoctor.engine.catalogue import load_catalogue
from kubedoctor.findings import Confidence, Severity
from tests.engine.clinic import TAKEN_AT, objects

BUDGET = {
    "apiVersion": "policy/v1",
    "kind": "PodDisruptionBudget",
    "metadata": {"name": "web", "namespace": "shop", "generation": 1},
    "spec": {"maxUnavailable": 0, "selector": {"matchLabels": {"app": "web"}}},
}


@pytest.mark.parametrize("expected", [2, 0])
def test_a_budget_that_lets_no_pod_go_is_found_without_the_pods(expected: int) -> None:
    numbers = {"expectedPods": expected, "desiredHealthy": expected, "currentHealthy": expected}
    snapshot = Snapshot(TAKEN_AT, Source("files", "budgets.json"), closed=True)
    snapshot.add(objects({**BUDGET, "status": {**numbers, "disruptionsAllowed": 0, "observedGeneration": 1}}))
    snapshot.cover(Want("PodDisruptionBudget"))
    report = scan(load_catalogue(), snapshot, lambda wants: None)
    found = [(finding.code, finding.confidence, finding.severity) for finding in report.findings]
    assert found == ([("KD1206", Confidence.LIKELY, Severity.NOTICE)] if expected else [])
    assert all(any("Pod" in gap for gap in finding.gaps) for finding in report.findings)
