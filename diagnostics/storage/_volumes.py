"""What a claim requests, and why existing volumes do not match it, in words."""

from __future__ import annotations

from kubedoctor.answers.placement.fixing.claims import release_volume
from kubedoctor.cluster import Evidence, PersistentVolumeClaim, format_bytes, has_path, quote, ref
from kubedoctor.findings import Confidence, Finding, Fix, command_line
from kubedoctor.replay.storage.matching import CLASS_ANNOTATION, Mismatch, Rejection, capacity, requested_storage

_OBJECTIONS = {
    Mismatch.RELEASED: "is Released and still bound to a deleted claim",
    Mismatch.RESERVED: "is reserved for another claim",
    Mismatch.VOLUME_MODE: "has another volumeMode",
    Mismatch.ATTRIBUTES_CLASS: "has another volumeAttributesClassName",
    Mismatch.DELETING: "is being deleted",
    Mismatch.NOT_AVAILABLE: "is not Available",
    Mismatch.SELECTOR: "does not match the claim's selector",
    Mismatch.CLASS: "has another class",
}


def finding(claim: PersistentVolumeClaim, summary: str, evidence: tuple[Evidence, ...], *fixes: Fix) -> Finding:
    """A finding that Kubernetes itself states about a claim."""
    return Finding(about=ref(claim), summary=summary, evidence=evidence, confidence=Confidence.CERTAIN, fixes=fixes)


def requested(claim: PersistentVolumeClaim) -> tuple[Evidence, ...]:
    """What the claim requests."""
    paths = {
        f"metadata.annotations[{CLASS_ANNOTATION}]": "class that the claim requests",
        "spec.storageClassName": "class that the claim requests",
        "spec.resources.requests[storage]": "size that the claim requests",
        "spec.accessModes": "",
        "status.phase": "",
    }
    quoted = tuple(quote(claim, path, shows) for path, shows in paths.items() if has_path(claim, path))
    return quoted or (quote(claim, "metadata.name", "requests no class, size or access mode"),)


def objections(claim: PersistentVolumeClaim, rejection: Rejection) -> str:
    """Everything against a volume: `has only 1Gi and is reserved for another claim`."""
    return " and ".join(_objection(claim, rejection, reason) for reason in rejection.reasons)


def _objection(claim: PersistentVolumeClaim, rejection: Rejection, reason: Mismatch) -> str:
    if reason is Mismatch.ACCESS_MODE:
        offered = ", ".join(rejection.volume.spec.access_modes or ()) or "no access mode"
        return f"has access mode {offered}, not {', '.join(claim.spec.access_modes or ())}"
    if reason is Mismatch.TOO_SMALL:
        requested_size = format_bytes(requested_storage(claim).value())
        return f"has only {format_bytes(capacity(rejection.volume).value())} of the requested {requested_size}"
    return _OBJECTIONS[reason]


def would_fit(judged: tuple[Rejection, ...]) -> str:
    """That a Released volume would match the claim; empty if there is none."""
    released = _only_released(judged)
    name = released.volume.name if released is not None else ""
    return (
        f"volume {name} would match the claim, but it is Released: it is still bound to a deleted claim" if name else ""
    )


def release(judged: tuple[Rejection, ...]) -> tuple[Fix, ...]:
    """The fix that makes the Released volume Available."""
    released = _only_released(judged)
    if released is None:
        return ()
    line = command_line(release_volume(ref(released.volume)))
    return (
        Fix(
            f"Remove the claimRef of volume {released.volume.name}, so that the claim can bind to it; its old data is kept",
            line,
        ),
    )


def _only_released(judged: tuple[Rejection, ...]) -> Rejection | None:
    return next((rejection for rejection in judged if rejection.reasons == (Mismatch.RELEASED,)), None)


def nearest_volume(claim: PersistentVolumeClaim, judged: tuple[Rejection, ...]) -> str:
    """Why the nearest volumes of the claim's class do not match, as a clause to append."""
    if match := would_fit(judged):
        return f"; {match}"
    own = [rejection for rejection in judged if Mismatch.CLASS not in rejection.reasons]
    if not own:
        return ""
    free = [rejection for rejection in own if Mismatch.RESERVED not in rejection.reasons]
    if free and all(Mismatch.TOO_SMALL in rejection.reasons for rejection in free):
        requested_size = format_bytes(requested_storage(claim).value())
        largest = max(free, key=lambda rejection: capacity(rejection.volume)).volume
        size = format_bytes(capacity(largest).value())
        return (
            f"; the claim requests {requested_size}, the largest free volume of its class has {size} ({largest.name})"
        )
    nearest = (free or own)[0]
    return f"; volume {nearest.volume.name} {objections(claim, nearest)}"
