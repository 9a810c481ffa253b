"""Claims that no volume is bound to, each for another reason: the reason is named, and each proposed change binds the claim."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from tests.real.cluster.control_plane import RealCluster
from tests.real.cluster.layout import Document
from tests.real.cluster.requirements import why_not_run
from tests.real.diagnosis import diagnose, said
from tests.real.namespace import Namespace
from tests.real.workloads import manifest

pytestmark = pytest.mark.real

NAMESPACE, OTHER = "claims", "elsewhere"
GONE = {"namespace": NAMESPACE, "name": "data", "uid": "6f0c52f3-0000-4000-8000-000000000000"}
MANUAL = {"storageClassName": "manual"}


def claim(
    name: str = "data", size: str = "5Gi", mode: str = "ReadWriteOnce", at: str = NAMESPACE, **more: Any
) -> Document:
    specification = {"accessModes": [mode], "resources": {"requests": {"storage": size}}, **more}
    return manifest("PersistentVolumeClaim", name, at, spec=specification)


def volume(name: str = "disk", size: str = "5Gi", mode: str = "ReadWriteOnce", **more: Any) -> Document:
    specification = {
        "accessModes": [mode],
        "capacity": {"storage": size},
        "hostPath": {"path": f"/data/{name}"},
        "persistentVolumeReclaimPolicy": "Retain",
        **more,
    }
    return manifest("PersistentVolume", name, None, spec=specification)


def storage_class(name: str, provisioner: str = "kubernetes.io/no-provisioner") -> Document:
    return manifest("StorageClass", name, None, "storage.k8s.io/v1", provisioner=provisioner)


def finalized(name: str) -> Document:
    """A volume that cannot go before somebody removes a finalizer."""
    made = volume(name, **MANUAL)
    made["metadata"]["finalizers"] = ["shop.example/backup"]
    return made


def annotated(class_name: str) -> Document:
    made = claim()
    made["metadata"]["annotations"] = {"volume.beta.kubernetes.io/storage-class": class_name}
    return made


@dataclass(frozen=True)
class Case:
    """says: words of the finding. fixes: how the proven ones begin. repair: what a person applies where none is proven.
    deleted: a volume that is being deleted."""

    name: str
    objects: tuple[Document, ...]
    says: str
    fixes: tuple[str, ...] = ()
    repair: tuple[Document, ...] = ()
    deleted: str = ""


HELD_ELSEWHERE = (claim("other", at=OTHER, volumeName="disk", **MANUAL), volume(**MANUAL))
CASES = (
    Case("no-class", (volume(**MANUAL), claim()), "sets no StorageClass", ("Recreate the claim with class manual",)),
    Case("class-misspelled", (claim(storageClassName="manaul"), volume(**MANUAL)), "did you mean manual", ("Recreate the claim with class manual",)),
    Case("class-missing", (claim(storageClassName="gold"), volume(**MANUAL)), "StorageClass gold of the claim does not exist", ("Recreate the claim with class manual",)),
    Case("class-by-annotation", (annotated("manaul"), volume(**MANUAL)), "did you mean manual", ("Recreate the claim with class manual",)),
    Case("empty-class", (claim(storageClassName=""), volume(**MANUAL)), "the claim requests no class", ("Recreate the claim with class manual",)),
    Case("too-small", (claim(**MANUAL), volume(size="2Gi", **MANUAL)), "the largest free volume of its class has 2Gi (disk)", ("Recreate the claim with size 2Gi",)),
    Case("access-mode", (claim(mode="ReadWriteMany", **MANUAL), volume(**MANUAL)), "has access mode ReadWriteOnce, not ReadWriteMany", ("Recreate the claim with access mode ReadWriteOnce",)),
    Case("volume-mode", (claim(volumeMode="Block", **MANUAL), volume(**MANUAL)), "has another volumeMode", repair=(volume("raw", volumeMode="Block", **MANUAL),)),
    Case("selector", (claim(selector={"matchLabels": {"disk": "fast"}}, **MANUAL), volume(**MANUAL)), "does not match the claim's selector", ("Recreate the claim with volumeName disk",)),
    Case("attributes-class", (claim(volumeAttributesClassName="gold", **MANUAL), volume(**MANUAL)), "has another volumeAttributesClassName", ("Recreate the claim with no attributes class",)),
    Case("released", (volume(claimRef=GONE, **MANUAL), claim(**MANUAL)), "it is Released", ("Remove the claimRef of volume disk",)),
    Case("reserved-for-nobody", (volume(claimRef={"namespace": OTHER, "name": "later"}, **MANUAL), claim(**MANUAL)), "is reserved for claim elsewhere/later", ("Remove the claimRef of volume disk",)),
    Case("held-by-another", (*HELD_ELSEWHERE, claim(**MANUAL)), "is reserved for claim elsewhere/other", repair=(volume("second", **MANUAL),)),
    Case("being-deleted", (finalized("disk"), claim(**MANUAL)), "is being deleted", repair=(volume("second", **MANUAL),), deleted="disk"),
    Case("class-and-size", (claim(storageClassName="gold"), volume(size="3Gi", **MANUAL)), "StorageClass gold of the claim does not exist", ("Recreate the claim with class manual and size 3Gi",)),
    Case("mode-and-size", (claim(mode="ReadWriteMany", **MANUAL), volume(size="3Gi", **MANUAL)), "has access mode ReadWriteOnce", ("Recreate the claim with size 3Gi and access mode ReadWriteOnce",)),
    Case("named-missing", (claim(volumeName="dsik", **MANUAL), volume(**MANUAL)), "PersistentVolume dsik of the claim does not exist; did you mean disk?", ("Recreate the claim with volumeName disk",)),
    Case("named-too-small", (claim(volumeName="disk", **MANUAL), volume(size="2Gi", **MANUAL)), "has only 2Gi of the requested 5Gi", ("Recreate the claim with size 2Gi",)),
    Case("named-of-another-class", (claim(volumeName="disk", storageClassName=""), volume(**MANUAL)), "has another class", ("Recreate the claim with class manual",)),
    Case("named-of-another-mode", (claim(volumeName="disk", mode="ReadWriteMany", **MANUAL), volume(**MANUAL)), "has access mode ReadWriteOnce, not ReadWriteMany", ("Recreate the claim with access mode ReadWriteOnce",)),
    Case("named-and-released", (volume(claimRef=GONE, **MANUAL), claim(volumeName="disk", **MANUAL)), "is Released and still bound to an earlier claim data", ("Remove the claimRef of volume disk",)),
    Case("named-and-held", (*HELD_ELSEWHERE, claim(volumeName="disk", **MANUAL)), "is reserved for claim elsewhere/other"),
)  # fmt: skip


@pytest.fixture(scope="module")
def claims() -> Iterator[Namespace]:
    """A control plane of their own: no node is needed to bind a claim."""
    if reason := why_not_run():
        pytest.skip(reason)
    with RealCluster(f"pytest-unbound-{os.getpid()}", node=False) as cluster:
        cluster.apply(
            manifest("Namespace", NAMESPACE, None), manifest("Namespace", OTHER, None), storage_class("manual")
        )
        yield Namespace(cluster, NAMESPACE)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_reason_is_named_and_each_change_binds_the_claim(claims: Namespace, case: Case) -> None:
    _start(claims, case)
    found: Document = {}

    def is_named() -> bool:
        report = diagnose(claims.cluster.visitor_kubeconfig, "pvc", "data", "-n", NAMESPACE)
        found.update(next((one for one in report.findings if one["code"] == "KD3001"), {}))
        return bool(found)

    # What may be created at the same moment is waited for.
    claims.cluster.wait_for("the reason", is_named, 60)
    assert case.says in said(found), said(found)
    proven = [fix for fix in found["fixes"] if fix["verified"]]
    assert [fix["summary"][: len(begin)] for fix, begin in zip(proven, case.fixes, strict=True)] == list(case.fixes)

    for number, fix in enumerate(proven):
        if number:
            _start(claims, case)
        claims.cluster.paste(fix["command"])
        claims.cluster.wait_for(f"a bound claim after: {fix['command']}", lambda: _phase(claims) == "Bound", 40)
    if case.repair:
        claims.apply(*case.repair)
        claims.cluster.wait_for("a bound claim", lambda: _phase(claims) == "Bound", 40)


def _start(claims: Namespace, case: Case) -> None:
    _clear(claims)
    others = [one for one in case.objects if one["metadata"].get("namespace") != NAMESPACE]
    claims.apply(*others)
    for one in others:
        if one["metadata"].get("namespace") == OTHER:
            claims.cluster.wait_for("the other claim", lambda: _phase(claims, "other", OTHER) == "Bound", 30)
    if case.deleted:
        claims.cluster.kubectl("delete", "pv", case.deleted, "--wait=false")
    claims.apply(*(one for one in case.objects if one not in others))
    claims.cluster.wait_for("the controller's look", lambda: _phase(claims) == "Pending", 30)
    claims.cluster.wait_for(
        "phases",
        lambda: all(one["status"].get("phase") != "Pending" for one in claims.cluster.items("pv", "default")),
        30,
    )


def _phase(claims: Namespace, name: str = "data", namespace: str = NAMESPACE) -> str:
    return str(claims.cluster.get("pvc", name, namespace).get("status", {}).get("phase", ""))


def _clear(claims: Namespace) -> None:
    kubectl = claims.cluster.kubectl
    for namespace in (NAMESPACE, OTHER):
        kubectl("delete", "pvc", "--all", "-n", namespace)
    for one in claims.cluster.items("pv", "default"):
        if one["metadata"].get("finalizers"):
            name = one["metadata"]["name"]
            kubectl("patch", "pv", name, "--type=merge", "-p", '{"metadata": {"finalizers": null}}')
    kubectl("delete", "pv", "--all", "--ignore-not-found")
