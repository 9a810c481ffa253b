"""One look of the volume controller at a claim or at a volume (`pkg/controller/volume/persistentvolume/pv_controller.go
syncClaim` and `syncVolume`, v1.37): the phase that follows, what is written, and the event that people see."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

import msgspec

from kubedoctor.cluster.kinds.meta import ObjectReference
from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.cluster.kinds.storage import PersistentVolume, PersistentVolumeClaim, StorageClass
from kubedoctor.cluster.triage import finished
from kubedoctor.replay.storage.binding import BIND_COMPLETED, BOUND_BY_CONTROLLER, possible_volumes
from kubedoctor.replay.storage.defaults import default_classes
from kubedoctor.replay.storage.matching import Mismatch, capacity, class_of, rejection, requested_storage, reserved_for
from kubedoctor.replay.storage.unbound import NOT_ASKED_BY_NAME, SELECTED_NODE

PROVISIONED_BY: Final = "pv.kubernetes.io/provisioned-by"
MIGRATED_TO: Final = "pv.kubernetes.io/migrated-to"
BUILT_IN: Final = "kubernetes.io/"
MIGRATED: Final = {
    "kubernetes.io/aws-ebs": "ebs.csi.aws.com",
    "kubernetes.io/azure-disk": "disk.csi.azure.com",
    "kubernetes.io/azure-file": "file.csi.azure.com",
    "kubernetes.io/cinder": "cinder.csi.openstack.org",
    "kubernetes.io/gce-pd": "pd.csi.storage.gke.io",
    "kubernetes.io/portworx-volume": "pxd.portworx.com",
    "kubernetes.io/vsphere-volume": "csi.vsphere.vmware.com",
}
"""Built-in provisioners and the CSI drivers that work in their place (`csi-translation-lib`, v1.37). No other built-in
provisioner is left."""


class ControllerEvent(NamedTuple):
    """An event as it is written."""

    type: str
    reason: str
    message: str


class ClaimStep(msgspec.Struct, frozen=True):
    """What follows for a claim. volume: the volume that it is bound to. storage_class: the default class that is set.
    phase: empty where the controller does not write it."""

    phase: str = ""
    volume: PersistentVolume | None = None
    storage_class: str = ""
    event: ControllerEvent | None = None


class Hold(enum.Enum):
    """What becomes of the claimRef of a volume: kept, its uid removed (a user had reserved it), or removed."""

    KEPT = enum.auto()
    WITHOUT_UID = enum.auto()
    REMOVED = enum.auto()


class VolumeStep(msgspec.Struct, frozen=True):
    """What follows for a volume. phase: empty where the controller does not write it. reclaimed: its reclaim policy is
    carried out."""

    phase: str = ""
    hold: Hold = Hold.KEPT
    reclaimed: bool = False
    event: ControllerEvent | None = None


_LOST = "Bound claim has lost its PersistentVolume. Data on the volume is lost!"
_UNNAMED = "Bound claim has lost reference to PersistentVolume. Data on the volume is lost!"
_MISBOUND = "Two claims are bound to the same volume, this one is bound incorrectly"
_NOTHING = "no persistent volumes available for this claim and no storage class is set"
_MISMATCHES = {
    Mismatch.DELETING: 'the volume is marked for deletion "{name}"',
    Mismatch.TOO_SMALL: "requested PV is too small",
    Mismatch.CLASS: "storageClassName does not match",
    Mismatch.ATTRIBUTES_CLASS: "volumeAttributesClassName does not match",
    Mismatch.VOLUME_MODE: "incompatible volumeMode",
    Mismatch.ACCESS_MODE: "incompatible accessMode",
}
"""`checkVolumeSatisfyClaim`, in the order of its checks."""


def synced_claim(
    claim: PersistentVolumeClaim,
    volumes: Sequence[PersistentVolume],
    classes: Sequence[StorageClass],
    pods: Iterable[Pod] = (),
) -> ClaimStep:
    """pods: those of the claim's namespace, to name the ones that wait. Raises SelectorError."""
    if BIND_COMPLETED in claim.annotations:
        named = next((one for one in volumes if one.name == claim.spec.volume_name), None)
        return synced_bound_claim(claim, named)
    if claim.spec.volume_name:
        return _claim_by_name(claim, volumes)
    name = class_of(claim)
    own = next((one for one in classes if name and one.name == name), None)
    delayed = own is not None and own.waits_for_first_consumer
    if chosen := possible_volumes(claim, volumes, delayed=delayed):
        return ClaimStep("Bound", chosen[0])
    if name is None and (defaults := default_classes(classes)):
        return ClaimStep(storage_class=defaults[0].name)
    if delayed and SELECTED_NODE not in claim.annotations:
        return ClaimStep("Pending", event=_waits(claim, pods))
    if name:
        return ClaimStep(event=_provisioned(name, own))
    return ClaimStep("Pending", event=ControllerEvent("Normal", "FailedBinding", _NOTHING))


