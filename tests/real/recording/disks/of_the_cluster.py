"""Faults of the storage system, of the driver's parts and of a second node: they concern every claim, so they follow one by one."""

from __future__ import annotations

import json

from tests.real.cluster.layout import NODE_NAME, Document
from tests.real.namespace import Namespace
from tests.real.recording.disks.claims import CLAIM, claim, grow, refused_claim, snapshot, used, user
from tests.real.recording.disks.second_node import (
    OTHER_NODE,
    used_on_a_dead_node,
    used_on_two_nodes,
    without_second_node,
)
from tests.real.recording.fault import Fault, Step, event
from tests.real.storage_driver import (
    CONTROLLER,
    DRIVER,
    GROUP,
    NODE_PART,
    PLACE,
    controller,
    limit,
    node_part,
    refuse,
    registered,
)

CHECKOUT = (("Deployment", "checkout"), ("Pod", "checkout-*"))
IN_USE = "cannot resize disk while it is attached: detach it from machine node-1 first"
BAD_SUPERBLOCK = (
    "mount failed: exit status 32 Mounting command: mount Mounting arguments: -t ext4 -o defaults /dev/vdb /staging"
    " Output: mount: /staging: wrong fs type, bad option, bad superblock on /dev/vdb, missing codepage or helper program"
)
BUSY = (
    "mount failed: exit status 32 Mounting command: mount Mounting arguments: -t ext4 -o defaults /dev/vdb /staging"
    " Output: mount: /staging: /dev/vdb already mounted or mount point busy."
)
DENIED = "the service identity disks-prod is not allowed to create disks in project shop"
CODES = {"out of space": 8, "denied": 7, "in use": 9, "internal": 13}


def nothing(namespace: str) -> list[Document]:
    return []


def refusing(call: str, code: str, message: str, *objects: Step) -> Step:
    """The storage system refuses a call; then what else happens."""

    def steps(at: Namespace) -> None:
        refuse(at.cluster, call, CODES[code], message)
        for step in objects:
            step(at)

    return steps


def allowed(at: Namespace) -> None:
    limit(at.cluster)


def created(size: str = "64Mi") -> Step:
    return lambda at: at.apply(*used(size)(at.name))


def quota(at: Namespace) -> None:
    """One disk is allowed, and somebody outside of the cluster has it."""
    disks = at.cluster.folder / "var-lib/disks/disks"
    disks.mkdir(parents=True, exist_ok=True)
    (disks / "disk-of-another-team.json").write_text(json.dumps({"ID": "disk-of-another-team", "Bytes": 1 << 30}))
    limit(at.cluster, MostDisks=1)
    at.apply(*used()(at.name))


def slowly(at: Namespace) -> None:
    limit(at.cluster, Seconds=60)
    at.apply(*used()(at.name))


def scaled(replicas: int) -> Step:
    def steps(at: Namespace) -> None:
        at.cluster.kubectl("scale", "deployment", CONTROLLER, f"--replicas={replicas}", "-n", PLACE)
        if replicas:
            at.cluster.kubectl("rollout", "status", f"deployment/{CONTROLLER}", "-n", PLACE, "--timeout=120s")
        else:
            at.cluster.kubectl("wait", "--for=delete", "pod", "-l", f"app={CONTROLLER}", "-n", PLACE, "--timeout=90s")
            at.apply(*used()(at.name))

    return steps


def with_controller(*without: str) -> Step:
    def steps(at: Namespace) -> None:
        at.apply(*controller(without))
        at.cluster.kubectl("rollout", "status", f"deployment/{CONTROLLER}", "-n", PLACE, "--timeout=120s")

    return steps


def then(*many: Step) -> Step:
    def steps(at: Namespace) -> None:
        for step in many:
            step(at)

    return steps


def with_node_part(selector: dict[str, str] | None = None, most: int = 0) -> Step:
    """The part on the node starts again, with or without the node that is there."""

    def steps(at: Namespace) -> None:
        at.apply(*node_part(selector, most))
        at.cluster.kubectl("rollout", "status", f"daemonset/{NODE_PART}", "-n", PLACE, "--timeout=120s")
        at.cluster.wait_for("the kubelet's word", lambda: registered(at.cluster) is (selector is None), 60)

    return steps


def used_first(at: Namespace) -> None:
    at.apply(*used()(at.name))
    at.wait_until_available("checkout")


def new_pod(at: Namespace) -> None:
    at.cluster.kubectl("rollout", "restart", "deployment/checkout", "-n", at.name)


