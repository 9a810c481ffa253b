"""Which volume the volume controller binds to a claim (`pkg/controller/volume/persistentvolume/index.go
findByClaim`, `component-helpers/storage/volume FindMatchingVolume`, v1.37)."""

from __future__ import annotations

from collections.abc import Iterable

from kubedoctor.cluster.kinds.storage import PersistentVolume, PersistentVolumeClaim
from kubedoctor.replay.storage.matching import capacity, rejection, reserved_for


def possible_volumes(
    claim: PersistentVolumeClaim, volumes: Iterable[PersistentVolume], *, delayed: bool = False
) -> tuple[PersistentVolume, ...]:
    """All volumes that the controller might choose; several where the choice is random, none where none fits.

    Volumes with fewer access modes come first, then the smallest. `delayed`: the class waits for the first consumer, so
    that only volumes which name the claim count.
    """
    access = set(claim.spec.access_modes or ())
    groups: dict[frozenset[str], list[PersistentVolume]] = {}
    for volume in volumes:
        modes = frozenset(volume.spec.access_modes or ())
        if access <= modes and not rejection(claim, volume).reasons and (not delayed or reserved_for(volume, claim)):
            groups.setdefault(modes, []).append(volume)
    if not groups:
        return ()
    fewest = min(len(modes) for modes in groups)
    smallest: list[PersistentVolume] = []
    for modes, there in groups.items():
        if len(modes) == fewest:
            reserved = [volume for volume in there if reserved_for(volume, claim)]
            least = min(capacity(volume) for volume in there)
            smallest += reserved or [volume for volume in there if capacity(volume) == least]
    return tuple(sorted(smallest, key=lambda volume: volume.name))


def pending(claim: PersistentVolumeClaim) -> bool:
    """Not bound, and not being deleted."""
    return claim.status.phase in ("", "Pending") and claim.metadata.deletion_timestamp is None
