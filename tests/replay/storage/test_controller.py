"""One look of the volume controller, by upstream's own tests."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.cluster.kinds.storage import PersistentVolume, PersistentVolumeClaim, StorageClass
from kubedoctor.replay.storage.controller import ClaimStep, Hold, VolumeStep, synced_claim, synced_volume
from kubedoctor.replay.storage.defaults import default_classes

OLDER = "features.VolumeAttributesClass=false"
"""Rows of clusters before 1.34."""


def _rows(shared: Path) -> list[dict[str, Any]]:
    """The rows of one look that nothing disturbs, as the README of the data names them."""
    text = (shared / "conformance" / "storage" / "pv_controller_sync.jsonl").read_text(encoding="utf-8")
    rows = [json.loads(line) for line in text.splitlines()]
    looks = ("testSyncClaim", "testSyncVolume")
    return [row for row in rows if not row["nErrors"] and row["call"].rpartition(".")[2] in looks]


def _typed(row: dict[str, Any], key: str, kind: type[Any]) -> list[Any]:
    return [msgspec.convert(one, kind, strict=False) for one in row[key] or ()]


def _wrong(row: dict[str, Any]) -> str:
    """How the step differs from the row; empty where it agrees."""
    claims = _typed(row, "initialClaims", PersistentVolumeClaim)
    volumes = _typed(row, "initialVolumes", PersistentVolume)
    pods = [
        msgspec.convert({**one, "spec": {**one["spec"], "containers": []}}, Pod, strict=False)
        for one in row["pods"] or ()
    ]
    step: ClaimStep | VolumeStep
    if row["call"].endswith("testSyncClaim"):
        step = synced_claim(claims[0], volumes, _typed(row, "storageClasses", StorageClass), pods)
        found = _after_claim(claims[0], step)
        (then,) = (one for one in row["expectedClaims"] if one["metadata"]["name"] == claims[0].name)
        wanted = {"phase": then["status"]["phase"], **_claim_fields(then)}
        if step.volume is not None:
            (held,) = (one for one in row["expectedVolumes"] if one["metadata"]["name"] == step.volume.name)
            wanted["held"] = (held["spec"].get("claimRef") or {}).get("uid")
    else:
        step = synced_volume(volumes[0], claims, pods)
        then = row["expectedVolumes"][0]
        found = _after_volume(volumes[0], step)
        ref = then["spec"].get("claimRef") or {}
        wanted = {"phase": then["status"]["phase"], "name": ref.get("name", ""), "uid": ref.get("uid", "")}
    expected = row["expectedEvents"]
    if expected:  # The test compares no event where it lists none.
        found["event"] = [f"{step.event.type} {step.event.reason}"] if step.event else []
        wanted["event"] = expected[:1]
    return "" if found == wanted else f"{found} != {wanted}"


def _claim_fields(then: dict[str, Any]) -> dict[str, Any]:
    spec = then["spec"]
    return {"volume": spec.get("volumeName", ""), "class": spec.get("storageClassName") or ""}


def _after_claim(claim: PersistentVolumeClaim, step: ClaimStep) -> dict[str, Any]:
    found = {
        "phase": step.phase or claim.status.phase,
        "volume": step.volume.name if step.volume is not None else claim.spec.volume_name,
        "class": step.storage_class or claim.spec.storage_class_name or "",
    }
    return {**found, "held": claim.metadata.uid} if step.volume is not None else found


def _after_volume(volume: PersistentVolume, step: VolumeStep) -> dict[str, Any]:
    ref = volume.spec.claim_ref
    kept = ref is not None and step.hold is not Hold.REMOVED
    uid = ref.uid if ref is not None and step.hold is Hold.KEPT else ""
    return {"phase": step.phase or volume.status.phase, "name": ref.name if kept and ref else "", "uid": uid}


def test_one_look_ends_as_upstreams(shared: Path) -> None:
    rows = _rows(shared)
    assert len(rows) == 142
    wrong = [f"{row['name']}: {text}" for row in rows if (text := _wrong(row)) and not row["name"].startswith(OLDER)]
    assert not wrong, "\n".join(wrong)


def test_the_rows_of_older_clusters_differ_only_where_an_attributes_class_is_named(shared: Path) -> None:
    """VolumeAttributesClass is always on since 1.34."""
    for row in _rows(shared):
        if row["name"].startswith(OLDER) and _wrong(row):
            assert "olumeAttributesClass" in json.dumps([row["initialClaims"], row["initialVolumes"]]), row["name"]


@pytest.mark.parametrize(
    ("created", "first"),
    [
        ({"a": "2026-01-01T00:00:00Z", "b": "2026-01-02T00:00:00Z"}, "b"),
        ({"a": "2026-01-02T00:00:00Z", "b": "2026-01-02T00:00:00Z"}, "a"),
        ({"b": None, "a": None}, "a"),
    ],
)
def test_the_newest_default_class_is_used(created: dict[str, str | None], first: str) -> None:
    mark = {"storageclass.kubernetes.io/is-default-class": "true"}
    classes = [
        msgspec.convert({"metadata": {"name": name, "annotations": mark, "creationTimestamp": time}}, StorageClass)
        for name, time in created.items()
    ]
    assert default_classes(classes)[0].name == first


def test_what_holds_a_claim_is_said_in_the_controllers_words() -> None:
    claim = msgspec.convert(
        {"metadata": {"name": "c", "namespace": "n"}, "spec": {"storageClassName": "wait"}}, PersistentVolumeClaim
    )
    wait = msgspec.convert(
        {"metadata": {"name": "wait"}, "provisioner": "x.io/y", "volumeBindingMode": "WaitForFirstConsumer"},
        StorageClass,
    )
    volumes = [{"name": "d", "persistentVolumeClaim": {"claimName": "c"}}]
    pods = [
        msgspec.convert({"metadata": {"name": name, "namespace": "n"}, "spec": {"volumes": volumes}}, Pod)
        for name in ("p1", "p2")
    ]
    said = [synced_claim(claim, (), [wait], some).event for some in ((), pods[:1], pods)]
    assert [one.message for one in said if one is not None] == [
        "waiting for first consumer to be created before binding",
        "waiting for pod p1 to be scheduled",
        "waiting for pods p1,p2 to be scheduled",
    ]
    by_hand = msgspec.structs.replace(wait, provisioner="kubernetes.io/no-provisioner", volume_binding_mode="Immediate")
    event = synced_claim(claim, (), [by_hand]).event
    assert event is not None
    assert event.message == "no volume plugin matched name: kubernetes.io/no-provisioner"
