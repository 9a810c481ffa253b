"""Which volume the volume controller binds to a claim (`pkg/controller/volume/persistentvolume/index.go
findByClaim`, `component-helpers/storage/volume FindMatchingVolume`, v1.37)."""

from __future__ import annotations

from collections.abc import Iterable

from kubedoctor.cluster.kinds.storage import PersistentVolume, PersistentVolumeClaim
from kubedoctor.replay.storage.matching import capacity, rejection, reserved_for


def possible_volumes(
    claim: PersistentVolumeClaim, volumes: Iterable[PersistentVolume], *, delayed: bool = False
) -> tuple[PersistentVolume, ...]:
    """All volumes that the controller might choose; several where chance decides, none where none fits.

    Volumes with fewer access modes come first, then the smallest. `delayed`: the class waits for the first consumer, so
    that only volumes which name the claim count.
    """
    wanted = set(claim.spec.access_modes or ())
    groups: dict[frozenset[str], list[PersistentVolume]] = {}
    for one in volumes:
        modes = frozenset(one.spec.access_modes or ())
        if wanted <= modes and not rejection(claim, one).reasons and (not delayed or reserved_for(one, claim)):
            groups.setdefault(modes, []).append(one)
    if not groups:
        return ()
    fewest = min(len(modes) for modes in groups)
    found: list[PersistentVolume] = []
    for modes, there in groups.items():
        if len(modes) == fewest:
            reserved = [one for one in there if reserved_for(one, claim)]
            least = min(capacity(one) for one in there)
            found += reserved or [one for one in there if capacity(one) == least]
    return tuple(sorted(found, key=lambda one: one.name))
