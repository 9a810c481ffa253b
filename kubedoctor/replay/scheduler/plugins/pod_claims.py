"""The claims that a pod's volumes stand for (`component-helpers/storage/{ephemeral,volume}`, v1.37)."""

from __future__ import annotations

from collections.abc import Iterator

from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.cluster.kinds.storage import PersistentVolume, PersistentVolumeClaim, StorageClass
from kubedoctor.replay.scheduler.said import reasons
from kubedoctor.replay.scheduler.snapshot import ClusterState
from kubedoctor.replay.storage.matching import class_of

BIND_COMPLETED = "pv.kubernetes.io/bind-completed"


def claim_names(pod: Pod) -> Iterator[tuple[str, bool]]:
    """Each with whether it is made for the pod alone (a generic ephemeral volume)."""
    for volume in pod.spec.volumes or ():
        name = volume.claim_of(pod.name)
        if name is not None:
            yield name, volume.persistent_volume_claim is None


def mounted_claim_names(pod: Pod) -> list[str]:
    """Only those that the pod names itself."""
    return [name for name, ephemeral in claim_names(pod) if not ephemeral]


def ownership_problem(pod: Pod, claim: PersistentVolumeClaim) -> str:
    """Why a claim with the right name was not made for the pod; empty if it was."""
    owners = claim.metadata.owner_references or ()
    if any(one.controller and one.uid == pod.metadata.uid for one in owners):
        return ""
    return reasons.not_created_for(pod.namespace, claim.name, pod.name)


def is_bound(claim: PersistentVolumeClaim) -> bool:
    """The volume controller has finished binding it."""
    return bool(claim.spec.volume_name) and BIND_COMPLETED in claim.annotations


def class_named(claim: PersistentVolumeClaim, state: ClusterState) -> StorageClass | None:
    return state.classes.get(class_of(claim) or "")


def bound_volume(claim: PersistentVolumeClaim, state: ClusterState) -> PersistentVolume | None:
    return state.volumes.get(claim.spec.volume_name)
