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

import shlex
from collections.abc import Iterator
from datetime import timedelta

import msgspec

from kubedoctor.cluster import (
    Cluster,
    Event,
    Evidence,
    PersistentVolume,
    PersistentVolumeClaim,
    Pod,
    StorageClass,
    has_path,
    quote,
    ref,
)
from kubedoctor.cluster.nearest import misspellings
from kubedoctor.cluster.quantities import format_bytes
from kubedoctor.cluster.relations import claim_names
from kubedoctor.cluster.triage import finished
from kubedoctor.findings import Command, Confidence, Effect, Explains, Finding, Fix, Severity, diagnostic
from kubedoctor.replay.storage.matching import (
    CLASS_ANNOTATION,
    Mismatch,
    Rejection,
    capacity,
    class_of,
    rejections,
    requested_storage,
)

PATIENCE = timedelta(minutes=1)
SLOW = timedelta(minutes=5)
"""File servers of clouds take minutes to make; a provisioner that fails says so."""
AT_ONCE = timedelta(seconds=10)
"""Volumes and claims of one manifest are not made at one moment."""
NO_PROVISIONER = "kubernetes.io/no-provisioner"
SELECTED_NODE = "volume.kubernetes.io/selected-node"
_WHY = {
    Mismatch.RESERVED: "belongs to another claim",
    Mismatch.VOLUME_MODE: "has another volumeMode",
    Mismatch.ATTRIBUTES_CLASS: "has another volumeAttributesClassName",
    Mismatch.DELETING: "is being deleted",
    Mismatch.NOT_AVAILABLE: "is not Available",
    Mismatch.SELECTOR: "does not match the claim's selector",
}


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
)
def claim_pending(claim: PersistentVolumeClaim, cluster: Cluster) -> Iterator[Finding]:
    if not claim.name or not pending(claim):
        return
    cluster.require(PersistentVolume, StorageClass)
    made = _judged(claim, cluster)
    if made is None:
        return
    users = [
        pod for pod in cluster.maybe.all(Pod, claim.namespace) if not finished(pod) and claim.name in claim_names(pod)
    ]
    commands = (
        Command(f"kubectl describe pvc {claim.name} -n {claim.namespace}", "its events, if they are not gone"),
        Command("kubectl get storageclass,pv", "the classes and the volumes there are"),
    )
    severity = None if users else Severity.WARNING
    affects = tuple(ref(pod) for pod in users)
    yield msgspec.structs.replace(made, affects=affects, commands=commands, severity=severity)


def _judged(claim: PersistentVolumeClaim, cluster: Cluster) -> Finding | None:
    name = class_of(claim)
    if claim.spec.volume_name:
        return _named_volume(claim, cluster)
    judged = rejections(claim, cluster.all(PersistentVolume))
    if any(not one.reasons for one in judged):
        return None  # A volume fits: binding is a matter of moments, or of the scheduler.
    classes = cluster.all(StorageClass)
    if name is None:
        return _no_class(claim, classes, judged)
    nothing_near = all(Mismatch.CLASS in one.reasons or Mismatch.RESERVED in one.reasons for one in judged)
    young = nothing_near and _age(claim, cluster) < AT_ONCE
    found = next((one for one in classes if one.name == name), None)
    if found is None:
        if name:
            return _class_missing(claim, name, classes, judged)
        return None if young else _no_volume(claim, None, judged)
    if found.provisioner in ("", NO_PROVISIONER):
        if young or (found.waits_for_first_consumer and not _used(claim, cluster)):
            return None
        return _no_volume(claim, found, judged)
    return _not_provisioned(claim, found, cluster)


def _used(claim: PersistentVolumeClaim, cluster: Cluster) -> bool:
    return any(not finished(pod) and claim.name in claim_names(pod) for pod in cluster.all(Pod, claim.namespace))


def _asked(claim: PersistentVolumeClaim) -> tuple[Evidence, ...]:
    annotation = f"metadata.annotations[{CLASS_ANNOTATION}]"
    paths = {
        annotation: "the class that it asks for",
        "spec.storageClassName": "the class that it asks for",
        "spec.resources.requests[storage]": "the size that it asks for",
        "spec.accessModes": "",
        "status.phase": "",
    }
    found = tuple(quote(claim, path, shows) for path, shows in paths.items() if has_path(claim, path))
    return found or (quote(claim, "metadata.name", "asks for nothing in particular"),)


