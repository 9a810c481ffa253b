"""Which existing volumes could be bound to a claim (`pkg/volume/.../persistentvolume FindMatchingVolume`, v1.37).

The location of a volume does not matter here: the scheduler decides about it.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable

import msgspec

from kubedoctor.cluster.grammar.label_requirements import SelectorError
from kubedoctor.cluster.grammar.quantities import Quantity, amount_of
from kubedoctor.cluster.grammar.selectors import selector_of
from kubedoctor.cluster.kinds.meta import LabelSelector
from kubedoctor.cluster.kinds.storage import PersistentVolume, PersistentVolumeClaim

CLASS_ANNOTATION = "volume.beta.kubernetes.io/storage-class"


class Mismatch(enum.Enum):
    """Why a volume does not match a claim, in the order of upstream's checks."""

    RELEASED = enum.auto()
    RESERVED = enum.auto()
    TOO_SMALL = enum.auto()
    VOLUME_MODE = enum.auto()
    ATTRIBUTES_CLASS = enum.auto()
    DELETING = enum.auto()
    NOT_AVAILABLE = enum.auto()
    SELECTOR = enum.auto()
    CLASS = enum.auto()
    ACCESS_MODE = enum.auto()


class Rejection(msgspec.Struct, frozen=True):
    """A volume and all reasons against binding it to the claim; empty if it fits."""

    volume: PersistentVolume
    reasons: tuple[Mismatch, ...]


def class_of(claim: PersistentVolumeClaim) -> str | None:
    """The class that a claim requests: None for the default class, empty for no class."""
    annotated = claim.annotations.get(CLASS_ANNOTATION)
    return annotated if annotated is not None else claim.spec.storage_class_name


def class_of_volume(volume: PersistentVolume) -> str:
    """The class that a volume belongs to; empty for none."""
    return volume.annotations.get(CLASS_ANNOTATION, volume.spec.storage_class_name)


def requested_storage(claim: PersistentVolumeClaim) -> Quantity:
    """The requested size; 0 where it is invalid."""
    return _storage(claim.spec.resources.requests)


def capacity(volume: PersistentVolume) -> Quantity:
    """The size of a volume; 0 where it is invalid."""
    return _storage(volume.spec.capacity)


def _storage(amounts: dict[str, str] | None) -> Quantity:
    return amount_of((amounts or {}).get("storage")) or Quantity()


def reserved_for(volume: PersistentVolume, claim: PersistentVolumeClaim) -> bool:
    """Whether the volume names this claim, with its uid or, if a user wrote it, without one."""
    claim_ref = volume.spec.claim_ref
    return (
        claim_ref is not None
        and (claim_ref.namespace, claim_ref.name) == (claim.namespace, claim.name)
        and claim_ref.uid in ("", claim.metadata.uid)
    )


def rejection(claim: PersistentVolumeClaim, volume: PersistentVolume) -> Rejection:
    """Every reason against one volume. For a volume reserved for the claim, phase, labels, class and modes are not
    checked."""
    reasons = list(_always(claim, volume))
    if not reserved_for(volume, claim):
        reasons += _unless_reserved(claim, volume)
    return Rejection(volume, tuple(reasons))


def rejections(claim: PersistentVolumeClaim, volumes: Iterable[PersistentVolume]) -> tuple[Rejection, ...]:
    """The closest match first: volumes with the fewest reasons against them, then the largest."""
    judged = [rejection(claim, volume) for volume in volumes]
    return tuple(
        sorted(judged, key=lambda entry: (len(entry.reasons), -capacity(entry.volume).value(), entry.volume.name))
    )


def _always(claim: PersistentVolumeClaim, volume: PersistentVolume) -> Iterable[Mismatch]:
    claim_ref = volume.spec.claim_ref
    if claim_ref is not None and not reserved_for(volume, claim):
        yield Mismatch.RELEASED if volume.status.phase == "Released" else Mismatch.RESERVED
    if capacity(volume) < requested_storage(claim):
        yield Mismatch.TOO_SMALL
    if (volume.spec.volume_mode or "Filesystem") != (claim.spec.volume_mode or "Filesystem"):
        yield Mismatch.VOLUME_MODE
    if (volume.spec.volume_attributes_class_name or "") != (claim.spec.volume_attributes_class_name or ""):
        yield Mismatch.ATTRIBUTES_CLASS
    if volume.metadata.deletion_timestamp is not None:
        yield Mismatch.DELETING


def _unless_reserved(claim: PersistentVolumeClaim, volume: PersistentVolume) -> Iterable[Mismatch]:
    if volume.status.phase != "Available" and volume.spec.claim_ref is None:
        yield Mismatch.NOT_AVAILABLE
    if not _is_selected(claim.spec.selector, volume):
        yield Mismatch.SELECTOR
    if class_of_volume(volume) != (class_of(claim) or ""):
        yield Mismatch.CLASS
    if not set(claim.spec.access_modes or ()) <= set(volume.spec.access_modes or ()):
        yield Mismatch.ACCESS_MODE


def _is_selected(selector: LabelSelector | None, volume: PersistentVolume) -> bool:
    """Whether the claim's selector matches. An invalid selector, which claims of older releases may have, matches no
    volume."""
    try:
        return selector is None or selector_of(selector).matches(volume.metadata.labels)
    except SelectorError:
        return False
