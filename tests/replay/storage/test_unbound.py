"""What unbound claims wait for: upstream's table (`pkg/controller/volume/persistentvolume/binder_test.go TestSync` and
`provision_test.go`, v1.37), the rows that are about the decision and not about saving it."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from kubedoctor.cluster.kinds.storage import PersistentVolume, PersistentVolumeClaim, StorageClass
from kubedoctor.replay.storage.matching import Mismatch
from kubedoctor.replay.storage.unbound import SELECTED_NODE, Awaited, unbound

CLASSES = tuple(
    msgspec.convert(one, StorageClass)
    for one in (
        {"metadata": {"name": "gold"}, "provisioner": "kubernetes.io/mock", "volumeBindingMode": "Immediate"},
        {"metadata": {"name": "external"}, "provisioner": "vendor.com/my", "volumeBindingMode": "Immediate"},
        {"metadata": {"name": "wait"}, "provisioner": "vendor.com/my", "volumeBindingMode": "WaitForFirstConsumer"},
        {"metadata": {"name": "local"}, "provisioner": "kubernetes.io/no-provisioner"},
    )
)


def claim(size: str = "1Gi", volume: str = "", **more: Any) -> PersistentVolumeClaim:
    """newClaim of upstream's `framework_test.go`: ReadWriteOnce and ReadOnlyMany, and class None unless it is given."""
    annotations = more.pop("annotations", {})
    spec = {
        "volumeName": volume,
        "accessModes": ["ReadWriteOnce", "ReadOnlyMany"],
        "resources": {"requests": {"storage": size}},
    }
    metadata = {"name": "claim", "namespace": "default", "uid": "uid", "annotations": annotations}
    return msgspec.convert({"metadata": metadata, "spec": spec | more}, PersistentVolumeClaim)


def volume(size: str = "1Gi", phase: str = "Available", held: tuple[str, str] | None = None, **more: Any) -> Any:
    """newVolume of upstream's `framework_test.go`. `held`: name and uid of the claim that it refers to."""
    labels = more.pop("labels", {})
    spec: dict[str, Any] = {"capacity": {"storage": size}, "accessModes": ["ReadWriteOnce", "ReadOnlyMany"]}
    if held is not None:
        spec["claimRef"] = {"namespace": "default", "name": held[0], "uid": held[1]}
    document = {"metadata": {"name": "volume", "labels": labels}, "spec": spec | more, "status": {"phase": phase}}
    return msgspec.convert(document, PersistentVolume)


LABELS = {"foo": "true", "bar": "false"}
SELECTOR = {"matchLabels": LABELS}
NO_CLASS = Awaited.ANY_CLASS  # "no persistent volumes available for this claim and no storage class is set"


