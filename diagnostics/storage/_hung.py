"""A provisioner whose first try hangs, what is wrong with the storage behind it, and the repair for each failure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Final

from diagnostics.storage._provisioner import ControllerState
from kubedoctor.cluster import Cluster, CustomResource, Event, StorageClass, has_path, listed, quote, ref
from kubedoctor.findings import Evidence, Fix
from kubedoctor.replay.messages.classes import MessageClass
from kubedoctor.replay.messages.message import Message
from kubedoctor.replay.messages.reader import read_message

CEPH: Final = "CephCluster.ceph.rook.io"
HUNG: Final = "an earlier call of the driver has not finished"
_AGAIN: Final = re.compile(
    r"operation with the given Volume ID \S+ already exists|operation .{0,80}already (?:in progress|pending|running)"
    r"|deadline ?exceeded",
    re.IGNORECASE,
)
"""What the sidecar gets for a call that hangs, and for each that follows (`ceph-csi`, `internal/util/idlocker.go`, 3.12)."""
_CEPH_DRIVER: Final = re.compile(r"^(?:[\w-]+\.)?(?:rbd|cephfs|nfs)\.csi\.ceph\.com$")
"""Rook puts the namespace of its operator before the name."""
_PART_OF_A_CLUSTER: Final = re.compile(r"[0-9a-f]{32}")
"""The clusterID that Rook gives to a RADOS namespace or a subvolume group (a hash that names no CephCluster)."""
_TOO_LARGE: Final = re.compile(
    r"(?:larger|greater|more) than the max|exceeds (?:the )?max|maximum (?:allowed )?(?:size|disk size|volume size)",
    re.IGNORECASE,
)
_WITHOUT_NODE: Final = re.compile(r"no node was specified")
"""`rancher/local-path-provisioner`, `provisioner.go`, 0.0.30."""
_ILL: Final = "HEALTH_ERR"
_C = MessageClass
_REPAIRS: Final = {
    _C.PROVISION_QUOTA: "Raise the quota or limit that the message names, or delete volumes that are no longer used",
    _C.PROVISION_CAPACITY: "Free or add storage where the message says, or let the claim request less",
    _C.PROVISION_TOPOLOGY: "Let the StorageClass or the pod choose a zone or node in which the driver can create volumes",
    _C.PROVISION_PARAMETERS: "Correct the parameter that the message names: in the StorageClass (delete and recreate it) or in the claim",
    _C.PROVISION_REFERENCE_MISSING: "Create what the message names, or correct its name in the StorageClass or the claim",
    _C.PROVISION_TIMEOUT: "Find out in the log of the driver's controller which call of the storage does not answer",
}


def is_hung(failure: Event) -> bool:
    return _AGAIN.search(failure.message) is not None


def deciding(failed: Sequence[Event]) -> Event | None:
    """The newest failure that says more than that an earlier try goes on; None where none has a message."""
    told = [event for event in failed if event.message]
    return next((event for event in reversed(told) if not is_hung(event)), told[-1] if told else None)


def is_about_parameters(failure: Event) -> bool:
    return _class_of(failure) is _C.PROVISION_PARAMETERS


def is_over_quota(failure: Event) -> bool:
    return _class_of(failure) is _C.PROVISION_QUOTA


def _class_of(failure: Event) -> MessageClass | None:
    reading = read_message(Message(text=failure.message, reason=failure.reason, kind="PersistentVolumeClaim"))
    return reading.message_class if reading is not None else None


def repair_of(failure: Event) -> str:
    return repair_of_text(failure.message, failure.reason)


def repair_of_text(text: str, reason: str = "ProvisioningFailed") -> str:
    """An imperative for what the storage refuses, by the kind of its message."""
    if _WITHOUT_NODE.search(text):
        return "Delete the class and create it again with volumeBindingMode WaitForFirstConsumer: its volumes are folders of a node"
    if _TOO_LARGE.search(text):
        return (
            "Let the claim request no more than the message allows, or use a class whose driver creates larger volumes"
        )
    reading = read_message(Message(text=text, reason=reason, kind="PersistentVolumeClaim"))
    repair = _REPAIRS.get(reading.message_class) if reading is not None and reading.known else None
    return repair or "Fix the cause that the driver's message names"


def ill_storage(storage_class: StorageClass, cluster: Cluster) -> ControllerState:
    """What the operator of the storage says of its health, where that explains a call that does not finish."""
    ceph = _ceph_of(storage_class, cluster) if _CEPH_DRIVER.match(storage_class.provisioner) else None
    status = _ceph_status(ceph) if ceph is not None else {}
    if ceph is None or status.get("health") != _ILL:
        return ControllerState()
    reasons = tuple(_reasons(ceph, status))
    words = listed([one.text for one in reasons], 3) if reasons else ""
    return ControllerState(
        f"; {ref(ceph).title} is {_ILL}{f': {words}' if words else ''}",
        (quote(ceph, "status.ceph.health", "as Rook last saw it"), *reasons),
        (Fix(f"Repair Ceph first: {words or _ILL}"),),
        because_of=(ref(ceph),),
    )


def _ceph_of(storage_class: StorageClass, cluster: Cluster) -> CustomResource | None:
    """The CephCluster that makes the volumes of a class: `clusterID` is its namespace or, for a driver that Rook did not
    install, the fsid of Ceph. The only CephCluster where the class names none that can be looked up."""
    found = cluster.maybe.custom("CephCluster", "ceph.rook.io")
    wanted = (storage_class.parameters or {}).get("clusterID", "")
    if wanted and not _PART_OF_A_CLUSTER.fullmatch(wanted):
        return next((one for one in found if wanted in (one.namespace, _ceph_status(one).get("fsid"))), None)
    return found[0] if len(found) == 1 else None


def _ceph_status(ceph: CustomResource) -> dict[str, Any]:
    status = (ceph.status or {}).get("ceph")
    return status if isinstance(status, dict) else {}


def _reasons(ceph: CustomResource, status: dict[str, Any]) -> list[Evidence]:
    """The checks of Ceph that failed, errors first."""
    details = status.get("details")
    rows = details.items() if isinstance(details, dict) else ()
    ordered = sorted(rows, key=lambda row: not (isinstance(row[1], dict) and row[1].get("severity") == _ILL))
    paths = [f"status.ceph.details.{name}.message" for name, _ in ordered]
    return [quote(ceph, path) for path in paths[:3] if has_path(ceph, path)]
