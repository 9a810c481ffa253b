"""VolumeSnapshot is not taken: the driver's storage refuses it.

## What it means
The snapshotter of the driver asks the storage for the snapshot and is refused each time. `READYTOUSE` stays false, and no backup
exists; claims that are to be restored from it wait.

## Why it happens
- The number or the size of snapshots at the storage is used up.
- The driver's identity may not take snapshots.
- The volume is in a state, or of a type, in which the storage takes none; or too many are taken in a short time.

## How to fix it
1. Fix what the message names. The snapshotter tries again by itself.
2. Old snapshots go with their VolumeSnapshots, where the class has deletionPolicy Delete.

## References
- https://kubernetes.io/docs/concepts/storage/volume-snapshots/
- https://kubernetes-csi.github.io/docs/external-snapshotter.html
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from diagnostics.storage._hung import repair_of_text
from diagnostics.storage.drivers._driver import SNAPSHOTTER, controller_pods, runs
from diagnostics.storage.snapshots.snapshot_class_unusable import (
    CLASS,
    GROUP,
    SNAPSHOT,
    is_not_taken,
    snapshot_class_unusable,
)
from diagnostics.storage.snapshots.snapshot_waits_for_driver import CONTENT
from kubedoctor.cluster import (
    CannotSee,
    Cluster,
    CustomResource,
    PersistentVolume,
    PersistentVolumeClaim,
    Pod,
    quote,
    ref,
)
from kubedoctor.findings import (
    Command,
    Confidence,
    Finding,
    Fix,
    Ref,
    Severity,
    diagnostic,
    has_path,
    look_at,
)
from kubedoctor.replay.messages.classes import MessageClass
from kubedoctor.replay.messages.message import Message
from kubedoctor.replay.messages.reader import read_message
from kubedoctor.replay.messages.shown import shown_reason

_ERROR: Final = "status.error.message"
_STEPS: Final = re.compile(
    r"^Failed to (?:create snapshot|check and update snapshot content)(?: content)?: (?:failed to take snapshot of the volume"
    r' \S+: )?"?'
)
"""external-snapshotter, `pkg/sidecar-controller/snapshot_controller.go`, createSnapshotWrapper, 8.2."""
_PASSES: Final = re.compile(
    r"Unavailable|DeadlineExceeded|Aborted|timed? ?out|already (?:exists|in progress)|throttl|RateExceeded"
    r"|RequestLimitExceeded|connection",
    re.IGNORECASE,
)
"""What the next try may cure."""
_SLOW: Final = timedelta(minutes=10)
_DENIED: Final = frozenset({MessageClass.PROVISION_DENIED, MessageClass.PROVISION_IDENTITY})
_LONGEST: Final = 240


@diagnostic(
    code="KD3015",
    subject=SNAPSHOT,
    severity=Severity.WARNING,
    reads=(CONTENT, CLASS, PersistentVolume, PersistentVolumeClaim, Pod),
    when=is_not_taken,
    symptoms=("SnapshotCreationFailed", "SnapshotContentCheckandUpdateFailed", "READYTOUSE false"),
)
def snapshot_failed(snapshot: CustomResource, cluster: Cluster) -> Iterator[Finding]:
    if not is_not_taken(snapshot) or not has_path(snapshot, _ERROR):
        return
    error = quote(snapshot, _ERROR, "what the driver's snapshotter says")
    if _is_of_its_class(snapshot, cluster):
        return
    passes = _may_pass(snapshot, error.text, cluster)
    why = shown_reason(_STEPS.sub("", error.text), _LONGEST).strip('".')
    driver = _driver(snapshot, cluster)
    account = _account(driver, error.text, cluster)
    whose = f"Give {account.title} at the storage the rights that the message names" if account is not None else ""
    yield Finding(
        about=ref(snapshot),
        summary=f"{_begins(driver, passes=passes)}: {why}",
        evidence=(error,),
        confidence=Confidence.CERTAIN,
        affects=_made_of(snapshot),
        severity=Severity.NOTICE if passes else None,
        fixes=(Fix("Wait: the snapshotter tries again by itself" if passes else whose or _repair(error.text)),),
        commands=(
            *((look_at(account, "its role at the storage"),) if account is not None else ()),
            Command(ref(snapshot).describe_command, "the tries of the snapshotter, under Events"),
        ),
    )


def _is_of_its_class(snapshot: CustomResource, cluster: Cluster) -> bool:
    """Whether its class or its source explains the error; where the classes cannot be read, the driver's word counts."""
    try:
        return any(True for _ in snapshot_class_unusable(snapshot, cluster))
    except CannotSee:
        cluster.maybe.custom("VolumeSnapshotClass", GROUP)
        return False


def _repair(text: str) -> str:
    if _class_of(text) is MessageClass.PROVISION_QUOTA:
        return "Raise the quota or limit that the message names, or delete VolumeSnapshots that are no longer needed"
    return repair_of_text(text)


def _class_of(text: str) -> MessageClass | None:
    reading = read_message(Message(text=text, reason="ProvisioningFailed", kind="PersistentVolumeClaim"))
    return reading.message_class if reading is not None else None


def _begins(driver: str, *, passes: bool) -> str:
    if not driver:
        return "is not taken yet" if passes else "is not taken"
    return f"driver {driver} {'has not taken it yet' if passes else 'does not take it'}"


def _may_pass(snapshot: CustomResource, text: str, cluster: Cluster) -> bool:
    created = snapshot.metadata.creation_timestamp
    young = created is None or cluster.taken_at - created < _SLOW
    return young and _PASSES.search(text) is not None


def _made_of(snapshot: CustomResource) -> tuple[Ref, ...]:
    """Its VolumeSnapshotContent, which repeats the error."""
    name = (snapshot.status or {}).get("boundVolumeSnapshotContentName")
    return (Ref(CONTENT, "", name),) if isinstance(name, str) and name else ()


def _driver(snapshot: CustomResource, cluster: Cluster) -> str:
    name = (snapshot.status or {}).get("boundVolumeSnapshotContentName")
    contents = cluster.maybe.custom("VolumeSnapshotContent", GROUP) if name else ()
    return next((str((row.spec or {}).get("driver") or "") for row in contents if row.name == name), "")


def _account(driver: str, text: str, cluster: Cluster) -> Ref | None:
    """Whose rights are too few, where the message is about rights."""
    if not driver or _class_of(text) not in _DENIED:
        return None
    for pod in controller_pods(driver, cluster):
        if pod.spec.service_account_name and runs(pod.spec.containers, SNAPSHOTTER):
            return Ref("ServiceAccount", pod.namespace, pod.spec.service_account_name)
    return None