def _class_missing(
    claim: PersistentVolumeClaim, name: str, classes: tuple[StorageClass, ...], judged: tuple[Rejection, ...]
) -> Finding:
    near = misspellings(name, (one.name for one in classes), 1)
    known = ", ".join(one.name for one in classes[:5]) or "none"
    hint = f"; did you mean {near[0]}?" if near else f" (there are: {known})"
    return Finding(
        about=ref(claim),
        summary=f"names StorageClass {name}, which does not exist{hint}{_nearest_volume(claim, judged)}",
        evidence=_asked(claim),
        confidence=Confidence.CERTAIN,
        fixes=(
            Fix(f"create StorageClass {name}, or delete the claim and make it anew with a class that exists"),
            *_release(judged),
        ),
    )


def _no_class(
    claim: PersistentVolumeClaim, classes: tuple[StorageClass, ...], judged: tuple[Rejection, ...]
) -> Finding | None:
    if any(one.is_default for one in classes):
        return None  # The controller gives it the default class within seconds.
    known = ", ".join(one.name for one in classes[:5]) or "no class at all"
    fixes = [
        Fix(
            f"make {classes[0].name} the default class" if len(classes) == 1 else "make one class the default",
            f"kubectl annotate storageclass {shlex.quote(one.name)} storageclass.kubernetes.io/is-default-class=true --overwrite",
            Effect.CHANGES,
        )
        for one in classes[:1]
    ]
    return Finding(
        about=ref(claim),
        summary=f"names no StorageClass, and the cluster has no default class (it has {known})"
        + _nearest_volume(claim, judged),
        evidence=_asked(claim),
        confidence=Confidence.CERTAIN,
        fixes=(*fixes, Fix("or make the claim anew with storageClassName set")),
    )


def _no_volume(claim: PersistentVolumeClaim, found: StorageClass | None, judged: tuple[Rejection, ...]) -> Finding:
    evidence = list(_asked(claim))
    if found is not None and has_path(found, "provisioner"):
        evidence.append(quote(found, "provisioner", "makes no volumes by itself"))
    for one in [one for one in judged if Mismatch.CLASS not in one.reasons][:3]:
        path = "spec.claimRef.name" if Mismatch.RELEASED in one.reasons else "spec.capacity[storage]"
        evidence += [quote(one.volume, p, "") for p in ("status.phase", path) if has_path(one.volume, p)]
    which = f"class {found.name} makes none by itself" if found is not None else "it wants no class"
    released = next((one.volume.name for one in judged if one.reasons == (Mismatch.RELEASED,)), None)
    if released is not None:
        summary = f"volume {released} would fit, but it is Released: it still refers to a deleted claim"
    else:
        summary = f"no existing volume fits, and {which}{_nearest_volume(claim, judged)}"
    return Finding(
        about=ref(claim),
        summary=summary,
        evidence=tuple(evidence),
        confidence=Confidence.CERTAIN,
        fixes=(*_release(judged), Fix("add a volume that fits, or ask for what the existing ones offer")),
    )


def _nearest_volume(claim: PersistentVolumeClaim, judged: tuple[Rejection, ...]) -> str:
    """What keeps the nearest volumes from the claim; those of another class are nobody's business."""
    own = [one for one in judged if Mismatch.CLASS not in one.reasons]
    released = next((one for one in own if one.reasons == (Mismatch.RELEASED,)), None)
    if released is not None:
        name = released.volume.name
        return f"; volume {name} would fit, but it is Released: it still refers to a deleted claim"
    if not own:
        return ""
    free = [one for one in own if Mismatch.RESERVED not in one.reasons]
    asked = format_bytes(requested_storage(claim).value())
    if free and all(Mismatch.TOO_SMALL in one.reasons for one in free):
        largest = max(free, key=lambda one: capacity(one.volume))
        size = format_bytes(capacity(largest.volume).value())
        return f"; it asks for {asked}, the largest free volume of its class has {size} ({largest.volume.name})"
    one = (free or own)[0]
    return f"; volume {one.volume.name} {' and '.join(_why(claim, one, reason) for reason in one.reasons)}"


def _why(claim: PersistentVolumeClaim, one: Rejection, reason: Mismatch) -> str:
    if reason is Mismatch.ACCESS_MODE:
        offered = ", ".join(one.volume.spec.access_modes or ()) or "no access mode"
        return f"offers {offered} and not {', '.join(claim.spec.access_modes or ())}"
    if reason is Mismatch.TOO_SMALL:
        return f"has only {format_bytes(capacity(one.volume).value())}"
    if reason is Mismatch.RELEASED:
        return "is Released and still refers to a deleted claim"
    return _WHY.get(reason, "does not fit")


