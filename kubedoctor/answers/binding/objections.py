"""Why a volume does not serve a claim, in words; and who holds it."""

from __future__ import annotations

from typing import Final

from kubedoctor.cluster.grammar.quantities import format_bytes
from kubedoctor.cluster.kinds.storage import PersistentVolume, PersistentVolumeClaim
from kubedoctor.replay.storage.matching import (
    Mismatch,
    Rejection,
    capacity,
    class_of,
    class_of_volume,
    requested_storage,
)

_OBJECTIONS: Final = {
    Mismatch.VOLUME_MODE: "has another volumeMode",
    Mismatch.ATTRIBUTES_CLASS: "has another volumeAttributesClassName",
    Mismatch.DELETING: "is being deleted",
    Mismatch.NOT_AVAILABLE: "is not Available",
    Mismatch.SELECTOR: "does not match the claim's selector",
    Mismatch.CLASS: "has another class",
}


def holder_words(claim: PersistentVolumeClaim, volume: PersistentVolume) -> str:
    """The claim that a volume names, as another claim sees it: `deleted claim shop/old`."""
    held = volume.spec.claim_ref
    if held is None:
        return "no claim"
    same = (held.namespace, held.name) == (claim.namespace, claim.name)
    if volume.status.phase == "Released":
        return (
            f"an earlier claim {held.name}, which was deleted"
            if same
            else f"deleted claim {held.namespace}/{held.name}"
        )
    return f"an earlier claim {held.name}" if same else f"claim {held.namespace}/{held.name}"


def objection(claim: PersistentVolumeClaim, rejection: Rejection, reason: Mismatch) -> str:
    """One reason, to follow the name of the volume: `has only 1Gi of the requested 5Gi`."""
    volume = rejection.volume
    if reason is Mismatch.ACCESS_MODE:
        offered = ", ".join(volume.spec.access_modes or ()) or "no access mode"
        return f"has access mode {offered}, not {', '.join(claim.spec.access_modes or ())}"
    if reason is Mismatch.TOO_SMALL:
        requested_size = format_bytes(requested_storage(claim).value())
        return f"has only {format_bytes(capacity(volume).value())} of the requested {requested_size}"
    if reason is Mismatch.RELEASED:
        return f"is Released and still bound to {holder_words(claim, volume)}"
    if reason is Mismatch.RESERVED:
        return f"is reserved for {holder_words(claim, volume)}"
    return _OBJECTIONS[reason]


def objections(claim: PersistentVolumeClaim, rejection: Rejection) -> str:
    """Everything against a volume: `has only 1Gi and is reserved for claim shop/other`."""
    return " and ".join(objection(claim, rejection, reason) for reason in rejection.reasons)


COLUMNS: Final = (
    ("free", (Mismatch.RELEASED, Mismatch.RESERVED, Mismatch.DELETING, Mismatch.NOT_AVAILABLE)),
    ("class", (Mismatch.CLASS,)),
    ("size", (Mismatch.TOO_SMALL,)),
    ("access mode", (Mismatch.ACCESS_MODE,)),
    ("volume mode", (Mismatch.VOLUME_MODE,)),
    ("selector", (Mismatch.SELECTOR,)),
    ("attributes class", (Mismatch.ATTRIBUTES_CLASS,)),
)
"""The columns of the table of volumes, and what each is about."""


def short(claim: PersistentVolumeClaim, volume: PersistentVolume, reason: Mismatch) -> str:
    """One reason as the cell of a table: `5Gi of 10Gi`."""
    spec = volume.spec
    match reason:
        case Mismatch.RELEASED | Mismatch.RESERVED:
            state = "Released, held by" if reason is Mismatch.RELEASED else "held by"
            return f"{state} {holder_words(claim, volume)}"
        case Mismatch.DELETING:
            return "is being deleted"
        case Mismatch.NOT_AVAILABLE:
            return volume.status.phase or "no phase yet"
        case Mismatch.CLASS:
            return f"{class_of_volume(volume) or 'none'}, not {class_of(claim) or 'none'}"
        case Mismatch.TOO_SMALL:
            return f"{format_bytes(capacity(volume).value())} of {format_bytes(requested_storage(claim).value())}"
        case Mismatch.ACCESS_MODE:
            return f"{', '.join(spec.access_modes or ()) or 'none'}, not {', '.join(claim.spec.access_modes or ())}"
        case Mismatch.VOLUME_MODE:
            return f"{spec.volume_mode or 'Filesystem'}, not {claim.spec.volume_mode or 'Filesystem'}"
        case Mismatch.ATTRIBUTES_CLASS:
            wanted = claim.spec.volume_attributes_class_name or "none"
            return f"{spec.volume_attributes_class_name or 'none'}, not {wanted}"
        case Mismatch.SELECTOR:
            return "labels do not match"


def would_fit(claim: PersistentVolumeClaim, judged: tuple[Rejection, ...]) -> str:
    """That a Released volume would match the claim; empty if there is none."""
    released = only_released(judged)
    if released is None:
        return ""
    held = holder_words(claim, released.volume)
    return f"volume {released.volume.name} would match the claim, but it is Released: it is still bound to {held}"


def only_released(judged: tuple[Rejection, ...]) -> Rejection | None:
    """The nearest volume against which nothing speaks but that a deleted claim still holds it."""
    return next((rejection for rejection in judged if rejection.reasons == (Mismatch.RELEASED,)), None)


def nearest_volume(claim: PersistentVolumeClaim, judged: tuple[Rejection, ...]) -> str:
    """Why the nearest volumes of the claim's class do not match, as a clause to append."""
    if match := would_fit(claim, judged):
        return f"; {match}"
    own = [rejection for rejection in judged if Mismatch.CLASS not in rejection.reasons]
    if not own:
        return ""
    free = [rejection for rejection in own if Mismatch.RESERVED not in rejection.reasons]
    if free and all(rejection.reasons == (Mismatch.TOO_SMALL,) for rejection in free):
        requested_size = format_bytes(requested_storage(claim).value())
        largest = max(free, key=lambda rejection: capacity(rejection.volume)).volume
        size = format_bytes(capacity(largest).value())
        return (
            f"; the claim requests {requested_size}, the largest free volume of its class has {size} ({largest.name})"
        )
    nearest = (free or own)[0]
    return f"; volume {nearest.volume.name} {objections(claim, nearest)}"
