"""VolumeAttributesClass of a claim is not applied to its volume.

## What it means
The claim names a VolumeAttributesClass (for example with more IOPS), and its volume still has the attributes of before. The
volume works as it did.

## Why it happens
- The driver rejects a parameter of the class (status Infeasible): a type, size or rate that the storage does not offer.
- The class does not exist (status Pending).
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

from kubedoctor.cluster import Cluster, Event, Evidence, PersistentVolumeClaim, condition, quote, ref
from kubedoctor.cluster.changes import put
from kubedoctor.findings import Command, Confidence, Effect, Finding, Fix, Severity, command_line, diagnostic, kubectl
from kubedoctor.replay.messages.shown import shown_reason

_CONDITION: Final = "ModifyVolumeError"
_TARGET: Final = "status.modifyVolumeStatus.targetVolumeAttributesClassName"
_STATE: Final = "status.modifyVolumeStatus.status"
_SLOW: Final = timedelta(minutes=10)
_LONGEST: Final = 240


def to_be_modified(claim: PersistentVolumeClaim) -> bool:
    """Its volume is to get other attributes."""
    return claim.status.modify_volume_status is not None and claim.metadata.deletion_timestamp is None


@diagnostic(
    code="KD3009",
    subject=PersistentVolumeClaim,
    severity=Severity.WARNING,
    reads=(PersistentVolumeClaim, Event),
    when=to_be_modified,
    symptoms=("VolumeModifyFailed", "ModifyVolumeError", "Infeasible"),
)
def attributes_not_applied(claim: PersistentVolumeClaim, cluster: Cluster) -> Iterator[Finding]:
    """States of `external-resizer`, `pkg/modifycontroller`, 1.14."""
    modifying = claim.status.modify_volume_status
    if modifying is None or not modifying.target_volume_attributes_class_name:
        return
    failure = _failure(claim, cluster)
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
