"""VolumeAttributesClass of a claim is not applied to its volume.

## What it means
The claim names a VolumeAttributesClass (for example with more IOPS), and its volume still has the attributes of before. The
volume works as it did.

## Why it happens
- The driver rejects a parameter of the class (status Infeasible): a type, size or rate that the storage does not offer.
- The class does not exist (status Pending).
- The driver's csi-resizer is not there, does not run, or does not modify volumes: then nothing is written at all.
- The provider limits how often a volume may be modified, or the driver's identity may not modify it.

## How to fix it
1. Correct the class: its parameters cannot be changed, so create another class and name it in the claim.
2. Or name the former class in the claim again. The data stays where it is.

## References
- https://kubernetes.io/docs/concepts/storage/volume-attributes-classes/
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from diagnostics.storage._provisioner import ControllerState
from diagnostics.storage.drivers._driver import RESIZER, idle_sidecar
from kubedoctor.answers.timeline.writes import owners_of
from kubedoctor.cluster import (
    Cluster,
    Deployment,
    Event,
    Evidence,
    Lease,
    PersistentVolume,
    PersistentVolumeClaim,
    Pod,
    StatefulSet,
    condition,
    quote,
    ref,
)
from kubedoctor.cluster.changes import put
from kubedoctor.findings import Command, Confidence, Effect, Finding, Fix, Severity, command_line, diagnostic, kubectl
from kubedoctor.replay.messages.shown import shown_reason

_CONDITION: Final = "ModifyVolumeError"
_WANTED: Final = "spec.volumeAttributesClassName"
_TARGET: Final = "status.modifyVolumeStatus.targetVolumeAttributesClassName"
_STATE: Final = "status.modifyVolumeStatus.status"
_SLOW: Final = timedelta(minutes=10)
_LONGEST: Final = 240


def to_be_modified(claim: PersistentVolumeClaim) -> bool:
    """Its volume is to get other attributes."""
    if claim.metadata.deletion_timestamp is not None:
        return False
    return claim.status.modify_volume_status is not None or _is_requested(claim)


def _is_requested(claim: PersistentVolumeClaim) -> bool:
    wanted = claim.spec.volume_attributes_class_name
    bound = claim.status.phase == "Bound" and bool(claim.spec.volume_name)
    return bound and bool(wanted) and wanted != claim.status.current_volume_attributes_class_name


@diagnostic(
    code="KD3009",
    subject=PersistentVolumeClaim,
    severity=Severity.WARNING,
    reads=(PersistentVolumeClaim, PersistentVolume, Event, Deployment, StatefulSet, Lease, Pod),
    when=to_be_modified,
    symptoms=("VolumeModifyFailed", "ModifyVolumeError", "Infeasible"),
)
def attributes_not_applied(claim: PersistentVolumeClaim, cluster: Cluster) -> Iterator[Finding]:
    """States of `external-resizer`, `pkg/modifycontroller`, 1.14."""
    modifying, failure = claim.status.modify_volume_status, _failure(claim, cluster)
    if failure is None and (modifying is None or modifying.status == "Pending"):
        yield from _waits(claim, cluster)
        return
    if modifying is None or not modifying.target_volume_attributes_class_name:
        return
    if failure is None and modifying.status != "Infeasible":
        return  # It goes on.
    target, now = modifying.target_volume_attributes_class_name, claim.status.current_volume_attributes_class_name
    kept = f"; the volume keeps class {now}" if now else ""
    why = f": {shown_reason(failure[0], _LONGEST)}" if failure is not None else ": the driver rejects it (Infeasible)"
    back = put(ref(claim), ("spec", "volumeAttributesClassName"), now)
    yield Finding(
        about=ref(claim),
        summary=f"VolumeAttributesClass {target} is not applied{why}{kept}",
        evidence=(
            *((failure[1],) if failure is not None else ()),
            quote(claim, _TARGET, "the class that is requested"),
            quote(claim, _STATE, "Infeasible: the driver rejects the class as it is"),
        ),
        confidence=Confidence.CERTAIN,
        fixes=(
            Fix(
                f"Create a VolumeAttributesClass with parameters that the driver takes, and name it in place of {target}"
            ),
            *(
                (
                    Fix(
                        f"Or name class {now} again, which the volume has",
                        command_line(back, claim),
                        Effect.CHANGES,
                        changes=ref(claim),
                    ),
                )
                if now and claim.spec.volume_attributes_class_name != now
                else ()
            ),
        ),
        commands=(
            Command(kubectl("get", "volumeattributesclass", target, "-o", "yaml"), "the parameters of the class"),
        ),
    )


def _waits(claim: PersistentVolumeClaim, cluster: Cluster) -> Iterator[Finding]:
    """No sidecar takes the class up, or it waits for the class to exist: neither writes a message."""
    wanted = claim.spec.volume_attributes_class_name
    written = next((write.at for write in owners_of(claim, _WANTED)), claim.metadata.creation_timestamp)
    if not _is_requested(claim) or (written is not None and cluster.taken_at - written < _SLOW):
        return
    pending = claim.status.modify_volume_status is not None
    volume = cluster.maybe.get(PersistentVolume, "", claim.spec.volume_name)
    driver = volume.spec.csi.driver if volume is not None and volume.spec.csi is not None else ""
    state = idle_sidecar(driver, RESIZER, cluster) if driver and not pending else ControllerState()
    who = f"the csi-resizer of {driver}" if driver else "a csi-resizer"
    why = f"; it is Pending, as where no class {wanted} exists" if pending else f"; {who} has not taken it up"
    yield Finding(
        about=ref(claim),
        aspect="waits",
        summary=f"VolumeAttributesClass {wanted} is not applied{state.clause or why}",
        evidence=(
            quote(claim, _WANTED, "the class that is requested"),
            *((quote(claim, _STATE, "Pending: something that it needs is missing"),) if pending else ()),
            *state.evidence,
        ),
        confidence=Confidence.LIKELY,
        because_of=state.because_of,
        fixes=state.fixes
        or (
            Fix(f"Create VolumeAttributesClass {wanted}, or name one that exists")
            if pending
            else Fix(
                "Use a driver whose csi-resizer modifies volumes (--feature-gates=VolumeAttributesClass=true), or name no class"
            ),
        ),
        commands=(Command(kubectl("get", "volumeattributesclasses"), "the classes, and their drivers"),),
    )


def _failure(claim: PersistentVolumeClaim, cluster: Cluster) -> tuple[str, Evidence] | None:
    stated = condition(claim.status.conditions, _CONDITION)
    if stated is not None and stated.status == "True" and stated.message:
        return stated.message, quote(claim, f"status.conditions[type={_CONDITION}].message", "what the driver says")
    failed = [
        event
        for event in cluster.events_about(ref(claim))
        if event.reason == "VolumeModifyFailed" and event.message and event.seen_at is not None
    ]
    newest = failed[-1] if failed else None
    if newest is None or newest.seen_at is None or cluster.taken_at - newest.seen_at > _SLOW:
        return None
    return newest.message, quote(newest, "message", newest.reason)