def _release(judged: tuple[Rejection, ...]) -> tuple[Fix, ...]:
    for one in judged:
        if one.reasons == (Mismatch.RELEASED,):
            patch = shlex.quote('[{"op": "remove", "path": "/spec/claimRef"}]')
            line = f"kubectl patch pv {one.volume.name} --type=json -p {patch}"
            return (Fix(f"let {one.volume.name} be claimed again; its old data is still on it", line),)
    return ()


def _named_volume(claim: PersistentVolumeClaim, cluster: Cluster) -> Finding | None:
    """The claim asks for one volume by name."""
    name = claim.spec.volume_name
    volume = cluster.get(PersistentVolume, "", name)
    evidence = [quote(claim, "spec.volumeName", "the volume that it asks for"), *_asked(claim)]
    if volume is None:
        return Finding(
            about=ref(claim),
            summary=f"asks for volume {name}, which does not exist",
            evidence=tuple(evidence),
            confidence=Confidence.CERTAIN,
            fixes=(Fix(f"create volume {name}, or make the claim anew without volumeName"),),
        )
    (judged,) = rejections(claim, (volume,))
    ignored = (Mismatch.SELECTOR, Mismatch.NOT_AVAILABLE)
    reasons = tuple(reason for reason in judged.reasons if reason not in ignored)
    if not reasons:
        return None
    evidence += [quote(volume, p, "") for p in ("spec.claimRef", "spec.capacity[storage]") if has_path(volume, p)]
    why = " and ".join(
        "has another class" if reason is Mismatch.CLASS else _why(claim, judged, reason) for reason in reasons
    )
    return Finding(
        about=ref(claim),
        summary=f"asks for volume {name}, which {why}",
        evidence=tuple(evidence),
        confidence=Confidence.CERTAIN,
        fixes=(*_release((judged,)), Fix("name a volume that fits, or leave volumeName out")),
    )


def _not_provisioned(claim: PersistentVolumeClaim, found: StorageClass, cluster: Cluster) -> Finding | None:
    """The class has a provisioner: it has had its time, and has been asked."""
    if claim.metadata.creation_timestamp is None or _age(claim, cluster) < PATIENCE:
        return None
    if found.waits_for_first_consumer and SELECTED_NODE not in claim.annotations:
        return _bypassed(claim, found, cluster)
    failed = [event for event in cluster.events_about(ref(claim)) if event.reason == "ProvisioningFailed"]
    said = failed[-1] if failed and failed[-1].message else None
    if said is None and _waited(claim, found, cluster) < SLOW:
        return None
    evidence = [quote(found, "provisioner", "must make the volume"), *_asked(claim)]
    if said is not None:
        evidence.insert(0, quote(said, "message", "the provisioner's answer"))
    told = f": {' '.join(said.message.split())}" if said is not None else " and nobody says why"
    return Finding(
        about=ref(claim),
        summary=f"provisioner {found.provisioner} of class {found.name} has made no volume{told}",
        evidence=tuple(evidence),
        confidence=Confidence.CERTAIN if said is not None else Confidence.LIKELY,
        fixes=(Fix(f"see that the controller of {found.provisioner} runs, and what its log says"),),
    )


def _age(claim: PersistentVolumeClaim, cluster: Cluster) -> timedelta:
    created = claim.metadata.creation_timestamp
    return cluster.taken_at - created if created is not None else timedelta.max


def _waited(claim: PersistentVolumeClaim, found: StorageClass, cluster: Cluster) -> timedelta:
    """How long the provisioner has been asked: from the claim's first pod on where it waits for one."""
    if not found.waits_for_first_consumer:
        return _age(claim, cluster)
    users = [
        cluster.taken_at - pod.metadata.creation_timestamp
        for pod in cluster.maybe.all(Pod, claim.namespace)
        if not finished(pod) and claim.name in claim_names(pod) and pod.metadata.creation_timestamp is not None
    ]
    return min(_age(claim, cluster), max(users, default=timedelta.max))


def _bypassed(claim: PersistentVolumeClaim, found: StorageClass, cluster: Cluster) -> Finding | None:
    """WaitForFirstConsumer waits for the scheduler; a pod that names its node never meets it."""
    for pod in cluster.all(Pod, claim.namespace):
        if pod.spec.node_name and not finished(pod) and claim.name in claim_names(pod):
            return Finding(
                about=ref(claim),
                summary=f"class {found.name} waits for the scheduler to place a pod, but a pod names its node itself",
                evidence=(quote(pod, "spec.nodeName", "set in the pod"), quote(found, "volumeBindingMode", "")),
                confidence=Confidence.LIKELY,
                fixes=(Fix("use a nodeSelector on kubernetes.io/hostname instead of nodeName"),),
            )
    return None
