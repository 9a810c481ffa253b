"""The commands that keys show: none that an autoscaler would undo."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from kubedoctor.cluster import Ref
from kubedoctor.collect.bundles import open_bundle
from kubedoctor.engine import Catalogue
from kubedoctor.tui.pages.keys import changing_command
from kubedoctor.tui.session import Session

KEDA = {"apiVersion": "keda.sh/v1alpha1", "kind": "ScaledObject", "name": "queue", "uid": "1", "controller": True}


def autoscaler(name: str, target: str, **metadata: Any) -> dict[str, Any]:
    return {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": name, "namespace": "shop", **metadata},
        "spec": {"maxReplicas": 3, "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": target}},
    }


@pytest.mark.parametrize(
    ("kind", "name", "line"),
    [
        ("Deployment", "web", "kubectl describe horizontalpodautoscaler/web -n shop"),
        ("Deployment", "worker", "kubectl describe scaledobject/queue -n shop"),
        ("Deployment", "api", "kubectl scale deployment/api -n shop --replicas=1"),
        ("StatefulSet", "web", "kubectl scale statefulset/web -n shop --replicas=1"),
    ],
)
def test_what_an_autoscaler_scales_is_not_scaled_by_hand(tmp_path: Path, kind: str, name: str, line: str) -> None:
    items = [autoscaler("web", "web"), autoscaler("keda-hpa-queue", "worker", ownerReferences=[KEDA])]
    (tmp_path / "scalers.json").write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": items}))
    session = Session(open_bundle((str(tmp_path),)), Catalogue(()))
    workload = Ref(kind, "shop", name)
    assert changing_command("s", workload, session.scaler_of(workload)).line == line
