"""Changes that get a claim a volume, proven by another look of the volume controller."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Final

import msgspec

from kubedoctor.answers.binding.objections import holder_words
from kubedoctor.answers.placement.fixing.claims import release_volume
from kubedoctor.answers.proof import prove, proven
from kubedoctor.cluster.changes import Change, Path, Step, edit, put
from kubedoctor.cluster.grammar.nearest import misspellings
from kubedoctor.cluster.kinds.references import ref
from kubedoctor.cluster.kinds.storage import (
    DEFAULT_CLASS_ANNOTATIONS,
    PersistentVolume,
    PersistentVolumeClaim,
    StorageClass,
)
from kubedoctor.cluster.seen.reading import Cluster
from kubedoctor.findings.commands import command_line
from kubedoctor.findings.model import Effect, Fix
from kubedoctor.replay.storage.controller import holder, synced_volume
from kubedoctor.replay.storage.matching import CLASS_ANNOTATION, Mismatch, Rejection, class_of, class_of_volume
from kubedoctor.replay.storage.unbound import Awaited, Unbound, unbound

_CURABLE: Final = frozenset({
    Mismatch.TOO_SMALL,
    Mismatch.ACCESS_MODE,
    Mismatch.ATTRIBUTES_CLASS,
    Mismatch.CLASS,
    Mismatch.SELECTOR,
})  # fmt: skip
_HELD: Final = frozenset({Mismatch.RELEASED, Mismatch.RESERVED})
_MOST: Final = 3
_GETS: Final = (Awaited.BINDING, Awaited.FIRST_POD, Awaited.PROVISIONER)
"""A claim of a class that provisions volumes gets one, if its provisioner works: that is no proof, but a way."""


def claim_fixes(claim: PersistentVolumeClaim, state: Unbound, cluster: Cluster) -> Iterator[Fix]:
    """The nearest volumes first, then the class; what two reasons lead to comes once."""
    seen = set[str]()
    for fix in _all_fixes(claim, state, cluster):
        if fix.command not in seen:
            seen.add(fix.command)
            yield fix


def _all_fixes(claim: PersistentVolumeClaim, state: Unbound, cluster: Cluster) -> Iterator[Fix]:
    for rejection in [one for one in state.judged if one.reasons][:_MOST]:
        yield from _about_volume(claim, rejection, cluster)
    if state.awaits is Awaited.NAMED_VOLUME and not state.judged:
        yield from _about_name(claim, cluster)
    yield from _about_class(claim, state, cluster)


def binds(claim: PersistentVolumeClaim, cluster: Cluster) -> bool:
    """Whether the claim is bound once the controller has looked at each volume and then at the claim."""
    now = cluster.get(PersistentVolumeClaim, claim.namespace, claim.name)
    if now is None:
        return False
    claims = cluster.maybe.all(PersistentVolumeClaim)
    volumes = [_looked_at(volume, claims) for volume in cluster.all(PersistentVolume)]
    return unbound(now, volumes, cluster.all(StorageClass)).awaits is Awaited.BINDING


def may_be_released(volume: PersistentVolume, cluster: Cluster) -> bool:
    """Whether no claim has the volume: the controller says so, or all claims were seen. A volume that its driver deletes is
    not kept by another claim."""
    released = volume.status.phase == "Released"
    if released and volume.spec.persistent_volume_reclaim_policy == "Delete":
        return False
    claims = cluster.maybe.all(PersistentVolumeClaim)
    unseen = any(gap.kind == "PersistentVolumeClaim" for gap in cluster.gaps)
    return holder(volume, claims) is None and (released or not unseen)


def _looked_at(volume: PersistentVolume, claims: tuple[PersistentVolumeClaim, ...]) -> PersistentVolume:
    phase = synced_volume(volume, claims).phase
    status = msgspec.structs.replace(volume.status, phase=phase or volume.status.phase)
    return msgspec.structs.replace(volume, status=status)


def _about_volume(claim: PersistentVolumeClaim, rejection: Rejection, cluster: Cluster) -> Iterator[Fix]:
    volume, wrong = rejection.volume, frozenset(rejection.reasons)
    if wrong <= _HELD:
        if not may_be_released(volume, cluster):
            return
        change = release_volume(ref(volume))
        text = (
            f"Remove the claimRef of volume {volume.name} ({holder_words(claim, volume)}): the claim then gets its data as"
            " it is, and its pods can overwrite it"
        )
        yield _proven(Fix(text, command_line(change), Effect.CHANGES, changes=ref(volume)), change, claim, cluster)
        return
    if not wrong <= _CURABLE or len(wrong) > 2 or volume.spec.claim_ref is not None:
        return
    if Mismatch.ACCESS_MODE in wrong and not _modes(claim, volume):
        return  # It can only be read, and the claim is to be written to.
    fields, words = _as_offered(claim, volume, wrong)
    change = edit(ref(claim), *_steps(claim, fields))
    text = (
        f"Recreate the claim with {words}, as volume {volume.name} has it; the claim has no volume, so no data is lost"
    )
    line = command_line(change, claim)
    if line:
        yield _proven(Fix(text, line, Effect.CHANGES, changes=ref(claim)), change, claim, cluster)


def _as_offered(
    claim: PersistentVolumeClaim, volume: PersistentVolume, wrong: frozenset[Mismatch]
) -> tuple[dict[Path, object], str]:
    fields: dict[Path, object] = {}
    words = []
    if Mismatch.CLASS in wrong:
        fields["spec", "storageClassName"] = class_of_volume(volume)
        words.append(f"class {class_of_volume(volume) or 'none'}")
    if Mismatch.TOO_SMALL in wrong:
        size = (volume.spec.capacity or {}).get("storage", "0")
        fields["spec", "resources", "requests", "storage"] = size
        words.append(f"size {size}")
    if Mismatch.ACCESS_MODE in wrong:
        modes = _modes(claim, volume)
        fields["spec", "accessModes"] = modes
        words.append(f"access mode {', '.join(modes)}")
    if Mismatch.ATTRIBUTES_CLASS in wrong:
        attributes = volume.spec.volume_attributes_class_name or None
        fields["spec", "volumeAttributesClassName"] = attributes
        words.append(f"attributes class {attributes}" if attributes else "no attributes class")
    if Mismatch.SELECTOR in wrong:
        fields["spec", "volumeName"] = volume.name
        words.append(f"volumeName {volume.name}")
    return fields, " and ".join(words)


def _modes(claim: PersistentVolumeClaim, volume: PersistentVolume) -> list[str]:
    """Access modes that the volume offers: those that the claim requests, else one that also lets pods write."""
    offered = volume.spec.access_modes or ()
    writing = [mode for mode in offered if mode != "ReadOnlyMany"]
    return [mode for mode in claim.spec.access_modes or () if mode in offered] or writing[:1]


def _steps(claim: PersistentVolumeClaim, fields: dict[Path, object]) -> list[Step]:
    steps = [Step(path, value) if value is not None else Step(path, remove=True) for path, value in fields.items()]
    if ("spec", "storageClassName") in fields and CLASS_ANNOTATION in claim.annotations:
        steps.append(Step(("metadata", "annotations", CLASS_ANNOTATION), remove=True))
    return steps


def near_volumes(claim: PersistentVolumeClaim, cluster: Cluster) -> tuple[str, ...]:
    """Volumes whose names are like that of a volume which the claim requests and which does not exist."""
    names = sorted(one.name for one in cluster.all(PersistentVolume) if one.spec.claim_ref is None)
    return tuple(misspellings(claim.spec.volume_name, names, 1))


def _about_name(claim: PersistentVolumeClaim, cluster: Cluster) -> Iterator[Fix]:
    for name in near_volumes(claim, cluster):
        change = put(ref(claim), ("spec", "volumeName"), name)
        line = command_line(change, claim)
        if line:
            text = f"Recreate the claim with volumeName {name}; the claim has no volume, so no data is lost"
            yield _proven(Fix(text, line, Effect.CHANGES, changes=ref(claim)), change, claim, cluster)


def _about_class(claim: PersistentVolumeClaim, state: Unbound, cluster: Cluster) -> Iterator[Fix]:
    classes = cluster.all(StorageClass)
    if state.awaits is Awaited.ANY_CLASS:
        yield from default_class_fixes(classes)
    elif state.awaits is Awaited.NAMED_CLASS:
        for name in misspellings(class_of(claim) or "", (one.name for one in classes), 2):
            change = edit(ref(claim), *_steps(claim, {("spec", "storageClassName"): name}))
            line = command_line(change, claim)
            if line:
                text = f"Recreate the claim with class {name}; the claim has no volume, so no data is lost"
                yield _proven(Fix(text, line, Effect.CHANGES, changes=ref(claim)), change, claim, cluster)


def default_class_fixes(classes: tuple[StorageClass, ...]) -> Iterator[Fix]:
    """A default class for claims without one: only a class that provisions volumes helps them all."""
    for one in [one for one in classes if one.makes_volumes][:_MOST]:
        change = put(ref(one), ("metadata", "annotations", DEFAULT_CLASS_ANNOTATIONS[0]), "true")
        text = f"Make {one.name} the default class: every claim without a class then gets it"
        yield Fix(text, command_line(change), Effect.CHANGES, changes=ref(one))


def _proven(fix: Fix, change: Change, claim: PersistentVolumeClaim, cluster: Cluster) -> Fix:
    return proven(fix, prove(change, cluster, partial(binds, claim)))
