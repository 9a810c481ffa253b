"""Which volume a claim is bound to (`component-helpers/storage/volume/pv_helpers.go FindMatchingVolume`,
`pkg/controller/volume/persistentvolume/index.go findByClaim`, v1.37)."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable
from typing import Final

import msgspec

from kubedoctor.cluster.grammar.selectors import selector_of
from kubedoctor.cluster.kinds.storage import PersistentVolume, PersistentVolumeClaim
from kubedoctor.replay.storage.matching import Mismatch, capacity, rejection, reserved_for

BIND_COMPLETED: Final = "pv.kubernetes.io/bind-completed"
"""Annotation of a claim: the controller has bound it once."""
BOUND_BY_CONTROLLER: Final = "pv.kubernetes.io/bound-by-controller"
"""Annotation of a claim or a volume: a controller, no user, has named the other."""
_MODES: Final = frozenset({"ReadWriteOnce", "ReadOnlyMany", "ReadWriteMany", "ReadWriteOncePod"})
"""The controller's index of volumes knows no other access modes (`GetAccessModesAsString`)."""


def _everywhere(volume: PersistentVolume) -> bool:
    return True


class Candidates(msgspec.Struct, frozen=True):
    """The volumes that fit a claim, wherever they are.

    reserved: those that name the claim; the first of them decides. volumes: the others, the smallest first.
    """

    reserved: tuple[PersistentVolume, ...] = ()
    volumes: tuple[PersistentVolume, ...] = ()

    def best(
        self, reaches: Callable[[PersistentVolume], bool] = _everywhere, taken: Container[str] = ()
    ) -> PersistentVolume | None:
        """The choice for a place: whether a node reaches a volume. `taken`: names that other claims have got."""
        for volume in self.reserved:
            if volume.name not in taken:
                return volume if reaches(volume) else None
        for volume in self.volumes:
            if volume.name not in taken and reaches(volume):
                return volume
        return None


def candidates(
    claim: PersistentVolumeClaim,
    volumes: Iterable[PersistentVolume],
    *,
    delayed: bool = False,
    any_access_mode: bool = False,
) -> Candidates:
    """The volumes that could be bound to a claim. Raises SelectorError for a selector of the claim that is not valid.

    delayed: the class waits for the first consumer and no node is known, so that only volumes which name the claim
    count. any_access_mode: the access modes were compared before.
    """
    selector_of(claim.spec.selector)
    reserved: list[PersistentVolume] = []
    fitting: list[PersistentVolume] = []
    for volume in volumes:
        reasons = rejection(claim, volume).reasons
        if any_access_mode:
            reasons = tuple(reason for reason in reasons if reason is not Mismatch.ACCESS_MODE)
        if reasons:
            continue
        if reserved_for(volume, claim):
            reserved.append(volume)
        elif not delayed:
            fitting.append(volume)
    return Candidates(tuple(reserved), tuple(sorted(fitting, key=capacity)))


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
        modes = _MODES.intersection(volume.spec.access_modes or ())
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
