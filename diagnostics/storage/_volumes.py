"""What a claim asks for, and what keeps the volumes that there are from it, in words."""

from __future__ import annotations

from kubedoctor.answers.placement.claim_fixes import release_command
from kubedoctor.cluster import Evidence, PersistentVolumeClaim, has_path, quote, ref
from kubedoctor.cluster.grammar.quantities import format_bytes
from kubedoctor.findings import Confidence, Finding, Fix
from kubedoctor.replay.storage.matching import CLASS_ANNOTATION, Mismatch, Rejection, capacity, requested_storage

_OBJECTIONS = {
    Mismatch.RELEASED: "is Released and still refers to a deleted claim",
    Mismatch.RESERVED: "belongs to another claim",
    Mismatch.VOLUME_MODE: "has another volumeMode",
    Mismatch.ATTRIBUTES_CLASS: "has another volumeAttributesClassName",
    Mismatch.DELETING: "is being deleted",
    Mismatch.NOT_AVAILABLE: "is not Available",
    Mismatch.SELECTOR: "does not match the claim's selector",
    Mismatch.CLASS: "has another class",
}


def finding(claim: PersistentVolumeClaim, summary: str, evidence: tuple[Evidence, ...], *fixes: Fix) -> Finding:
    """What Kubernetes itself states of a claim."""
    return Finding(about=ref(claim), summary=summary, evidence=evidence, confidence=Confidence.CERTAIN, fixes=fixes)


def asked(claim: PersistentVolumeClaim) -> tuple[Evidence, ...]:
    """What the claim asks for."""
    paths = {
        f"metadata.annotations[{CLASS_ANNOTATION}]": "the class that it asks for",
        "spec.storageClassName": "the class that it asks for",
        "spec.resources.requests[storage]": "the size that it asks for",
        "spec.accessModes": "",
        "status.phase": "",
    }
    found = tuple(quote(claim, path, shows) for path, shows in paths.items() if has_path(claim, path))
    return found or (quote(claim, "metadata.name", "asks for nothing in particular"),)


def objections(claim: PersistentVolumeClaim, one: Rejection) -> str:
    """Everything against a volume: `has only 1Gi and belongs to another claim`."""
    return " and ".join(_objection(claim, one, reason) for reason in one.reasons)


def _objection(claim: PersistentVolumeClaim, one: Rejection, reason: Mismatch) -> str:
    if reason is Mismatch.ACCESS_MODE:
        offered = ", ".join(one.volume.spec.access_modes or ()) or "no access mode"
        return f"offers {offered} and not {', '.join(claim.spec.access_modes or ())}"
    if reason is Mismatch.TOO_SMALL:
        return f"has only {format_bytes(capacity(one.volume).value())}"
    return _OBJECTIONS[reason]


def would_fit(judged: tuple[Rejection, ...]) -> str:
    """That a volume only has to be released for good; empty if none is so near."""
    found = _only_released(judged)
    name = found.volume.name if found is not None else ""
    return f"volume {name} would fit, but it is Released: it still refers to a deleted claim" if name else ""


def release(judged: tuple[Rejection, ...]) -> tuple[Fix, ...]:
    """Free that volume."""
    found = _only_released(judged)
    if found is None:
        return ()
    line = release_command(ref(found.volume))
    return (Fix(f"let {found.volume.name} be claimed again; its old data is still on it", line),)


def _only_released(judged: tuple[Rejection, ...]) -> Rejection | None:
    return next((one for one in judged if one.reasons == (Mismatch.RELEASED,)), None)


def nearest_volume(claim: PersistentVolumeClaim, judged: tuple[Rejection, ...]) -> str:
    """What keeps the nearest volumes from the claim, to be appended; those of another class are nobody's business."""
    if said := would_fit(judged):
        return f"; {said}"
    own = [one for one in judged if Mismatch.CLASS not in one.reasons]
    if not own:
        return ""
    free = [one for one in own if Mismatch.RESERVED not in one.reasons]
    if free and all(Mismatch.TOO_SMALL in one.reasons for one in free):
        wanted = format_bytes(requested_storage(claim).value())
        largest = max(free, key=lambda one: capacity(one.volume)).volume
        size = format_bytes(capacity(largest).value())
        return f"; it asks for {wanted}, the largest free volume of its class has {size} ({largest.name})"
    one = (free or own)[0]
    return f"; volume {one.volume.name} {objections(claim, one)}"
