"""PersistentVolume is not deleted after its claim: the driver fails to delete the disk.

## What it means
The claim was deleted, and the reclaim policy of its volume is Delete. The driver tries to delete the disk at the storage and
fails each time, so that the volume stays Released or becomes Failed, and the disk keeps costing money and quota.

## Why it happens
- At the provider the disk is still attached to a machine, perhaps one that is no longer a node.
- The disk has snapshots or clones, or is locked.
- The driver's identity may not delete disks.

## How to fix it
1. Read the message of the driver. For a disk in use, detach it at the provider from the machine that holds it.
2. The driver tries again by itself; nothing in the volume has to be edited.
3. If the data is still needed, set the reclaim policy to Retain before the deletion succeeds.

## References
- https://kubernetes.io/docs/concepts/storage/persistent-volumes/#reclaiming
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from kubedoctor.answers.binding.places import attachments_of
from kubedoctor.cluster import (
    Cluster,
    Event,
    Evidence,
    PersistentVolume,
    VolumeAttachment,
    has_path,
    human_duration,
    listed,
    quote,
    ref,
    times,
)
from kubedoctor.cluster.changes import put
from kubedoctor.findings import Command, Confidence, Effect, Finding, Fix, Severity, command_line, diagnostic
from kubedoctor.replay.messages.shown import shown_reason

_REASONS: Final = ("VolumeFailedDelete", "VolumeFailedRecycle")
_PASSES: Final = timedelta(minutes=5)
"""A volume whose pod has just ended is still being detached; the driver tries again within seconds."""
_CURRENT: Final = timedelta(minutes=30)
"""The driver waits longer after each failure, up to some minutes."""
_IN_USE: Final = re.compile(
    r"still attached|in use|being used|in-use|VolumeInUse|ResourceInUse|has watchers", re.IGNORECASE
)
_COPIED: Final = re.compile(r"snapshot|clone|dependent|child", re.IGNORECASE)
_SNAPSHOTS: Final = "snapshot.storage.k8s.io"
_LONGEST: Final = 240


def to_be_deleted(volume: PersistentVolume) -> bool:
    """Its claim is gone, and its policy is not to keep it."""
    return volume.status.phase in ("Released", "Failed") and volume.spec.persistent_volume_reclaim_policy != "Retain"


@diagnostic(
    code="KD3007",
    subject=PersistentVolume,
    severity=Severity.WARNING,
    reads=(PersistentVolume, Event, VolumeAttachment, f"VolumeSnapshotContent.{_SNAPSHOTS}"),
    when=to_be_deleted,
    symptoms=("VolumeFailedDelete", "VolumeFailedRecycle", "is still attached to node"),
)
def volume_not_deleted(volume: PersistentVolume, cluster: Cluster) -> Iterator[Finding]:
    if not to_be_deleted(volume):
        return
    said = _said(volume, cluster)
    if said is None:
        return
    text, evidence = said
    fixes, holders = _repairs(volume, text, cluster)
    yield Finding(
        about=ref(volume),
        summary=f"its disk is not deleted: {shown_reason(text, _LONGEST).rstrip('.')}{holders}",
        evidence=(
            evidence,
            *(
                quote(volume, path, shows)
                for path, shows in (
                    ("status.phase", ""),
                    ("spec.persistentVolumeReclaimPolicy", "what happens to the disk without its claim"),
                    ("spec.claimRef.name", "the claim that was deleted"),
                )
                if has_path(volume, path)
            ),
        ),
        confidence=Confidence.CERTAIN,
        fixes=fixes,
        commands=(Command(ref(volume).describe_command, "the volume and its events"),),
    )


def _said(volume: PersistentVolume, cluster: Cluster) -> tuple[str, Evidence] | None:
    """What the driver says, where it has gone on for some time."""
    events = [
        event
        for event in cluster.events_about(ref(volume))
        if event.reason in _REASONS and event.type == "Warning" and event.message
    ]
    for event in reversed(events):
        first, last = events[0].first_timestamp or events[0].seen_at, event.seen_at
        if last is None or first is None or cluster.taken_at - last > _CURRENT or cluster.taken_at - first < _PASSES:
            return None
        for_long = human_duration(cluster.taken_at - first)
        return event.message, quote(event, "message", f"seen {times(event.times)} in {for_long}")
    if volume.status.phase == "Failed" and volume.status.message:
        return volume.status.message, quote(volume, "status.message", "why it was not reclaimed")
    return None


def _repairs(volume: PersistentVolume, text: str, cluster: Cluster) -> tuple[tuple[Fix, ...], str]:
    attachments = attachments_of(volume, cluster)
    words = "".join(f"; {ref(one).title} still attaches it to node {one.spec.node_name}" for one in attachments[:1])
    if _COPIED.search(text):
        repair = f"Delete the snapshots or clones of the disk that are no longer needed{_snapshots(volume, cluster)}; the driver then deletes the disk by itself"
    elif _IN_USE.search(text):
        repair = "Detach the disk at the provider from the machine that holds it; the driver then deletes it by itself"
    else:
        repair = "Fix the cause that the driver's message names; it then deletes the disk by itself"
    keep = put(ref(volume), ("spec", "persistentVolumeReclaimPolicy"), "Retain")
    return (
        Fix(repair),
        Fix(
            "Or keep the disk and its data: set the reclaim policy to Retain",
            command_line(keep, volume),
            Effect.CHANGES,
            changes=ref(volume),
        ),
    ), words


def _snapshots(volume: PersistentVolume, cluster: Cluster) -> str:
    """The VolumeSnapshots that are known to be of the disk, as a clause."""
    handle = volume.spec.csi.volume_handle if volume.spec.csi is not None else ""
    names = []
    for content in cluster.maybe.custom("VolumeSnapshotContent", _SNAPSHOTS) if handle else ():
        source, of = (content.spec or {}).get("source"), (content.spec or {}).get("volumeSnapshotRef")
        if isinstance(source, dict) and isinstance(of, dict) and source.get("volumeHandle") == handle:
            names.append(f"VolumeSnapshot {of.get('namespace', '')}/{of.get('name', '')}")
    return f" ({listed(sorted(names), 3)})" if names else ""
