"""The claims of a pod's volumes (`component-helpers/storage/{ephemeral,volume}`, v1.37)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from kubedoctor.cluster.changes import Operation, Path, Step
from kubedoctor.cluster.grammar.nearest import misspellings
from kubedoctor.cluster.kinds.meta import KubernetesObject
from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.cluster.kinds.references import ref
from kubedoctor.cluster.kinds.storage import (
    CSIDriver,
    CSINode,
    CSIStorageCapacity,
    PersistentVolume,
    PersistentVolumeClaim,
    StorageClass,
    VolumeAttachment,
)
from kubedoctor.cluster.kinds.volumes import DISKS
from kubedoctor.replay.scheduler.framework import Obstacle, Plugin, Reason, Status, Wording, reason
from kubedoctor.replay.scheduler.plugins import pod_parts
from kubedoctor.replay.scheduler.remedies.edits import Edit, Kind, Remedy, Replaced
from kubedoctor.replay.scheduler.snapshot import ClusterState
from kubedoctor.replay.storage.binding import BIND_COMPLETED
from kubedoctor.replay.storage.matching import class_of

STORAGE: Final[tuple[type[KubernetesObject], ...]] = (
    PersistentVolumeClaim,
    PersistentVolume,
    StorageClass,
    CSINode,
    CSIDriver,
    CSIStorageCapacity,
    VolumeAttachment,
)
"""The kinds that plugins read to decide about volumes; requested together."""

CLAIM_MISSING: Final = Obstacle("claim missing")
CLAIM_UNBOUND: Final = Obstacle("claim unbound")
VOLUME_MISSING: Final = Obstacle("volume missing")
WORDINGS: Final = (
    Wording(r'persistentvolume "(?P<detail>[^"]*)" not found', VOLUME_MISSING),
    Wording(r"PersistentVolumeClaim had no pv name and storageClass name", CLAIM_UNBOUND),
    Wording(r"PersistentVolume had no name", CLAIM_UNBOUND),
    Wording(r'persistentvolumeclaim "(?P<detail>[^"]*)" not found', CLAIM_MISSING),
    Wording(r"PVC (?P<detail>\S+) was not created for pod .*", CLAIM_MISSING),
)
"""The wordings of reasons that several plugins give."""


class StoragePlugin(Plugin):
    """A plugin that decides about a pod's volumes."""

    reads = STORAGE
    pod_parts = (pod_parts.labels, pod_parts.volumes)

    def concerns(self, pod: Pod) -> bool:
        return asks_for_storage(pod)

    def decides_by(self, kind: type[KubernetesObject], pod: Pod, state: ClusterState) -> bool:
        return kind not in (CSIStorageCapacity, VolumeAttachment)

    def early_remedies(self, pod: Pod, state: ClusterState, status: Status) -> list[Remedy]:
        return _corrected_names(pod, state, status.named)


class Undecided(Exception):
    """A claim or volume that cannot be evaluated; the plugin returns `status`."""

    def __init__(self, status: Status) -> None:
        super().__init__(status.message)
        self.status = status


def asks_for_storage(pod: Pod) -> bool:
    """Whether the pod has a volume that plugins read: a claim, a generic ephemeral volume, or a disk."""
    return any(
        volume.claim_of(pod.name) is not None or any(getattr(volume, disk) for disk in DISKS)
        for volume in pod.spec.volumes or ()
    )


def claim_not_found(name: str) -> Reason:
    return reason(CLAIM_MISSING, f'persistentvolumeclaim "{name}" not found', name)


def volume_not_found(name: str) -> Reason:
    return reason(VOLUME_MISSING, f'persistentvolume "{name}" not found', name)


def claim_names(pod: Pod) -> Iterator[tuple[str, bool]]:
    """The claims, each with whether it belongs to the pod alone (a generic ephemeral volume)."""
    for volume in pod.spec.volumes or ():
        name = volume.claim_of(pod.name)
        if name is not None:
            yield name, volume.persistent_volume_claim is None


def mounted_claim_names(pod: Pod) -> list[str]:
    """Only those that the pod names itself."""
    return [name for name, ephemeral in claim_names(pod) if not ephemeral]


def ownership_problem(pod: Pod, claim: PersistentVolumeClaim) -> Reason | None:
    """Why a claim with the right name was not created for the pod; None if it was."""
    owners = claim.metadata.owner_references or ()
    if any(owner.controller and owner.uid == pod.metadata.uid for owner in owners):
        return None
    title = f"{pod.namespace}/{claim.name}"
    text = f"PVC {title} was not created for pod {pod.namespace}/{pod.name} (pod is not owner)"
    return reason(CLAIM_MISSING, text, title)


def is_bound(claim: PersistentVolumeClaim) -> bool:
    """The volume controller has finished binding it."""
    return bool(claim.spec.volume_name) and BIND_COMPLETED in claim.annotations


def class_named(claim: PersistentVolumeClaim, state: ClusterState) -> StorageClass | None:
    return state.classes.get(class_of(claim) or "")


def bound_volume(claim: PersistentVolumeClaim, state: ClusterState) -> PersistentVolume | None:
    return state.volumes.get(claim.spec.volume_name)


def _corrected_names(pod: Pod, state: ClusterState, names: Sequence[str]) -> list[Remedy]:
    """Existing claims with almost the same name as missing ones."""
    existing = sorted(name for namespace, name in state.claims if namespace == pod.namespace)
    edits = []
    for missing_name in names:
        if (pod.namespace, missing_name) in state.claims:
            return []
        right = next(iter(misspellings(missing_name, existing)), None)
        if right is None:
            return []
        for index, volume in enumerate(pod.spec.volumes or ()):
            if volume.persistent_volume_claim is not None and volume.persistent_volume_claim.claim_name == missing_name:
                path: Path = ("spec", "volumes", index, "persistentVolumeClaim", "claimName")
                operation = Operation(ref(pod), (Step(path, right),))
                replaced = (Replaced("claimName", missing_name, right),)
                edits.append(
                    Edit(Kind.CORRECT_CLAIM, ref(pod), (operation,), (volume.name, right), 1, replaced=replaced)
                )
    return [tuple(edits)] if edits else []
