"""The outcome of a changed claim: what the volume controller then does, or what the claim waits for."""

from __future__ import annotations

from typing import NamedTuple

from kubedoctor.cluster.changes import Operation, Step
from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.cluster.kinds.references import Ref, ref
from kubedoctor.cluster.kinds.storage import PersistentVolume, PersistentVolumeClaim
from kubedoctor.replay.scheduler.snapshot import ClusterState
from kubedoctor.replay.storage.binding import BIND_COMPLETED, possible_volumes
from kubedoctor.replay.storage.unbound import Awaited, unbound


class ClaimOutcome(NamedTuple):
    """follows: what Kubernetes then does. provisioner: the provisioner that must create the volume first, empty for
    none. volume: the volume to request by name where the choice would be random."""

    follows: tuple[Operation, ...]
    provisioner: str = ""
    volume: str = ""


def settled(
    pod: Pod, position: int, claim: PersistentVolumeClaim, freed: PersistentVolume | None, state: ClusterState
) -> ClaimOutcome | None:
    """The outcome of a changed claim of the pod's volume at `position`, with a released volume (`freed`). None where it
    would keep waiting."""
    all_volumes = state.volumes if freed is None else {**state.volumes, freed.name: freed}
    volumes = tuple(all_volumes.values())
    then = unbound(claim, volumes, state.classes.values())
    if then.awaits is Awaited.BINDING:
        delayed = then.storage_class is not None and then.storage_class.waits_for_first_consumer
        candidates = (
            (all_volumes[claim.spec.volume_name],)
            if claim.spec.volume_name
            else possible_volumes(claim, volumes, delayed=delayed)
        )
        if not candidates:
            return None
        return ClaimOutcome(_bound(claim, candidates[0]), volume=candidates[0].name if len(candidates) > 1 else "")
    if then.awaits is Awaited.FIRST_POD:
        provisioned = then.storage_class is not None and then.storage_class.makes_volumes
        return ClaimOutcome(
            (), then.storage_class.provisioner if then.storage_class is not None and provisioned else ""
        )
    if then.awaits is Awaited.PROVISIONER and then.storage_class is not None:
        elsewhere = Operation(ref(pod), (Step(("spec", "volumes", position), remove=True),))
        return ClaimOutcome((elsewhere,), then.storage_class.provisioner)
    return None


def _bound(claim: PersistentVolumeClaim, volume: PersistentVolume) -> tuple[Operation, ...]:
    """Claim and volume as the volume controller binds them."""
    claim_ref = {
        "kind": "PersistentVolumeClaim",
        "namespace": claim.namespace,
        "name": claim.name,
        "uid": claim.metadata.uid,
    }
    return (
        Operation(
            Ref("PersistentVolumeClaim", claim.namespace, claim.name),
            (
                Step(("spec", "volumeName"), volume.name),
                Step(("metadata", "annotations", BIND_COMPLETED), "yes"),
                Step(("status", "phase"), "Bound"),
            ),
        ),
        Operation(ref(volume), (Step(("spec", "claimRef"), claim_ref), Step(("status", "phase"), "Bound"))),
    )
