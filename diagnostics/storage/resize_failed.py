"""PersistentVolumeClaim does not grow.

## What it means
A larger size was requested of the claim, and the volume still has the old one. Programs that fill it fail with
`no space left on device`.

## Why it happens
- The driver cannot expand a volume while it is attached to a node.
- The cloud limits how often a volume may change (AWS: once in six hours), its size, or the quota.
- No resizer of the driver runs, or the driver cannot expand volumes: then the only event is ExternalExpanding.
- The disk has grown, and the file system on the node has not: it grows when a pod mounts it, or the file system is damaged.

## How to fix it
1. Fix what the message names. A driver that cannot expand an attached volume needs the pods scaled to 0 until the claim has
   the new size.
2. Where the file system waits for a pod, restart the pod that mounts the claim.
3. A claim cannot be made smaller than its volume; since Kubernetes 1.34 a failed expansion can be lowered again to any size
   above the current one.

## References
- https://kubernetes.io/docs/concepts/storage/persistent-volumes/#expanding-persistent-volumes-claims
- https://kubernetes.io/docs/concepts/storage/persistent-volumes/#recovering-from-failure-when-expanding-volumes
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Final, NamedTuple

from diagnostics.storage._provisioner import ControllerState
from diagnostics.storage.drivers._driver import RESIZER, idle_sidecar
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
    amount_of,
    condition,
    pods_mounting,
    quote,
    ref,
)
from kubedoctor.findings import Command, Confidence, Finding, Fix, Severity, diagnostic
from kubedoctor.replay.messages.classes import MessageClass
from kubedoctor.replay.messages.message import Message
from kubedoctor.replay.messages.reader import read_message
from kubedoctor.replay.messages.shown import shown_reason

SLOW: Final = timedelta(minutes=10)
"""Clouds take minutes to grow a disk; a resizer that fails writes an event."""
_LONGEST: Final = 240
_CONDITIONS: Final = ("ControllerResizeError", "NodeResizeError")
_EVENTS: Final = ("VolumeResizeFailed", "FileSystemResizeFailed")
_C = MessageClass
_REPAIRS: Final = {
    _C.RESIZE_ONLINE_UNSUPPORTED: "Scale the workload to 0 until the claim has the new size: the driver cannot expand a volume in use",
    _C.RESIZE_LIMIT: "Wait until the limit that the message names is over, or raise the quota",
    _C.RESIZE_DRIVER_MISSING: "Install the resizer of the driver, or use a class whose driver can expand volumes",
    _C.RESIZE_FILESYSTEM: "Restart the pod, so that the node grows the file system; repair the file system if it is damaged",
    _C.RESIZE_DRIVER_ERROR: "Fix the cause that the message names; the log of the resizer has more",
}


_TOO_LARGE: Final = re.compile(
    r"(?:exceeds|greater than|larger than|above) (?:the )?max|maximum (?:size|disk size|volume size)|OutOfRange",
    re.IGNORECASE,
)
_LOWER: Final = (
    "Lower the request to a size that the message allows, above the present size (Kubernetes 1.34 and later), or copy the data"
    " to a volume of a larger type"
)


class _Failure(NamedTuple):
    """What says that the resize failed."""

    text: str
    evidence: Evidence


def grows(claim: PersistentVolumeClaim) -> bool:
    """It is bound, and its volume is smaller than it requests."""
    wanted, has = map(amount_of, _sizes(claim))
    return wanted is not None and has is not None and wanted > has


@diagnostic(
    code="KD3004",
    subject=PersistentVolumeClaim,
    severity=Severity.WARNING,
    reads=(PersistentVolumeClaim, PersistentVolume, Pod, Event, Lease, Deployment, StatefulSet),
    when=grows,
    symptoms=("VolumeResizeFailed", "FileSystemResizePending", "ExternalExpanding", "no space left on device"),
)
def resize_failed(claim: PersistentVolumeClaim, cluster: Cluster) -> Iterator[Finding]:
    if claim.metadata.deletion_timestamp is not None:
        return
    users = pods_mounting(claim, cluster.maybe)
    failure = _failure(claim, users, cluster)
    wanted, has = _sizes(claim)
    sizes = (
        quote(claim, "spec.resources.requests[storage]", "size that is requested"),
        quote(claim, "status.capacity[storage]", "size of the volume"),
    )
    begins = f"the claim requests {wanted}, the volume has {has}"
    commands = (Command(ref(claim).describe_command, "its conditions and events"),)
    if failure is not None:
        reading = read_message(Message(text=failure.text, reason="VolumeResizeFailed", kind="PersistentVolumeClaim"))
        repair = _REPAIRS.get(reading.message_class if reading is not None else _C.RESIZE_DRIVER_ERROR)
        said = shown_reason(failure.text, _LONGEST)
        yield Finding(
            about=ref(claim),
            summary=f"{begins}: {said}",
            evidence=(*sizes, failure.evidence),
            confidence=Confidence.CERTAIN,
            fixes=(Fix(_LOWER if _TOO_LARGE.search(failure.text) else repair or _REPAIRS[_C.RESIZE_DRIVER_ERROR]),),
            commands=commands,
            affects=tuple(ref(pod) for pod in users),
        )
    elif (waiting := _waits_for_a_pod(claim, cluster)) is not None:
        yield Finding(
            about=ref(claim),
            summary=f"{begins}: the disk has grown, the file system grows when a pod mounts it the next time",
            evidence=(*sizes, waiting),
            confidence=Confidence.LIKELY,
            fixes=(Fix("Restart the pod that mounts the claim" if users else "Start the pods that mount the claim"),),
            commands=commands,
            affects=tuple(ref(pod) for pod in users),
            severity=None if users else Severity.NOTICE,
        )
    elif (ignored := _ignored(claim, cluster)) is not None:
        resizer = _resizer(claim, cluster)
        yield Finding(
            about=ref(claim),
            summary=f"{begins}: no driver expands it; the volume controller waits for one (ExternalExpanding){resizer.clause}",
            evidence=(*sizes, ignored, *resizer.evidence),
            confidence=Confidence.LIKELY,
            because_of=resizer.because_of,
            fixes=(
                *resizer.fixes,
                Fix(
                    "Install the resizer of the volume's driver, if the driver can expand volumes (local-path, hostPath and"
                    " NFS shares cannot)"
                ),
                Fix(
                    "Otherwise copy the data to a larger volume: a claim cannot be lowered to its former size before 1.34"
                ),
            ),
            commands=commands,
            affects=tuple(ref(pod) for pod in users),
        )


def _sizes(claim: PersistentVolumeClaim) -> tuple[str, str]:
    """The requested and the current size; empty where there is none."""
    return (claim.spec.resources.requests or {}).get("storage", ""), (claim.status.capacity or {}).get("storage", "")


def _failure(claim: PersistentVolumeClaim, users: tuple[Pod, ...], cluster: Cluster) -> _Failure | None:
    for name in _CONDITIONS:
        stated = condition(claim.status.conditions, name)
        if stated is not None and stated.status == "True" and stated.message:
            return _Failure(stated.message, quote(claim, f"status.conditions[type={name}].message"))
    events = [event for event in cluster.events_about(ref(claim)) if _is_failure(event)]
    events += [event for pod in users for event in cluster.events_about(ref(pod)) if _is_failure(event)]
    if events:
        return _Failure(events[-1].message, quote(events[-1], "message", events[-1].reason))
    return None


def _is_failure(event: Event) -> bool:
    return event.reason in _EVENTS and event.type == "Warning" and bool(event.message)


def _ignored(claim: PersistentVolumeClaim, cluster: Cluster) -> Evidence | None:
    """The volume controller leaves the expansion to a driver (each one of CSI), and no resizer has taken it up
    (`pkg/controller/volume/expand/expand_controller.go`, v1.37)."""
    if condition(claim.status.conditions, "Resizing") is not None:
        return None
    waiting = None
    for event in cluster.events_about(ref(claim)):
        if event.reason in ("Resizing", "FileSystemResizeRequired", "VolumeResizeSuccessful"):
            return None
        if event.reason == "ExternalExpanding" and event.message:
            waiting = event
    first = (waiting.first_timestamp or waiting.seen_at) if waiting is not None else None
    if waiting is None or first is None or cluster.taken_at - first < SLOW:
        return None
    return quote(waiting, "message", "ExternalExpanding")


def _resizer(claim: PersistentVolumeClaim, cluster: Cluster) -> ControllerState:
    """Why the resizer of the volume's driver does nothing."""
    volume = cluster.maybe.get(PersistentVolume, "", claim.spec.volume_name) if claim.spec.volume_name else None
    if volume is None or volume.spec.csi is None:
        return ControllerState()
    return idle_sidecar(volume.spec.csi.driver, RESIZER, cluster)


def _waits_for_a_pod(claim: PersistentVolumeClaim, cluster: Cluster) -> Evidence | None:
    stated = condition(claim.status.conditions, "FileSystemResizePending")
    if stated is None or stated.status != "True":
        return None
    since = stated.last_transition_time
    if since is None or cluster.taken_at - since < SLOW:
        return None
    return quote(claim, "status.conditions[type=FileSystemResizePending].status")
