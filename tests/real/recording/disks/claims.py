"""Faults of claims and volumes with a CSI driver: each concerns one namespace only, so all are made at once."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from tests.real.cluster.layout import Document
from tests.real.namespace import Namespace
from tests.real.recording.fault import Fault, Step, Test, event, restarts
from tests.real.recording.parts import phase
from tests.real.storage_driver import GROUP
from tests.real.workloads import deployment, manifest

CLAIM = (("PersistentVolumeClaim", "data"),)
FILE = "/data/orders.db"


def claim(
    namespace: str, name: str = "data", size: str = "64Mi", mode: str = "ReadWriteOnce", **more: object
) -> Document:
    spec = {"accessModes": [mode], "resources": {"requests": {"storage": size}}, **more}
    return manifest("PersistentVolumeClaim", name, namespace, spec=spec)


def user(
    namespace: str, *arguments: str, name: str = "checkout", of: str = "data", pod: Document | None = None
) -> Document:
    """A Deployment that mounts a claim at /data, and ends its old pod before the new one."""
    mount = {"volumeMounts": [{"name": "data", "mountPath": "/data"}]}
    volumes = {"volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": of}}], **(pod or {})}
    made = deployment(name, namespace, *arguments, container=mount, pod=volumes)
    made["spec"]["strategy"] = {"type": "Recreate"}
    return made


def used(
    size: str = "64Mi", mode: str = "ReadWriteOnce", *arguments: str, pod: Document | None = None, **fields: Any
) -> Callable[[str], list[Document]]:
    """A claim, and the Deployment that mounts it. fields: of the claim."""
    return lambda namespace: [claim(namespace, size=size, mode=mode, **fields), user(namespace, *arguments, pod=pod)]


def snapshot(namespace: str, name: str = "daily", of: str = "data", **spec: object) -> Document:
    source = {"persistentVolumeClaimName": of}
    return manifest("VolumeSnapshot", name, namespace, f"{GROUP}/v1", spec={"source": source, **spec})


def restored(namespace: str, name: str, source: str, size: str = "64Mi") -> list[Document]:
    """A claim out of a snapshot, and the Deployment that reads it."""
    origin = {"apiGroup": GROUP, "kind": "VolumeSnapshot", "name": source}
    return [claim(namespace, name, size, dataSource=origin), user(namespace, name="reports", of=name)]


def is_ready(at: Namespace, name: str = "daily") -> bool:
    found = at.cluster.get(f"volumesnapshots.{GROUP}", name, at.name)
    return found.get("status", {}).get("readyToUse") is True


def with_snapshot(at: Namespace) -> None:
    at.wait_until_available("checkout")
    at.apply(snapshot(at.name))
    at.cluster.wait_for("the snapshot", lambda: is_ready(at))


def restore(name: str, source: str, size: str = "64Mi") -> Step:
    def steps(at: Namespace) -> None:
        with_snapshot(at)
        at.apply(*restored(at.name, name, source, size))

    return steps


def misspelled_snapshot_class(at: Namespace) -> None:
    at.wait_until_available("checkout")
    at.apply(snapshot(at.name, volumeSnapshotClassName="diks"))


def grow(size: str) -> Step:
    def steps(at: Namespace) -> None:
        at.wait_until_available("checkout")
        change = {"spec": {"resources": {"requests": {"storage": size}}}}
        at.cluster.kubectl("patch", "pvc", "data", "-n", at.name, "--type=merge", "-p", json.dumps(change))

    return steps


def with_attributes(name: str) -> Step:
    def steps(at: Namespace) -> None:
        at.wait_until_available("checkout")
        change = {"spec": {"volumeAttributesClassName": name}}
        at.cluster.kubectl("patch", "pvc", "data", "-n", at.name, "--type=merge", "-p", json.dumps(change))

    return steps


def grown_and_restored(at: Namespace) -> None:
    restore("restored", "daily")(at)
    grow("96Mi")(at)
    at.wait_until_available("reports")


def has_grown(at: Namespace) -> bool:
    status = at.cluster.get("pvc", "data", at.name)["status"]
    going_on = [row for row in status.get("conditions", []) if row["status"] == "True"]
    return status.get("capacity", {}).get("storage") == "96Mi" and not going_on


def kept(at: Namespace) -> str:
    """Delete the workload and its claim; the name of the volume that stays."""
    at.wait_until_available("checkout")
    volume = str(at.cluster.get("pvc", "data", at.name)["spec"]["volumeName"])
    at.cluster.kubectl("delete", "deployment", "checkout", "-n", at.name)
    at.cluster.kubectl("delete", "pvc", "data", "-n", at.name)
    at.cluster.wait_for("a released volume", lambda: at.cluster.get("pv", volume)["status"]["phase"] == "Released")
    return volume


def keep(at: Namespace) -> None:
    kept(at)


def kept_and_wanted(at: Namespace) -> None:
    volume = kept(at)
    at.apply(claim(at.name, storageClassName="disks-kept", volumeName=volume), user(at.name))


def refused_claim(text: str) -> Test:
    return event("ProvisioningFailed", text)


DISKS = (
    Fault(
        "disk-of-an-unknown-parameter",
        "A StorageClass misspells a parameter of its driver; the first claim of the class shows it.",
        "claim-pending",
        "StorageClass disks-fast has the parameter tpye, which the driver does not know.",
        (("StorageClass", "/disks-fast"), *CLAIM),
        used(storageClassName="disks-fast"),
        refused_claim("tpye"),
    ),
    Fault(
        "disk-for-many-nodes",
        "The claim requests ReadWriteMany of a driver of disks.",
        "claim-pending",
        "The driver has no volumes that several nodes can write to.",
        CLAIM,
        used(mode="ReadWriteMany"),
        refused_claim("MULTI_NODE"),
    ),
    Fault(
        "disk-larger-than-possible",
        "The claim requests more than the largest disk of the storage system.",
        "claim-pending",
        "A disk has 16Gi at most; the claim requests 100Gi.",
        CLAIM,
        used("100Gi"),
        refused_claim("maximum"),
    ),
    Fault(
        "disk-in-a-zone-without-nodes",
        "The class makes disks in zone-b only, and no node is there.",
        "unschedulable",
        "Class disks-zone-b allows zone-b only; node-1 is in zone-a.",
        (("StorageClass", "/disks-zone-b"), *CLAIM, ("Deployment", "checkout"), ("Pod", "checkout-*")),
        used(storageClassName="disks-zone-b"),
        event("FailedScheduling"),
        settle=65,
    ),
    Fault(
        "disk-is-full",
        "The program fills its volume and cannot start any more.",
        "crash-loop",
        "Volume data of checkout is full: 8Mi.",
        (("Deployment", "checkout"), *CLAIM),
        used("8Mi", "ReadWriteOnce", "fill", "-mb", "64", "-path", FILE),
        restarts("checkout", 2),
    ),
    Fault(
        "disk-of-another-user",
        "The program runs as user 1000 without fsGroup; the file system of the new disk belongs to root.",
        "crash-loop",
        "User 1000 may not write to the volume of root: the pod sets no fsGroup.",
        (("Deployment", "checkout"),),
        used("64Mi", "ReadWriteOnce", "fill", "-mb", "1", "-path", FILE, pod={"securityContext": {"runAsUser": 1000}}),
        restarts("checkout", 2),
    ),
    Fault(
        "disk-grown-too-large",
        "Somebody requested more of a bound claim than the largest disk.",
        "resize-failed",
        "The claim requests 100Gi, and a disk has 16Gi at most.",
        CLAIM,
        used(),
        event("VolumeResizeFailed"),
        steps=grow("100Gi"),
    ),
    Fault(
        "disk-attributes-refused",
        "A bound claim names a VolumeAttributesClass with a type that the driver does not know.",
        "attributes-not-applied",
        "VolumeAttributesClass disks-faster sets type faster, which the driver rejects.",
        (("VolumeAttributesClass", "/disks-faster"), *CLAIM),
        used(),
        event("VolumeModifyFailed"),
        steps=with_attributes("disks-faster"),
    ),
    Fault(
        "snapshot-of-a-misspelled-class",
        "A VolumeSnapshot names a class that does not exist.",
        "snapshot-not-taken",
        "VolumeSnapshotClass diks does not exist; disks is meant.",
        ((f"VolumeSnapshot.{GROUP}", "daily"),),
        used(),
        lambda at: bool(at.cluster.get(f"volumesnapshots.{GROUP}", "daily", at.name).get("status", {}).get("error")),
        steps=misspelled_snapshot_class,
    ),
    Fault(
        "restore-of-a-misspelled-snapshot",
        "A claim is to be restored from snapshot dialy; only daily exists.",
        "claim-pending",
        "VolumeSnapshot dialy does not exist; daily is meant.",
        (("PersistentVolumeClaim", "restored"),),
        used(),
        refused_claim("dialy"),
        steps=restore("restored", "dialy"),
    ),
    Fault(
        "restore-smaller-than-its-snapshot",
        "A claim of 32Mi is to be restored from a snapshot of 64Mi.",
        "claim-pending",
        "The claim requests 32Mi, its snapshot has 64Mi.",
        (("PersistentVolumeClaim", "restored"),),
        used(),
        refused_claim("size"),
        steps=restore("restored", "daily", "32Mi"),
    ),
    Fault(
        "kept-volume-is-wanted-again",
        "The volume of a deleted claim is kept, and a new claim names it.",
        "claim-pending",
        "The volume is Released and still names the deleted claim.",
        CLAIM,
        used(storageClassName="disks-kept"),
        phase("checkout", "Pending"),
        steps=kept_and_wanted,
        settle=10,
    ),
    Fault(
        "healthy-claim-without-a-pod",
        "A claim of a class that waits for its first pod, and no pod yet.",
        "healthy",
        "Nothing is wrong: the class waits for the first pod.",
        (),
        lambda namespace: [claim(namespace)],
        event("WaitForFirstConsumer"),
        settle=75,
    ),
    Fault(
        "healthy-kept-volume",
        "The volume of a deleted claim is kept, as its class wants.",
        "healthy",
        "Nothing is wrong: the reclaim policy is Retain.",
        (),
        used(storageClassName="disks-kept"),
        lambda at: True,
        steps=keep,
    ),
    Fault(
        "healthy-disk-grown-and-restored",
        "A disk has grown, a snapshot of it is ready, and a claim is restored from it.",
        "healthy",
        "Nothing is wrong.",
        (),
        used(),
        has_grown,
        steps=grown_and_restored,
    ),
)