def attached_elsewhere(at: Namespace) -> None:
    """The disk is still attached to a machine that this cluster does not know."""
    at.apply(claim(at.name, storageClassName="disks-at-once"))
    at.cluster.wait_for("a volume", lambda: bool(at.cluster.get("pvc", "data", at.name)["spec"].get("volumeName")))
    volume = at.cluster.get("pvc", "data", at.name)["spec"]["volumeName"]
    handle = at.cluster.get("pv", volume)["spec"]["csi"]["volumeHandle"]
    path = at.cluster.folder / f"var-lib/disks/disks/{handle}.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "AttachedTo": ["db-old-7"]}))
    at.apply(user(at.name))


def not_detached(at: Namespace) -> None:
    used_first(at)
    refuse(at.cluster, "ControllerUnpublishVolume", CODES["in use"], "machine node-1 is locked by task migrate-4711")
    at.cluster.kubectl("delete", "deployment", "checkout", "-n", at.name)


def not_detached_yet(at: Namespace) -> bool:
    return any(row.get("status", {}).get("detachError") for row in at.cluster.items("volumeattachments", "default"))


def third_disk(at: Namespace) -> None:
    """The node may have one volume of the driver, and the second pod needs another."""
    with_node_part(most=1)(at)
    at.apply(*used()(at.name))
    at.wait_until_available("checkout")
    at.apply(claim(at.name, "archive"), user(at.name, name="archive", of="archive"))


def snapshot_refused(at: Namespace) -> None:
    used_first(at)
    refuse(at.cluster, "CreateSnapshot", CODES["out of space"], "quota exceeded: the project has 20 of 20 snapshots")
    at.apply(snapshot(at.name))


def snapshot_failed(at: Namespace) -> bool:
    found = at.cluster.get(f"volumesnapshots.{GROUP}", "daily", at.name)
    return bool(found.get("status", {}).get("error"))


def deletion_refused(at: Namespace) -> None:
    used_first(at)
    refuse(at.cluster, "DeleteVolume", CODES["in use"], "disk is in use by snapshot daily-2026-11-30: delete it first")
    at.cluster.kubectl("delete", "deployment", "checkout", "-n", at.name)
    at.cluster.kubectl("delete", "pvc", "data", "-n", at.name)


def event_of_a_volume(at: Namespace) -> bool:
    return any(row["reason"] == "VolumeFailedDelete" for row in at.cluster.items("events", "default"))