def synced_bound_claim(claim: PersistentVolumeClaim, volume: PersistentVolume | None) -> ClaimStep:
    """For a claim that was bound once. volume: the one that it names; None where that does not exist."""
    if not claim.spec.volume_name:
        return ClaimStep("Lost", event=ControllerEvent("Warning", "ClaimLost", _UNNAMED))
    if volume is None:
        return ClaimStep("Lost", event=ControllerEvent("Warning", "ClaimLost", _LOST))
    if volume.spec.claim_ref is None or volume.spec.claim_ref.uid == claim.metadata.uid:
        return ClaimStep("Bound", volume)
    return ClaimStep("Lost", event=ControllerEvent("Warning", "ClaimMisbound", _MISBOUND))


def _claim_by_name(claim: PersistentVolumeClaim, volumes: Iterable[PersistentVolume]) -> ClaimStep:
    volume = next((one for one in volumes if one.name == claim.spec.volume_name), None)
    if volume is None:
        return ClaimStep("Pending")
    if reserved_for(volume, claim):
        return ClaimStep("Bound", volume)
    if volume.spec.claim_ref is not None:
        taken = f'volume "{volume.name}" already bound to a different claim.'
        by_user = BOUND_BY_CONTROLLER not in claim.annotations
        return ClaimStep("Pending" if by_user else "", event=ControllerEvent("Warning", "FailedBinding", taken))
    reasons = [one for one in rejection(claim, volume).reasons if one not in NOT_ASKED_BY_NAME]
    if capacity(volume).value() >= requested_storage(claim).value():  # Whole bytes are compared here.
        reasons = [one for one in reasons if one is not Mismatch.TOO_SMALL]
    why = next((words for reason, words in _MISMATCHES.items() if reason in reasons), "")
    if why:
        text = f'Cannot bind to requested volume "{volume.name}": {why.format(name=volume.name)}'
        return ClaimStep("Pending", event=ControllerEvent("Warning", "VolumeMismatch", text))
    return ClaimStep("Bound", volume)


def _waits(claim: PersistentVolumeClaim, pods: Iterable[Pod]) -> ControllerEvent:
    names = [
        pod.name
        for pod in pods
        if pod.namespace == claim.namespace
        and not finished(pod)
        and not pod.spec.node_name
        and any(volume.claim_of(pod.name) == claim.name for volume in pod.spec.volumes or ())
    ]
    if not names:
        text = "waiting for first consumer to be created before binding"
        return ControllerEvent("Normal", "WaitForFirstConsumer", text)
    pod_or_pods = "pods" if len(names) > 1 else "pod"
    return ControllerEvent(
        "Normal", "WaitForPodScheduled", f"waiting for {pod_or_pods} {','.join(names)} to be scheduled"
    )


def _provisioned(name: str, storage_class: StorageClass | None) -> ControllerEvent:
    if storage_class is None:
        return ControllerEvent("Warning", "ProvisioningFailed", f'storageclass.storage.k8s.io "{name}" not found')
    driver = MIGRATED.get(storage_class.provisioner, storage_class.provisioner)
    if driver.startswith(BUILT_IN):
        return ControllerEvent("Warning", "ProvisioningFailed", f"no volume plugin matched name: {driver}")
    text = (
        f"Waiting for a volume to be created either by the external provisioner '{driver}' or manually by the system"
        " administrator. If volume creation is delayed, please verify that the provisioner is running and correctly"
        " registered."
    )
    return ControllerEvent("Normal", "ExternalProvisioning", text)


