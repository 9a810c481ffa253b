"""PersistentVolumeClaim is not bound to a volume.

## What it means
The PersistentVolumeClaim stays Pending: no volume is bound to it. Pods that mount it cannot start; most are not even
scheduled to a node.

## Why it happens
- It requests a StorageClass that does not exist, or requests none and the cluster has no default class.
- Its class has no provisioner (`kubernetes.io/no-provisioner`) and no existing volume matches: too small, other access
  modes, another class, or bound to another claim.
- A volume would match but is Released: it is still bound to a claim that was deleted.
- The provisioner of the class does not run, or its cloud refuses.
- The class waits for the first pod (WaitForFirstConsumer). That is healthy until a pod mounts the claim.

## How to fix it
1. Correct the class: it cannot be changed in an existing claim, so delete and recreate the claim.
2. Create a volume that matches, or remove the `claimRef` of a Released volume if its data may be used again.
3. If the provisioner fails, read the events of the claim and the log of the provisioner.

## References
- https://kubernetes.io/docs/concepts/storage/persistent-volumes/
- https://kubernetes.io/docs/concepts/storage/storage-classes/#volume-binding-mode
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import msgspec

from diagnostics.storage._classes import class_missing, no_class
from diagnostics.storage._hung import CEPH
from diagnostics.storage._provisioning import PATIENCE, by_its_event, bypassed, is_refused, not_provisioned
from diagnostics.storage._volumes import finding, requested
from kubedoctor.answers.binding.claim_fixes import claim_fixes, near_volumes
from kubedoctor.answers.binding.objections import nearest_volume, objections, would_fit
from kubedoctor.answers.placement.fixing.claims import AT_ONCE
from kubedoctor.cluster import (
    CannotSee,
    Cluster,
    CSIDriver,
    CSINode,
    DaemonSet,
    Deployment,
    Event,
    Lease,
    Node,
    PersistentVolume,
    PersistentVolumeClaim,
    Pod,
    StatefulSet,
    StorageClass,
    has_path,
    pods_mounting,
    quote,
    ref,
)
from kubedoctor.findings import Command, Confidence, Explains, Finding, Fix, Severity, diagnostic, kubectl, own_command
from kubedoctor.replay.storage.binding import pending
from kubedoctor.replay.storage.matching import Mismatch
from kubedoctor.replay.storage.unbound import Awaited, Unbound, unbound


@diagnostic(
    code="KD3001",
    subject=PersistentVolumeClaim,
    severity=Severity.CRITICAL,
    reads=(
        *(PersistentVolumeClaim, PersistentVolume, StorageClass, Pod, Event, Lease, CSIDriver, Deployment, StatefulSet),
        *(CSINode, DaemonSet, Node),
        "VolumeSnapshot.snapshot.storage.k8s.io",
        CEPH,
    ),
    when=pending,
    explains=(Explains("mounts", ("KD1101", "KD1201", "KD1204", "KD1215")),),
    also_known_as=("FailedBinding", "ProvisioningFailed"),
    symptoms=("Pending", "WaitForFirstConsumer", "ExternalProvisioning", "unbound immediate PersistentVolumeClaims"),
)
def claim_pending(claim: PersistentVolumeClaim, cluster: Cluster) -> Iterator[Finding]:
    if not claim.name:
        return
    cluster.require(PersistentVolume, StorageClass)
    try:
        outcome = _judged(claim, cluster)
    except CannotSee:
        outcome = by_its_event(claim, cluster) or _without_volumes(claim, cluster)
        if outcome is None:
            raise
        cluster.maybe.all(PersistentVolume)
        cluster.maybe.all(StorageClass)
    if outcome is None:
        return
    users = pods_mounting(claim, cluster.maybe)
    commands = (
        Command(
            kubectl("describe", "pvc", claim.name, namespace=claim.namespace), "its events, unless they have expired"
        ),
        Command(
            own_command("binding", claim.name, namespace=claim.namespace),
            "every volume, and why it does not match",
        ),
    )
    severity = None if users else Severity.WARNING
    affects = tuple(ref(pod) for pod in users)
    yield msgspec.structs.replace(outcome, affects=affects, commands=(*outcome.commands, *commands), severity=severity)


def _judged(claim: PersistentVolumeClaim, cluster: Cluster) -> Finding | None:
    classes = cluster.all(StorageClass)
    state = unbound(claim, cluster.all(PersistentVolume), classes)
    if state.fits:
        return None  # The volume controller or the scheduler binds it soon.
    storage_class = state.storage_class
    match state.awaits:
        case Awaited.NAMED_VOLUME:
            return _named_volume(claim, state, cluster)
        case Awaited.ANY_CLASS:
            return no_class(claim, classes, state, cluster)
        case Awaited.NAMED_CLASS:
            return class_missing(claim, classes, state, cluster)
        case Awaited.VOLUME | Awaited.FIRST_POD if storage_class is None or not storage_class.makes_volumes:
            return None if _too_early(claim, state, cluster) else _no_volume(claim, state, cluster)
        case Awaited.PROVISIONER | Awaited.FIRST_POD if storage_class is not None:
            age = _age(claim, cluster)
            if age is None or (age < PATIENCE and not is_refused(claim, cluster)):
                return None
            # A provisioner that fails gives the claim back to the scheduler, which chooses a node again.
            if state.awaits is Awaited.FIRST_POD and not _was_given_back(claim, cluster):
                return bypassed(claim, storage_class, cluster)
            return not_provisioned(claim, storage_class, cluster)
    return None


def _was_given_back(claim: PersistentVolumeClaim, cluster: Cluster) -> bool:
    return bool(pods_mounting(claim, cluster.maybe)) and is_refused(claim, cluster)


def _without_volumes(claim: PersistentVolumeClaim, cluster: Cluster) -> Finding | None:
    """What the classes alone tell of a claim that no volume was bound to in time."""
    age = _age(claim, cluster)
    if claim.spec.volume_name or age is None or age < PATIENCE:
        return None
    classes = cluster.all(StorageClass)
    state = unbound(claim, (), classes)
    match state.awaits:
        case Awaited.ANY_CLASS:
            found = no_class(claim, classes, state)
        case Awaited.NAMED_CLASS:
            found = class_missing(claim, classes, state)
        case _:
            return None
    return msgspec.structs.replace(found, confidence=Confidence.LIKELY)


def _age(claim: PersistentVolumeClaim, cluster: Cluster) -> timedelta | None:
    created = claim.metadata.creation_timestamp
    return cluster.taken_at - created if created is not None else None


def _named_volume(claim: PersistentVolumeClaim, state: Unbound, cluster: Cluster) -> Finding:
    """The claim requests a volume by name."""
    name = claim.spec.volume_name
    evidence = [quote(claim, "spec.volumeName", "volume that the claim requests"), *requested(claim)]
    if not state.judged:
        fix = Fix(f"Create PersistentVolume {name}, or delete the claim and recreate it without volumeName")
        near = near_volumes(claim, cluster)
        hint = f"; did you mean {near[0]}?" if near else ""
        text = f"PersistentVolume {name} of the claim does not exist{hint}"
        return finding(claim, text, tuple(evidence), *claim_fixes(claim, state, cluster), fix)
    rejection = state.judged[0]
    paths = ("spec.claimRef", "spec.capacity[storage]")
    evidence += [quote(rejection.volume, path, "") for path in paths if has_path(rejection.volume, path)]
    fix = Fix("Delete the claim and recreate it with a volumeName that matches, or without volumeName")
    summary = f"volume {name} of the claim {objections(claim, rejection)}"
    return finding(claim, summary, tuple(evidence), *claim_fixes(claim, state, cluster), fix)


def _too_early(claim: PersistentVolumeClaim, state: Unbound, cluster: Cluster) -> bool:
    """Its volume may be created at the same time, or its class waits for a pod and none mounts the claim yet."""
    elsewhere = (Mismatch.CLASS, Mismatch.RESERVED)
    nothing_near = all(any(reason in elsewhere for reason in rejection.reasons) for rejection in state.judged)
    age = _age(claim, cluster)
    if nothing_near and age is not None and age < AT_ONCE:
        return True
    storage_class = state.storage_class
    return storage_class is not None and storage_class.waits_for_first_consumer and not pods_mounting(claim, cluster)


def _no_volume(claim: PersistentVolumeClaim, state: Unbound, cluster: Cluster) -> Finding:
    storage_class = state.storage_class
    evidence = list(requested(claim))
    if storage_class is not None and has_path(storage_class, "provisioner"):
        evidence.append(quote(storage_class, "provisioner", "creates no volumes"))
    for rejection in [rejection for rejection in state.judged if Mismatch.CLASS not in rejection.reasons][:3]:
        path = "spec.claimRef.name" if Mismatch.RELEASED in rejection.reasons else "spec.capacity[storage]"
        evidence += [
            quote(rejection.volume, field, "") for field in ("status.phase", path) if has_path(rejection.volume, field)
        ]
    source = (
        f"class {storage_class.name} has no provisioner" if storage_class is not None else "the claim requests no class"
    )
    none = f"no existing volume matches, and {source}{nearest_volume(claim, state.judged)}"
    fix = Fix("Create a volume that matches, or recreate the claim to match an existing volume")
    return finding(
        claim, would_fit(claim, state.judged) or none, tuple(evidence), *claim_fixes(claim, state, cluster), fix
    )
