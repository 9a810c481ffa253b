"""What becomes of a claim that is changed: what the volume controller then does, or whom it waits for."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

import msgspec

from kubedoctor.cluster.pods import Pod
from kubedoctor.cluster.references import Ref, ref
from kubedoctor.cluster.storage import PersistentVolume, PersistentVolumeClaim
from kubedoctor.replay.scheduler.counterfactuals.changes import Operation, Step, made
from kubedoctor.replay.scheduler.pod_claims import BIND_COMPLETED
from kubedoctor.replay.scheduler.snapshot import ClusterState
from kubedoctor.replay.storage.binding import possible_volumes
from kubedoctor.replay.storage.unbound import Awaited, unbound

ItemT = TypeVar("ItemT", PersistentVolume, PersistentVolumeClaim)

Settled = tuple[tuple[Operation, ...], str, str]


def settled(
    pod: Pod, position: int, claim: PersistentVolumeClaim, freed: PersistentVolume | None, state: ClusterState
) -> Settled | None:
    """What becomes of a changed claim of the pod's volume at `position`: what Kubernetes then does, the provisioner that must make the volume, and the
    volume to ask for by name where chance would decide. None where it would go on waiting."""
    known = state.volumes if freed is None else {**state.volumes, freed.name: freed}
    volumes = tuple(known.values())
    then = unbound(claim, volumes, state.classes.values())
    if then.awaits is Awaited.BINDING:
        delayed = then.storage_class is not None and then.storage_class.waits_for_first_consumer
        found = (
            (known[claim.spec.volume_name],)
            if claim.spec.volume_name
            else possible_volumes(claim, volumes, delayed=delayed)
        )
        if not found:
            return None
        return _bound(claim, found[0]), "", found[0].name if len(found) > 1 else ""
    if then.awaits is Awaited.FIRST_POD:
        makes = then.storage_class is not None and then.storage_class.makes_volumes
        return (), then.storage_class.provisioner if then.storage_class is not None and makes else "", ""
    if then.awaits is Awaited.PROVISIONER and then.storage_class is not None:
        elsewhere = Operation(ref(pod), (Step(("spec", "volumes", position), remove=True),))
        return (elsewhere,), then.storage_class.provisioner, ""
    return None


def _bound(claim: PersistentVolumeClaim, volume: PersistentVolume) -> tuple[Operation, ...]:
    """As the volume controller leaves both."""
    held = {
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
        Operation(ref(volume), (Step(("spec", "claimRef"), held), Step(("status", "phase"), "Bound"))),
    )


def stepped(item: ItemT, steps: Iterable[Step]) -> ItemT:
    return msgspec.convert(made(msgspec.json.decode(msgspec.json.encode(item)), steps), type(item))
