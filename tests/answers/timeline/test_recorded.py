"""What a watch has recorded, in words."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from kubedoctor.answers.timeline.recorded import before_what, recorded
from kubedoctor.cluster import Ref
from kubedoctor.cluster.history.ring import IncidentMark, Ring
from kubedoctor.cluster.history.travelling import stops
from kubedoctor.cluster.kinds.meta import KubernetesObject
from kubedoctor.cluster.seen.decoding import convert_object

BEGAN = datetime(2026, 11, 28, 10, 0, tzinfo=UTC)
WEB, POD = Ref("Deployment", "shop", "web"), Ref("Pod", "shop", "web-1")


def obj(kind: str, name: str, **more: Any) -> KubernetesObject:
    return convert_object(kind, {"metadata": {"name": name, "namespace": "shop"}, **more}).objects[0]


def deployment(image: str, ready: int) -> KubernetesObject:
    template = {"spec": {"containers": [{"name": "app", "image": image}]}}
    return obj("Deployment", "web", spec={"template": template}, status={"readyReplicas": ready})


def pod(ready: str, restarts: int) -> KubernetesObject:
    status = {"name": "app", "restartCount": restarts}
    conditions = [{"type": "Ready", "status": ready}]
    return obj("Pod", "web-1", status={"conditions": conditions, "containerStatuses": [status]})


def filled() -> Ring:
    ring = Ring()
    ring.note(BEGAN, deployment("shop/web:1", 2), deployment("shop/web:2", 2))
    ring.note(BEGAN + timedelta(seconds=1), pod("True", 0), pod("False", 1))
    told = obj(
        "Event",
        "e1",
        type="Warning",
        reason="BackOff",
        message="Back-off",
        involvedObject={"kind": "Pod", "namespace": "shop", "name": "web-1"},
        lastTimestamp="2026-11-28T09:10:00Z",
    )
    ring.note(BEGAN + timedelta(seconds=30), told, None)
    return ring


def test_changes_and_what_the_cluster_forgot_are_entries() -> None:
    found = [(entry.about, entry.text, entry.change, entry.bad) for entry in recorded(filled(), (WEB, POD))]
    assert found == [
        (WEB, "changed: image 1 → 2", True, False),
        (POD, "Ready became False", False, False),
        (POD, "container `app` restarted (1 restarts)", False, False),
        (POD, "BackOff: Back-off", False, True),
    ]
    assert list(recorded(filled(), (Ref("Pod", "shop", "other"),))) == []


def test_a_stop_says_what_comes_next() -> None:
    ring = filled()
    first, second = stops(ring)
    assert before_what(first, ring) == ("before", "Deployment shop/web: image 1 → 2 (and 1 more object)")
    assert before_what(second, ring)[1].startswith("Event shop/e1: deleted")
    ring.mark([IncidentMark(BEGAN + timedelta(seconds=6), True, "KD1", WEB, "0/2 replicas are ready")])
    assert before_what(first, ring) == ("before it broke", "Deployment shop/web: 0/2 replicas are ready")
