"""A claim has no volume.

## What it means
The PersistentVolumeClaim stays Pending: no volume was bound to it. Pods that mount it cannot start; most are not even
placed on a node.

## Why it happens
- It names a StorageClass that does not exist, or names none and the cluster has no default class.
- Its class makes no volumes by itself (`kubernetes.io/no-provisioner`) and no existing volume fits: too small, other
  access modes, another class, taken by another claim.
- A volume would fit but is Released: it still refers to a claim that was deleted.
- The class's provisioner does not answer, or its cloud refuses.
- The class waits for the first pod (WaitForFirstConsumer). That is healthy until a pod uses the claim.

## How to fix it
1. Correct the class: it cannot be changed in an existing claim, so make the claim anew.
2. Add a volume that fits, or free one: remove `claimRef` of a Released volume once its data may be used again.
3. For a provisioner, read its events and its controller's log.

## References
- https://kubernetes.io/docs/concepts/storage/persistent-volumes/
- https://kubernetes.io/docs/concepts/storage/storage-classes/#volume-binding-mode
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import msgspec

from diagnostics.storage._classes import class_missing, no_class
from diagnostics.storage._provisioning import PATIENCE, bypassed, not_provisioned
from diagnostics.storage._volumes import asked, finding, nearest_volume, objections, release, would_fit
from kubedoctor.answers.placement.claim_fixes import AT_ONCE
from kubedoctor.cluster import (
    Cluster,
    Event,
    PersistentVolume,
    PersistentVolumeClaim,
    Pod,
    StorageClass,
    has_path,
    quote,
    ref,
)
from kubedoctor.cluster.relations.claims import pods_mounting
from kubedoctor.findings import Command, Explains, Finding, Fix, Severity, diagnostic
from kubedoctor.replay.storage.matching import Mismatch
from kubedoctor.replay.storage.unbound import Awaited, Unbound, unbound


def pending(claim: PersistentVolumeClaim) -> bool:
    """Not bound, and not being deleted."""
    return claim.status.phase in ("", "Pending") and claim.metadata.deletion_timestamp is None


@diagnostic(
    code="KD3001",
    subject=PersistentVolumeClaim,
    severity=Severity.CRITICAL,
    reads=(PersistentVolumeClaim, PersistentVolume, StorageClass, Pod, Event),
    when=pending,
    explains=(Explains("mounts", ("KD1101", "KD1201", "KD1204")),),
    also_known_as=("FailedBinding", "ProvisioningFailed"),
    symptoms=("Pending", "WaitForFirstConsumer", "ExternalProvisioning", "unbound immediate PersistentVolumeClaims"),
)
def claim_pending(claim: PersistentVolumeClaim, cluster: Cluster) -> Iterator[Finding]:
    if not claim.name or not pending(claim):
        return
    cluster.require(PersistentVolume, StorageClass)
    made = _judged(claim, cluster)
    if made is None:
        return
    users = pods_mounting(claim, cluster.maybe)
    commands = (
        Command(f"kubectl describe pvc {claim.name} -n {claim.namespace}", "its events, if they are not gone"),
        Command("kubectl get storageclass,pv", "the classes and the volumes there are"),
    )
    severity = None if users else Severity.WARNING
    affects = tuple(ref(pod) for pod in users)
    yield msgspec.structs.replace(made, affects=affects, commands=commands, severity=severity)


def _judged(claim: PersistentVolumeClaim, cluster: Cluster) -> Finding | None:
    classes = cluster.all(StorageClass)
    state = unbound(claim, cluster.all(PersistentVolume), classes)
    if state.fits:
        return None  # Binding is a matter of moments, or of the scheduler.
    found = state.storage_class
    match state.awaits:
        case Awaited.NAMED_VOLUME:
            return _named_volume(claim, state)
        case Awaited.ANY_CLASS:
            return no_class(claim, classes, state)
        case Awaited.NAMED_CLASS:
            return class_missing(claim, classes, state)
        case Awaited.VOLUME | Awaited.FIRST_POD if found is None or not found.makes_volumes:
            return None if _too_early(claim, state, cluster) else _no_volume(claim, state)
        case Awaited.PROVISIONER | Awaited.FIRST_POD if found is not None:
            age = _age(claim, cluster)
            if age is None or age < PATIENCE:
                return None
            judge = bypassed if state.awaits is Awaited.FIRST_POD else not_provisioned
            return judge(claim, found, cluster)
    return None


def _age(claim: PersistentVolumeClaim, cluster: Cluster) -> timedelta | None:
    created = claim.metadata.creation_timestamp
    return cluster.taken_at - created if created is not None else None


def _named_volume(claim: PersistentVolumeClaim, state: Unbound) -> Finding:
    """The claim asks for one volume by name."""
    name = claim.spec.volume_name
    evidence = [quote(claim, "spec.volumeName", "the volume that it asks for"), *asked(claim)]
    if not state.judged:
        fix = Fix(f"create volume {name}, or make the claim anew without volumeName")
        return finding(claim, f"asks for volume {name}, which does not exist", tuple(evidence), fix)
    one = state.judged[0]
    paths = ("spec.claimRef", "spec.capacity[storage]")
    evidence += [quote(one.volume, path, "") for path in paths if has_path(one.volume, path)]
    fix = Fix("name a volume that fits, or leave volumeName out")
    summary = f"asks for volume {name}, which {objections(claim, one)}"
    return finding(claim, summary, tuple(evidence), *release(state.judged), fix)


def _too_early(claim: PersistentVolumeClaim, state: Unbound, cluster: Cluster) -> bool:
    """Its volume may be in the same manifest, or no pod uses it yet and its class waits for one."""
    elsewhere = (Mismatch.CLASS, Mismatch.RESERVED)
    nothing_near = all(any(reason in elsewhere for reason in one.reasons) for one in state.judged)
    age = _age(claim, cluster)
    if nothing_near and age is not None and age < AT_ONCE:
        return True
    found = state.storage_class
    return found is not None and found.waits_for_first_consumer and not pods_mounting(claim, cluster)


def _no_volume(claim: PersistentVolumeClaim, state: Unbound) -> Finding:
    found = state.storage_class
    evidence = list(asked(claim))
    if found is not None and has_path(found, "provisioner"):
        evidence.append(quote(found, "provisioner", "makes no volumes by itself"))
    for one in [one for one in state.judged if Mismatch.CLASS not in one.reasons][:3]:
        path = "spec.claimRef.name" if Mismatch.RELEASED in one.reasons else "spec.capacity[storage]"
        evidence += [quote(one.volume, p, "") for p in ("status.phase", path) if has_path(one.volume, p)]
    which = f"class {found.name} makes none by itself" if found is not None else "it wants no class"
    none = f"no existing volume fits, and {which}{nearest_volume(claim, state.judged)}"
    fix = Fix("add a volume that fits, or ask for what the existing ones offer")
    return finding(claim, would_fit(state.judged) or none, tuple(evidence), *release(state.judged), fix)
