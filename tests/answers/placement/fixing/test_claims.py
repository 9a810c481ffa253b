"""Commands for claims: what is set in place, what is made anew, and what is said about it."""

from __future__ import annotations

import json
import shlex
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from kubedoctor.answers.placement.fixing.fixes import placement_fixes
from kubedoctor.cluster import (
    Cluster,
    Node,
    PersistentVolume,
    PersistentVolumeClaim,
    Pod,
    Snapshot,
    Source,
    StatefulSet,
    StorageClass,
)
from kubedoctor.findings import Effect, Fix
from kubedoctor.replay.scheduler.pending import explain_pending

NOW = datetime(2026, 1, 1, tzinfo=UTC)
CLAIM = "persistentvolumeclaim/data-db-0 -n shop"


def storage_class(
    name: str, provisioner: str = "kubernetes.io/no-provisioner", mode: str = "Immediate"
) -> StorageClass:
    data = {"metadata": {"name": name}, "provisioner": provisioner, "volumeBindingMode": mode}
    return msgspec.convert(data, StorageClass)


def volume(name: str, size: str = "5Gi", **spec: Any) -> PersistentVolume:
    data = {"capacity": {"storage": size}, "accessModes": ["ReadWriteOnce"], "storageClassName": "manual", **spec}
    status = {"phase": "Released" if "claimRef" in spec else "Available"}
    return msgspec.convert({"metadata": {"name": name}, "spec": data, "status": status}, PersistentVolume)


def claim(age: int = 60, **spec: Any) -> PersistentVolumeClaim:
    metadata = {
        "name": "data-db-0",
        "namespace": "shop",
        "uid": "c",
        "creationTimestamp": (NOW - timedelta(seconds=age)).isoformat(),
    }
    asked = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "5Gi"}}, **spec}
    data = {"metadata": metadata, "spec": asked, "status": {"phase": "Pending"}}
    return msgspec.convert(data, PersistentVolumeClaim)


def offered(*objects: Any, stateful: bool = False, ephemeral: bool = False) -> list[Fix]:
    """For a pod that mounts the claim."""
    node = msgspec.convert({"metadata": {"name": "n"}, "status": {"allocatable": {"cpu": "2", "pods": "9"}}}, Node)
    source: dict[str, Any] = {"persistentVolumeClaim": {"claimName": "data-db-0"}}
    if ephemeral:
        source = {"ephemeral": {"volumeClaimTemplate": {"spec": {}}}}
    spec = {"containers": [{"name": "a"}], "volumes": [{"name": "data", **source}]}
    owner = [{"kind": "StatefulSet", "name": "db", "controller": True, "apiVersion": "apps/v1"}] if stateful else []
    metadata = {"name": "db-0", "namespace": "shop", "uid": "u", "ownerReferences": owner}
    waiting = msgspec.convert({"metadata": metadata, "spec": spec, "status": {"phase": "Pending"}}, Pod)
    template = {"volumeClaimTemplates": [{"metadata": {"name": "data"}, "spec": {"storageClassName": "manaul"}}]}
    database = msgspec.convert({"metadata": {"name": "db", "namespace": "shop"}, "spec": template}, StatefulSet)
    snapshot = Snapshot(NOW, Source("files", "test", "v1.37.2"), complete=True)
    snapshot.add([node, waiting, *objects, *([database] if stateful else [])])
    seen = Cluster(snapshot)
    return list(placement_fixes(explain_pending(waiting, seen), seen))


def patch(command: str) -> Any:
    words = shlex.split(command)
    return json.loads(words[words.index("-p") + 1])


