"""What scales and guards a workload is examined with it where it is asked about."""

from __future__ import annotations

import pytest

from kubedoctor.cluster import Ref
from kubedoctor.engine import focus, load_catalogue
from tests.engine.clinic import complete, deployment, pod, replica_set

METRIC = {"type": "ScalingActive", "status": "False", "reason": "FailedGetResourceMetric"}
AUTOSCALER = {
    "kind": "HorizontalPodAutoscaler",
    "metadata": {"name": "web", "namespace": "shop"},
    "spec": {"scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}, "maxReplicas": 3},
    "status": {
        "conditions": [
            METRIC
            | {
                "message": "the HPA was unable to compute the replica count: failed to get cpu utilization: unable to "
                "get metrics for resource cpu: unable to fetch metrics from resource metrics API: the server could not "
                "find the requested resource (get pods.metrics.k8s.io)"
            }
        ]
    },
}


@pytest.mark.parametrize(("kind", "name", "found"), [("Deployment", "web", True), ("Pod", "web-1-a", False)])
def test_an_autoscaler_is_examined_with_its_workload(kind: str, name: str, *, found: bool) -> None:
    objects = (deployment("web"), replica_set("web-1", "web"), pod("web-1-a", owner="web-1"), AUTOSCALER)
    report = focus(load_catalogue(), Ref(kind, "shop", name), complete(*objects), lambda _: None)
    assert any(finding.about.kind == "HorizontalPodAutoscaler" for finding in report.findings) is found
