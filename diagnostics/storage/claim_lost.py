"""PersistentVolumeClaim is Lost: its volume is gone, or belongs to another claim.

## What it means
The claim was bound once, or was created with the name of a volume as if it had been. The volume controller does not find
that volume, or finds it bound to another claim, and sets the phase Lost. No pod that mounts the claim is scheduled.

## Why it happens
- The PersistentVolume was deleted while the claim still existed.
- A backup was restored, or a namespace was copied, with the claims but without their volumes. The copied claims carry
  `spec.volumeName` and the annotation `pv.kubernetes.io/bind-completed` of the originals.
- Two claims name one volume: only the claim that the volume names in `spec.claimRef`, by its uid too, has it.

## How to fix it
1. Find out whether the disk still exists at the storage. If it does, create the PersistentVolume again under its old name;
   the controller then binds it to the claim.
2. Otherwise delete the claim and create it without `volumeName` and without the annotations: the new volume is empty, and is
   filled from a backup.

## References
- https://kubernetes.io/docs/concepts/storage/persistent-volumes/#binding
"""

from __future__ import annotations

from collections.abc import Iterator

from kubedoctor.cluster import (
    Cluster,
    Event,
    Evidence,
    PersistentVolume,
    PersistentVolumeClaim,
    Pod,
    has_path,
    pods_mounting,
    quote,
    ref,
)
from kubedoctor.findings import (
    Command,
    Confidence,
    Explains,
    Finding,
    Fix,
    Severity,
    diagnostic,
    own_command,
)
from kubedoctor.replay.storage.controller import synced_bound_claim


def lost(claim: PersistentVolumeClaim) -> bool:
    return claim.status.phase == "Lost" and claim.metadata.deletion_timestamp is None


@diagnostic(
    code="KD3006",
    subject=PersistentVolumeClaim,
    severity=Severity.CRITICAL,
    reads=(PersistentVolumeClaim, PersistentVolume, Pod, Event),
    when=lost,
    explains=(Explains("mounts", ("KD1101", "KD1201", "KD1204", "KD1215")),),
    also_known_as=("ClaimLost", "ClaimMisbound"),
    symptoms=("Lost", "bound to non-existent persistentvolume", "Bound claim has lost its PersistentVolume"),
)
def claim_lost(claim: PersistentVolumeClaim, cluster: Cluster) -> Iterator[Finding]:
    if not lost(claim):
        return
    name = claim.spec.volume_name
    volume = cluster.maybe.get(PersistentVolume, "", name) if name else None
    unseen = volume is None and any(gap.kind == "PersistentVolume" for gap in cluster.gaps)
    if volume is not None and synced_bound_claim(claim, volume).phase != "Lost":
        yield Finding(
            about=ref(claim),
            summary=f"the claim is Lost, but its volume {name} is back: the controller binds it at its next look",
            evidence=(
                quote(claim, "status.phase", ""),
                quote(volume, "metadata.name", "the volume that the claim names"),
            ),
            confidence=Confidence.LIKELY,
            severity=Severity.NOTICE,
        )
        return
    why, fixes, evidence = _unknown(claim) if unseen else _why(claim, volume)
    said = [event for event in cluster.maybe.events_about(ref(claim)) if event.reason in ("ClaimLost", "ClaimMisbound")]
    users = pods_mounting(claim, cluster.maybe)
    yield Finding(
        about=ref(claim),
        summary=f"the claim is Lost: {why}",
        evidence=(
            quote(claim, "status.phase", "no pod can use the claim"),
            *evidence,
            *(quote(event, "message", event.reason) for event in said[-1:] if has_path(event, "message")),
        ),
        confidence=Confidence.CERTAIN,
        affects=tuple(ref(pod) for pod in users),
        severity=None if users else Severity.WARNING,
        fixes=fixes,
        commands=(
            Command("kubectl get pv", "the volumes that exist, and their claims"),
            Command(
                own_command("binding", claim.name, namespace=claim.namespace), "what the volume controller decides"
            ),
        ),
    )


def _unknown(claim: PersistentVolumeClaim) -> tuple[str, tuple[Fix, ...], tuple[Evidence, ...]]:
    """Where the volumes cannot be read."""
    name = claim.spec.volume_name
    fix = Fix(f"Look with more rights whether PersistentVolume {name} exists, and which claim it names")
    return (
        f"its PersistentVolume {name} is gone, or belongs to another claim",
        (fix,),
        (quote(claim, "spec.volumeName"),),
    )


def _why(
    claim: PersistentVolumeClaim, volume: PersistentVolume | None
) -> tuple[str, tuple[Fix, ...], tuple[Evidence, ...]]:
    empty = (
        "Delete the claim and create it without volumeName and without its pv.kubernetes.io annotations: its new volume is"
        " empty, and has to be filled from a backup"
    )
    name = claim.spec.volume_name
    if not name:
        return "it was bound, and names no PersistentVolume any more", (Fix(empty),), ()
    named = quote(claim, "spec.volumeName", "the volume that it names")
    if volume is None:
        again = f"If the disk of PersistentVolume {name} still exists, create that PersistentVolume again under the same name"
        return (
            f"its PersistentVolume {name} does not exist",
            (Fix(f"{again}: the controller then binds it to the claim with its data"), Fix(f"Otherwise: {empty}")),
            (named,),
        )
    held = volume.spec.claim_ref
    assert held is not None  # Without one the controller would bind the volume.
    same = (held.namespace, held.name) == (claim.namespace, claim.name)
    holder = f"an earlier claim {held.name}, by its uid" if same else f"claim {held.namespace}/{held.name}"
    evidence = (named, quote(volume, "spec.claimRef", "the claim that has it"))
    if same:
        keep = (
            f"Remove the uid in spec.claimRef of PersistentVolume {name}: the claim then gets the volume with its data"
        )
        return f"its PersistentVolume {name} belongs to {holder}", (Fix(keep), Fix(f"Or: {empty}")), evidence
    apart = f"PersistentVolume {name} stays with {holder}; nothing of its data is changed"
    return f"its PersistentVolume {name} belongs to {holder}", (Fix(f"{empty}. {apart}"),), evidence
