"""`volumes`: what the claims hold, who uses them, and what is left behind."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from kubedoctor.answers.question import Choices
from kubedoctor.answers.questions.volumes import volumes
from kubedoctor.answers.sheet import Conclusion, Sheet
from kubedoctor.cluster.kinds.references import Ref
from kubedoctor.cluster.seen.reading import Cluster
from kubedoctor.cluster.seen.snapshot import Source
from kubedoctor.collect.recording import add_logs, whole_state

AT = datetime(2026, 1, 15, 10, tzinfo=UTC)
UNUSED = {"type": "Unused", "status": "True", "reason": "NoPodsUsingPVC", "lastTransitionTime": "2025-12-06T10:00:00Z"}


def claim(name: str, volume: str, **status: Any) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": name, "namespace": "shop"},
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            "volumeName": volume,
            "resources": {"requests": {"storage": "10Gi"}},
        },
        "status": {"phase": "Bound", "capacity": {"storage": "10Gi"}, **status},
    }


def volume(name: str, of: str, policy: str = "Delete", phase: str = "Bound") -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {"name": name},
        "spec": {
            "capacity": {"storage": "10Gi"},
            "accessModes": ["ReadWriteOnce"],
            "persistentVolumeReclaimPolicy": policy,
            "claimRef": {"namespace": "shop", "name": of, "uid": "u"},
        },
        "status": {"phase": phase},
    }


STATEFUL_SET = {
    "apiVersion": "apps/v1",
    "kind": "StatefulSet",
    "metadata": {"name": "db", "namespace": "shop"},
    "spec": {"replicas": 1, "volumeClaimTemplates": [{"metadata": {"name": "data"}}]},
}
POD = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "db-0", "namespace": "shop"},
    "spec": {
        "nodeName": "n1",
        "containers": [{"name": "db"}],
        "volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": "data-db-0"}}],
    },
    "status": {"phase": "Running"},
}


def asked(*objects: dict[str, Any], namespace: str = "shop", lines: str = "") -> Sheet:
    snapshot = whole_state(AT, Source("files", "test", "v1.37.2"), objects, {})
    assert not snapshot.problems
    add_logs(snapshot, {"/n1/volumes": {"current": lines}} if lines else {})
    return volumes.answer(Ref("Namespace", "", namespace), Choices(), Cluster(snapshot))


def rows(sheet: Sheet, table: int = 0) -> list[tuple[str, ...]]:
    return [tuple(cell.text for cell in row.cells) for row in sheet.tables[table].rows]


def test_claims_with_what_is_left_who_uses_them_and_why_they_are_there() -> None:
    sheet = asked(
        STATEFUL_SET,
        POD,
        *(claim("data-db-0", "pv-0"), volume("pv-0", "data-db-0")),
        *(claim("data-db-1", "pv-1", conditions=[UNUSED]), volume("pv-1", "data-db-1", "Retain")),
        *(claim("old", "pv-2"), volume("pv-2", "old")),
        volume("pv-3", "gone", "Retain", "Released"),
        lines="shop/data-db-0 capacityBytes=10737418240 availableBytes=1073741824",
    )
    assert sheet.verdict == "3 claims, 2 of them used by no pod; 1 volume without a claim"
    assert sheet.conclusion is Conclusion.ACCOUNT
    assert rows(sheet) == [
        ("shop/data-db-0", "10Gi", "1Gi (10 %)", "db-0", "Delete", ""),
        (
            *("shop/data-db-1", "10Gi", "", "none", "Retain"),
            "kept from before StatefulSet db was scaled to 1; no pod has used it for 40d",
        ),
        ("shop/old", "10Gi", "", "none", "Delete", "no pod uses it"),
    ]
    assert rows(sheet, 1) == [("pv-3", "10Gi", "Released", "shop/gone", "Retain")]
    assert [fix.command for fix in sheet.fixes] == [
        'kubectl patch persistentvolume/pv-0 --type=merge -p \'{"spec": {"persistentVolumeReclaimPolicy": "Retain"}}\''
    ]
    assert "the data of 1 claim of StatefulSet db is deleted" in sheet.facts[0].text


def test_a_namespace_without_claims() -> None:
    sheet = asked(POD, namespace="shop")
    assert (sheet.verdict, sheet.tables, sheet.fixes) == ("0 claims", (), ())


def test_volumes_of_another_namespace_are_left_out() -> None:
    objects = (volume("pv-3", "gone", "Retain", "Released"),)
    assert asked(*objects, namespace="web").tables == ()
    assert rows(asked(*objects, namespace="")) == [("pv-3", "10Gi", "Released", "shop/gone", "Retain")]