DISKS_OF_THE_CLUSTER = (
    Fault(
        "disk-quota-exhausted",
        "The project at the storage system may have no more disks.",
        "claim-pending",
        "The quota of disks of the storage system is used up.",
        CLAIM,
        nothing,
        refused_claim("quota"),
        steps=quota,
        repair=allowed,
    ),
    Fault(
        "disk-denied-to-the-driver",
        "The identity of the driver may not create disks any more.",
        "claim-pending",
        "The storage system denies the driver's identity the creation of disks.",
        CLAIM,
        nothing,
        refused_claim("not allowed"),
        steps=refusing("CreateVolume", "denied", DENIED, created()),
        repair=allowed,
    ),
    Fault(
        "healthy-disk-being-created",
        "The storage system takes a minute to create a disk.",
        "healthy",
        "Nothing is wrong yet: the driver has been at work for 20 s.",
        (),
        nothing,
        event("Provisioning"),
        steps=slowly,
        repair=allowed,
        settle=20,
    ),
    Fault(
        "driver-controller-scaled-to-zero",
        "The controller of the driver was scaled to 0 for maintenance, and forgotten.",
        "claim-pending",
        "Deployment disks-csi-controller, which creates the volumes, is scaled to 0.",
        (("Deployment", f"{PLACE}/{CONTROLLER}"), *CLAIM),
        nothing,
        event("ExternalProvisioning"),
        steps=scaled(0),
        repair=scaled(1),
        settle=75,
    ),
    Fault(
        "driver-without-attacher",
        "The controller of the driver was installed without its attacher.",
        "volume-not-attached",
        "No csi-attacher of disks.csi.shop.example runs, so no disk is attached.",
        (("Deployment", f"{PLACE}/{CONTROLLER}"), ("CSIDriver", f"/{DRIVER}"), *CHECKOUT),
        nothing,
        event("FailedAttachVolume"),
        steps=then(with_controller("csi-attacher"), created()),
        repair=with_controller(),
    ),
    Fault(
        "driver-not-on-the-node",
        "The part of the driver on the nodes runs only on nodes with a label that no node has.",
        "claim-pending",
        "Driver disks.csi.shop.example is not registered on node-1.",
        (("DaemonSet", f"{PLACE}/{NODE_PART}"), *CLAIM),
        nothing,
        refused_claim("topology"),
        steps=then(with_node_part({"disks": "yes"}), created()),
        repair=with_node_part(),
    ),
    Fault(
        "driver-left-the-node",
        "A volume was used; then the part of the driver on the node got a node selector that excludes it.",
        "volume-not-mounted",
        "Driver disks.csi.shop.example is not registered on node-1 any more.",
        (("DaemonSet", f"{PLACE}/{NODE_PART}"), ("Node", f"/{NODE_NAME}"), *CHECKOUT),
        nothing,
        event("FailedMount"),
        steps=then(used_first, with_node_part({"disks": "yes"}), new_pod),
        repair=with_node_part(),
        settle=20,
    ),
    Fault(
        "disk-attached-to-another-machine",
        "The disk is still attached to a machine outside of the cluster.",
        "volume-not-attached",
        "The disk is attached to machine db-old-7.",
        (*CHECKOUT, *CLAIM),
        nothing,
        event("FailedAttachVolume", "db-old-7"),
        steps=attached_elsewhere,
    ),
    Fault(
        "disk-with-a-damaged-file-system",
        "The file system of the disk cannot be mounted.",
        "volume-not-mounted",
        "The file system of volume data is damaged, or of another type.",
        (*CHECKOUT, *CLAIM),
        nothing,
        event("FailedMount", "superblock"),
        steps=refusing("NodeStageVolume", "internal", BAD_SUPERBLOCK, created()),
        repair=allowed,
    ),
    Fault(
        "disk-used-on-two-nodes",
        "A pod on node-2 uses the ReadWriteOnce claim that checkout needs on node-1.",
        "volume-not-attached",
        "The disk is attached to node-2, where pod import uses it.",
        (*CHECKOUT, ("Pod", "import"), *CLAIM),
        nothing,
        event("FailedAttachVolume", "already used by pod"),
        steps=used_on_two_nodes,
        repair=without_second_node,
    ),
    Fault(
        "disk-of-a-dead-node",
        "Node node-2 is dead; its pod import cannot end, and keeps the ReadWriteOnce claim that checkout needs.",
        "volume-not-attached",
        "node-2 does not answer: pod import there does not end, so its disk is not detached.",
        (("Node", f"/{OTHER_NODE}"), *CHECKOUT, ("Pod", "import"), *CLAIM),
        nothing,
        event("FailedAttachVolume", "already used by pod"),
        steps=used_on_a_dead_node,
        repair=without_second_node,
        settle=65,
    ),
    Fault(
        "disk-device-is-busy",
        "Something on the node holds the device of the disk.",
        "volume-not-mounted",
        "The device of the disk is in use on node-1.",
        (*CHECKOUT, *CLAIM),
        nothing,
        event("FailedMount", "busy"),
        steps=refusing("NodeStageVolume", "internal", BUSY, created()),
        repair=allowed,
    ),
    Fault(
        "disk-not-detached",
        "The storage system does not detach the disk of a pod that has ended.",
        "volume-not-detached",
        "The machine is locked by task migrate-4711, so the disk stays attached.",
        (("VolumeAttachment", "/csi-*"),),
        nothing,
        not_detached_yet,
        steps=not_detached,
        repair=allowed,
        settle=440,
    ),
    Fault(
        "disk-not-grown-while-attached",
        "The storage system does not grow a disk that is attached.",
        "resize-failed",
        "The disk must be detached to grow.",
        CLAIM,
        used(),
        event("VolumeResizeFailed"),
        steps=then(lambda at: limit(at.cluster, InUse=IN_USE), grow("96Mi")),
        repair=allowed,
    ),
    Fault(
        "file-system-not-grown",
        "The disk has grown, and its file system cannot.",
        "resize-failed",
        "The file system of volume data cannot be grown on the node.",
        (*CLAIM, *CHECKOUT),
        used(),
        event("VolumeResizeFailed", "resize2fs"),
        steps=refusing(
            "NodeExpandVolume", "internal", "resize2fs: Permission denied to resize filesystem", grow("96Mi")
        ),
        repair=allowed,
    ),
    Fault(
        "snapshot-quota-exhausted",
        "The project at the storage system may have no more snapshots.",
        "snapshot-not-taken",
        "The quota of snapshots is used up: no snapshot daily is taken.",
        ((f"VolumeSnapshot.{GROUP}", "daily"),),
        nothing,
        snapshot_failed,
        steps=snapshot_refused,
        repair=allowed,
        settle=30,
    ),
    Fault(
        "node-has-its-last-disk",
        "The node may have one disk, and two pods need one each.",
        "unschedulable",
        "node-1 may have one volume of disks.csi.shop.example, which checkout uses.",
        (("Deployment", "archive"), ("Pod", "archive-*"), ("Node", f"/{NODE_NAME}")),
        nothing,
        event("FailedScheduling"),
        steps=third_disk,
        repair=with_node_part(),
    ),
    Fault(
        "disk-not-deleted",
        "The claim is gone, and the storage system does not delete its disk.",
        "volume-not-deleted",
        "The disk has a snapshot, so the storage system does not delete it.",
        (("PersistentVolume", "/pvc-*"),),
        nothing,
        event_of_a_volume,
        steps=deletion_refused,
        repair=allowed,
        settle=320,
    ),
)