def synced_volume(
    volume: PersistentVolume, claims: Iterable[PersistentVolumeClaim], pods: Iterable[Pod] = ()
) -> VolumeStep:
    """claims, pods: at least those of the namespace that the volume's claimRef names."""
    held = volume.spec.claim_ref
    if held is None or not held.uid:
        return VolumeStep("Available")
    claim = holder(volume, claims)
    if claim is None:
        return _reclaimed(volume, held, pods)
    if not claim.spec.volume_name:
        if (claim.spec.volume_mode or "Filesystem") == (volume.spec.volume_mode or "Filesystem"):
            return VolumeStep()  # The look at the claim binds it.
        text = f'Cannot bind PersistentVolume to requested PersistentVolumeClaim "{claim.name}" due to incompatible volumeMode.'
        return VolumeStep(event=ControllerEvent("Warning", "VolumeMismatch", text))
    if claim.spec.volume_name == volume.name:
        return VolumeStep("Bound")
    if PROVISIONED_BY in volume.annotations and volume.spec.persistent_volume_reclaim_policy == "Delete":
        return _reclaimed(volume, held, pods)
    by_controller = BOUND_BY_CONTROLLER in volume.annotations
    return VolumeStep("Available", Hold.REMOVED if by_controller else Hold.WITHOUT_UID)


def holder(volume: PersistentVolume, claims: Iterable[PersistentVolumeClaim]) -> PersistentVolumeClaim | None:
    """The claim that the claimRef means, by name and uid: None where it was deleted, even if one of its name exists."""
    held = volume.spec.claim_ref
    if held is None:
        return None
    same = (one for one in claims if (one.namespace, one.name) == (held.namespace, held.name))
    return next((one for one in same if held.uid in ("", one.metadata.uid)), None)


def _reclaimed(volume: PersistentVolume, held: ObjectReference, pods: Iterable[Pod]) -> VolumeStep:
    """`reclaimVolume`. Deletion is the business of the CSI driver's provisioner, which marks the volume Failed itself."""
    kept = volume.status.phase if volume.status.phase in ("Released", "Failed") else "Released"
    if volume.annotations.get(MIGRATED_TO):
        return VolumeStep(kept, reclaimed=True)
    match volume.spec.persistent_volume_reclaim_policy:
        case "Retain":
            return VolumeStep(kept)
        case "Recycle":
            users = _users(held, pods)
            if users:
                said = ControllerEvent("Normal", "VolumeFailedRecycle", f"Volume is used by pods: {','.join(users)}")
                return VolumeStep(kept, event=said)
            if volume.spec.nfs is not None or volume.spec.host_path is not None:
                return VolumeStep(kept, reclaimed=True)
            said = ControllerEvent("Warning", "VolumeFailedRecycle", "No recycler plugin found for the volume!")
            return VolumeStep("Failed", reclaimed=True, event=said)
        case "Delete":
            provisioner = volume.annotations.get(PROVISIONED_BY, "")
            outside = not provisioner.startswith(BUILT_IN) if provisioner else volume.spec.csi is not None
            if outside or volume.spec.host_path is not None:
                return VolumeStep(kept, reclaimed=True)
            text = f'error getting deleter volume plugin for volume "{volume.name}": no deletable volume plugin matched'
            return VolumeStep("Failed", reclaimed=True, event=ControllerEvent("Warning", "VolumeFailedDelete", text))
    text = "Volume has unrecognized PersistentVolumeReclaimPolicy"
    return VolumeStep("Failed", event=ControllerEvent("Warning", "VolumeUnknownReclaimPolicy", text))


def _users(held: ObjectReference, pods: Iterable[Pod]) -> list[str]:
    return sorted(
        f"{pod.namespace}/{pod.name}"
        for pod in pods
        if pod.namespace == held.namespace
        and not finished(pod)
        and any(volume.claim_of(pod.name) == held.name for volume in pod.spec.volumes or ())
    )