def test_a_claim_is_made_anew_in_one_line() -> None:
    [fix] = offered(storage_class("manual"), volume("x"), claim(storageClassName="manaul"))
    assert fix.summary == (
        "Recreate claim data-db-0: storage class manual instead of manaul (volume x then fits) → fits n"
        "; no data is lost: the claim has no volume"
    )
    assert patch(fix.command) == {"spec": {"storageClassName": "manual"}}
    assert fix.command.startswith(f"kubectl patch {CLAIM} --type=merge ")
    assert fix.command.endswith(" --dry-run=client -o json | kubectl replace --force -f -")
    assert (fix.verified, fix.effect) == (True, Effect.DISRUPTS)


def test_the_old_annotation_for_the_class_goes_away() -> None:
    asked = claim()
    marked = msgspec.structs.replace(asked.metadata, annotations={"volume.beta.kubernetes.io/storage-class": "manaul"})
    [fix] = offered(storage_class("manual"), volume("x"), msgspec.structs.replace(asked, metadata=marked))
    annotations = {"volume.beta.kubernetes.io/storage-class": None}
    assert patch(fix.command) == {"spec": {"storageClassName": "manual"}, "metadata": {"annotations": annotations}}


def test_a_class_where_there_is_none_is_set_in_place() -> None:
    [fix] = offered(storage_class("manual"), volume("x"), claim())
    assert fix.summary == "Change claim data-db-0: storage class manual (volume x then fits) → fits n"
    assert fix.command == f"""kubectl patch {CLAIM} --type=merge -p '{{"spec": {{"storageClassName": "manual"}}}}'"""
    assert fix.effect is Effect.CHANGES


def test_a_stateful_set_is_corrected_before_its_claim() -> None:
    [fix] = offered(storage_class("manual"), volume("x"), claim(storageClassName="manaul"), stateful=True)
    first, second = fix.command.split(" && ")
    assert patch(first) == [
        {"op": "replace", "path": "/spec/volumeClaimTemplates/0/spec/storageClassName", "value": "manual"}
    ]
    assert first.startswith("kubectl patch statefulset/db -n shop --type=json ")
    assert first.endswith(" --dry-run=client -o json | kubectl replace --force --cascade=orphan -f -")
    assert second == f"kubectl delete {CLAIM}"
    assert "StatefulSet shop/db must be recreated too" in fix.summary


def test_a_provisioner_that_nobody_has_seen_at_work_is_not_verified() -> None:
    [fix] = offered(storage_class("cloud", "csi.example.com"), claim(storageClassName="cluod"))
    assert not fix.verified
    assert fix.summary.startswith(
        "Recreate claim data-db-0: storage class cloud instead of cluod → fits n, if csi.example.com creates the volume"
    )


def test_a_released_volume_is_let_go() -> None:
    held = {"namespace": "shop", "name": "data-db-0", "uid": "old"}
    [fix] = offered(storage_class("manual"), volume("x", claimRef=held), claim(storageClassName="manual"))
    assert "still has its data" in fix.summary
    assert patch(fix.command) == {"spec": {"claimRef": None}}
    assert fix.effect is Effect.CHANGES


def test_a_young_claim_keeps_its_class() -> None:
    """Its volume may come with the same manifest."""
    objects = (storage_class("manual"), storage_class("other"), volume("x"))
    assert offered(*objects, claim(storageClassName="other", age=60))
    assert not offered(*objects, claim(storageClassName="other", age=5))
    assert offered(*objects, claim(storageClassName="othr", age=5))


def test_a_claim_that_is_made_for_the_pod_is_described_anew() -> None:
    asked = claim(storageClassName="manaul")
    owner = [{"kind": "Pod", "name": "db-0", "uid": "u", "controller": True}]
    owned = msgspec.convert(
        {"name": "db-0-data", "namespace": "shop", "uid": "c", "ownerReferences": owner}, type(asked.metadata)
    )
    asked = msgspec.structs.replace(asked, metadata=owned)
    [fix] = offered(storage_class("manual"), volume("x"), asked, ephemeral=True)
    assert fix.summary == (
        "Change the claim template of volume data: storage class manual instead of manaul (volume x then fits) → fits n"
    )
    assert fix.command == ""  # A pod without workload cannot be changed so.