@pytest.mark.parametrize(
    ("row", "asked", "volumes", "awaited"),
    [
        ("1-1", claim(), [volume()], Awaited.BINDING),
        ("1-2", claim("10Gi"), [volume()], NO_CLASS),
        ("1-5", claim(), [volume("10Gi", held=("claim", ""))], Awaited.BINDING),
        ("1-6", claim(), [volume("10Gi", held=("claim", "uid"))], Awaited.BINDING),
        ("1-7", claim(), [volume("10Gi", held=("claim", "uid1-777"))], NO_CLASS),
        ("1-11", claim(selector=SELECTOR), [volume(labels=LABELS)], Awaited.BINDING),
        ("1-12", claim(selector=SELECTOR), [volume()], NO_CLASS),
        ("1-13", claim(storageClassName="wait"), [volume(storageClassName="wait")], Awaited.FIRST_POD),
        (
            "1-14",
            claim(storageClassName="wait"),
            [volume(held=("claim", ""), storageClassName="wait")],
            Awaited.BINDING,
        ),
        ("1-15", claim(volume="volume"), [volume("10Gi")], Awaited.BINDING),
        ("1-16", claim(volume="volume", accessModes=["ReadWriteMany"]), [volume()], Awaited.NAMED_VOLUME),
        ("1-17", claim(), [volume(phase=phase) for phase in ("Pending", "Failed", "Released", "")], NO_CLASS),
        ("2-1", claim("10Gi", "volume"), [], Awaited.NAMED_VOLUME),
        ("2-3", claim(volume="volume"), [volume()], Awaited.BINDING),
        ("2-4", claim(volume="volume"), [volume(held=("claim", ""))], Awaited.BINDING),
        ("2-5", claim(volume="volume"), [volume(held=("claim", "uid"))], Awaited.BINDING),
        ("2-6", claim(volume="volume"), [volume(phase="Bound", held=("other", "uid2-6_1"))], Awaited.NAMED_VOLUME),
        ("2-8", claim(volume="volume", selector=SELECTOR), [volume()], Awaited.BINDING),
        ("2-9", claim("2Gi", "volume"), [volume()], Awaited.NAMED_VOLUME),
        ("2-10", claim(volume="volume"), [volume(storageClassName="gold")], Awaited.NAMED_VOLUME),
        ("11-1", claim(storageClassName="gold"), [], Awaited.PROVISIONER),
        ("11-6", claim(storageClassName="gold"), [volume(storageClassName="gold")], Awaited.BINDING),
        ("11-14", claim(storageClassName="non-existing"), [], Awaited.NAMED_CLASS),
        ("11-15", claim(storageClassName=""), [], Awaited.VOLUME),
        ("11-16", claim(), [], NO_CLASS),
        ("11-17", claim(storageClassName="external"), [], Awaited.PROVISIONER),
        ("11-22", claim(storageClassName="external"), [volume(storageClassName="external")], Awaited.BINDING),
        (
            "11-24",
            claim(storageClassName="wait", annotations={SELECTED_NODE: "node1"}),
            [volume(storageClassName="wait")],
            Awaited.PROVISIONER,
        ),
    ],
)
def test_rows_of_upstream(row: str, asked: PersistentVolumeClaim, volumes: list[Any], awaited: Awaited) -> None:
    assert unbound(asked, volumes, CLASSES).awaits is awaited, row


def test_the_default_class_is_awaited_where_the_claim_names_none() -> None:
    default = {"storageclass.kubernetes.io/is-default-class": "true"}
    marked = msgspec.convert({"metadata": {"name": "gold", "annotations": default}}, StorageClass)
    assert unbound(claim(), [], [marked]).awaits is Awaited.DEFAULT_CLASS
    assert unbound(claim(storageClassName=""), [], [marked]).awaits is Awaited.VOLUME


def test_a_class_without_provisioner_needs_a_volume_that_people_make() -> None:
    state = unbound(claim("5Gi", storageClassName="local"), [volume(storageClassName="local")], CLASSES)
    assert state.awaits is Awaited.VOLUME
    assert state.storage_class is not None
    assert state.storage_class.name == "local"
    assert [one.reasons for one in state.judged] == [(Mismatch.TOO_SMALL,)]
    assert not state.fits


def test_a_volume_that_fits_is_told_though_the_class_waits_for_a_pod() -> None:
    state = unbound(claim(storageClassName="wait"), [volume(storageClassName="wait")], CLASSES)
    assert state.awaits is Awaited.FIRST_POD
    assert state.fits


def test_a_volume_that_names_the_claim_in_turn_is_not_measured() -> None:
    """`syncUnboundClaim` finishes such a binding without `checkVolumeSatisfyClaim`."""
    assert unbound(claim("2Gi", "volume"), [volume(held=("claim", "uid"))], ()).awaits is Awaited.BINDING
    assert unbound(claim("2Gi", "volume"), [volume(held=("claim", "older"))], ()).awaits is Awaited.NAMED_VOLUME


def test_a_volume_asked_for_by_name_is_judged_alone() -> None:
    other = msgspec.structs.replace(volume(), metadata=msgspec.structs.replace(volume().metadata, name="other"))
    (only,) = unbound(claim("2Gi", "volume"), [other, volume(phase="Pending")], CLASSES).judged
    assert only.volume.name == "volume"
    assert only.reasons == (Mismatch.TOO_SMALL,)
    assert not unbound(claim(volume="gone"), [other], CLASSES).judged
