"""How volumes, claims, storage classes, drivers and resource claims are printed."""

from __future__ import annotations

from datetime import datetime

from kubedoctor.sandbox.exchange import Object
from kubedoctor.sandbox.tables.printing import UNSET, Cells, Printer, at, created, joined, name

_MODES = {
    "ReadWriteOnce": "RWO",
    "ReadOnlyMany": "ROX",
    "ReadWriteMany": "RWX",
    "ReadWriteOncePod": "RWOP",
}
_BETA_CLASS = "volume.beta.kubernetes.io/storage-class"
DEFAULT_CLASS = (
    "storageclass.kubernetes.io/is-default-class",
    "storageclass.beta.kubernetes.io/is-default-class",
)


def _access_modes(modes: list[str]) -> str:
    return joined((short for mode, short in _MODES.items() if mode in modes), "")


def _class_of(obj: Object) -> str:
    beta = at(obj, "metadata", "annotations", _BETA_CLASS)
    return str(beta if beta is not None else at(obj, "spec", "storageClassName", default=""))


def _phase(obj: Object) -> str:
    if at(obj, "metadata", "deletionTimestamp"):
        return "Terminating"
    return str(at(obj, "status", "phase", default=""))


def _volume(obj: Object, now: datetime) -> Cells:
    claim = at(obj, "spec", "claimRef")
    return [
        name(obj),
        at(obj, "spec", "capacity", "storage", default="0"),
        _access_modes(at(obj, "spec", "accessModes", default=[])),
        at(obj, "spec", "persistentVolumeReclaimPolicy", default=""),
        _phase(obj),
        f"{claim.get('namespace', '')}/{claim.get('name', '')}" if claim else "",
        _class_of(obj),
        at(obj, "spec", "volumeAttributesClassName", default=UNSET),
        at(obj, "status", "reason", default=""),
        created(obj, now),
        at(obj, "spec", "volumeMode", default="Filesystem"),
    ]


def _claim(obj: Object, now: datetime) -> Cells:
    volume = at(obj, "spec", "volumeName", default="")
    return [
        name(obj),
        _phase(obj),
        volume,
        at(obj, "status", "capacity", "storage", default="0") if volume else "",
        _access_modes(at(obj, "status", "accessModes", default=[])) if volume else "",
        _class_of(obj),
        at(obj, "spec", "volumeAttributesClassName", default=UNSET),
        created(obj, now),
        at(obj, "spec", "volumeMode", default="Filesystem"),
    ]


def _storage_class(obj: Object, now: datetime) -> Cells:
    return [
        name(obj),
        obj.get("provisioner", ""),
        at(obj, "reclaimPolicy", default="Delete"),
        at(obj, "volumeBindingMode", default="Immediate"),
        bool(at(obj, "allowVolumeExpansion", default=False)),
        created(obj, now),
    ]


def default_class(listed: list[Object]) -> str:
    """The name of the class that a claim without one gets: the newest of the default classes, then the first by
    name."""
    marked = [
        storage_class
        for storage_class in listed
        if any(at(storage_class, "metadata", "annotations", annotation) == "true" for annotation in DEFAULT_CLASS)
    ]
    newest = max(
        (str(at(storage_class, "metadata", "creationTimestamp", default="")) for storage_class in marked), default=""
    )
    return min(
        (
            name(storage_class)
            for storage_class in marked
            if at(storage_class, "metadata", "creationTimestamp", default="") == newest
        ),
        default="",
    )


def _csi_node(obj: Object, now: datetime) -> Cells:
    return [name(obj), len(at(obj, "spec", "drivers", default=[])), created(obj, now)]


def _csi_driver(obj: Object, now: datetime) -> Cells:
    tokens = at(obj, "spec", "tokenRequests")
    return [
        name(obj),
        at(obj, "spec", "attachRequired", default=True),
        at(obj, "spec", "podInfoOnMount", default=False),
        at(obj, "spec", "storageCapacity", default=False),
        UNSET if tokens is None else joined((token.get("audience", "") for token in tokens), ""),
        at(obj, "spec", "requiresRepublish", default=False),
        joined(at(obj, "spec", "volumeLifecycleModes", default=["Persistent"])),
        created(obj, now),
    ]


def _csi_storage_capacity(obj: Object, _now: datetime) -> Cells:
    return [name(obj), obj.get("storageClassName", ""), at(obj, "capacity", default=UNSET)]


def _volume_attachment(obj: Object, now: datetime) -> Cells:
    return [
        name(obj),
        at(obj, "spec", "attacher", default=""),
        at(obj, "spec", "source", "persistentVolumeName", default=""),
        at(obj, "spec", "nodeName", default=""),
        at(obj, "status", "attached", default=False),
        created(obj, now),
    ]


def _resource_claim(obj: Object, now: datetime) -> Cells:
    deleted, allocated = at(obj, "metadata", "deletionTimestamp"), at(obj, "status", "allocation")
    states = ["deleted"] if deleted else []
    if allocated is not None:
        states += ["allocated", "reserved"] if at(obj, "status", "reservedFor") else ["allocated"]
    elif not deleted:
        states.append("pending")
    return [name(obj), ",".join(states), created(obj, now)]


def _resource_slice(obj: Object, now: datetime) -> Cells:
    return [
        name(obj),
        at(obj, "spec", "nodeName", default=""),
        at(obj, "spec", "driver", default=""),
        at(obj, "spec", "pool", "name", default=""),
        created(obj, now),
    ]


PRINTERS = {
    "PersistentVolume": Printer(
        "Name, Capacity, Access Modes, Reclaim Policy, Status, Claim, StorageClass, VolumeAttributesClass, Reason, Age,"
        " VolumeMode*",
        _volume,
    ),
    "PersistentVolumeClaim": Printer(
        "Name, Status, Volume, Capacity, Access Modes, StorageClass, VolumeAttributesClass, Age, VolumeMode*", _claim
    ),
    "StorageClass": Printer(
        "Name, Provisioner, ReclaimPolicy, VolumeBindingMode, AllowVolumeExpansion, Age", _storage_class
    ),
    "CSINode": Printer("Name, Drivers:integer, Age", _csi_node),
    "CSIDriver": Printer(
        "Name, AttachRequired:boolean, PodInfoOnMount:boolean, StorageCapacity:boolean, TokenRequests,"
        " RequiresRepublish:boolean, Modes, Age",
        _csi_driver,
    ),
    "CSIStorageCapacity": Printer("Name, StorageClassName, Capacity", _csi_storage_capacity),
    "VolumeAttachment": Printer("Name, Attacher, PV, Node, Attached:boolean, Age", _volume_attachment),
    "ResourceClaim": Printer("Name, State, Age", _resource_claim),
    "ResourceSlice": Printer("Name, Node, Driver, Pool, Age", _resource_slice),
}
