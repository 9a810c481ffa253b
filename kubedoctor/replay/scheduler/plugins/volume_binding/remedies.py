"""Changes for claims without a volume: request what exists, name a volume, or release one.

The consequences are part of every trial: the volume controller binds a claim whose class does not wait for pods
(`replay/storage`), and the scheduler itself binds a claim that waits. What a provisioner does cannot be proven: a class
that provisions volumes is proposed with that assumption, and a claim that already waits for its provisioner, or that is
about to be bound, is left alone. All but the first storage class and the first volume name of a claim is immutable
(`ValidatePersistentVolumeClaimUpdate`, v1.37), so that it has to be deleted and recreated; without a volume it holds no
data.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice, product
from typing import Final

import msgspec

from kubedoctor.cluster.changes import Operation, Path, Step, apply_to_object
from kubedoctor.cluster.grammar.nearest import misspellings
from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.cluster.kinds.references import Ref, ref
from kubedoctor.cluster.kinds.storage import PersistentVolume, PersistentVolumeClaim
from kubedoctor.replay.scheduler.framework import Status
from kubedoctor.replay.scheduler.memos import Memo
from kubedoctor.replay.scheduler.plugins.pod_claims import claim_names, class_named, is_bound
from kubedoctor.replay.scheduler.plugins.volume_binding.claim_outcomes import settled
from kubedoctor.replay.scheduler.plugins.volume_binding.filter import FREE_STORAGE, Reach, largest_storage, prepare
from kubedoctor.replay.scheduler.remedies.edited import edited
from kubedoctor.replay.scheduler.remedies.edits import Because, Edit, Kind, Remedy, Replaced
from kubedoctor.replay.scheduler.snapshot import ClusterState, NodeInfo
from kubedoctor.replay.storage.matching import (
    CLASS_ANNOTATION,
    Mismatch,
    Rejection,
    capacity,
    class_of,
    class_of_volume,
    rejections,
    requested_storage,
)
from kubedoctor.replay.storage.unbound import SELECTED_NODE, Awaited, unbound

_MOST_CLAIMS = 2
_MOST_CLASSES = 3
_MOST_VOLUMES = 4
_MOST_ANYWHERE = 2
_CLASS: Path = ("spec", "storageClassName")
_VOLUME: Path = ("spec", "volumeName")
_SIZE: Path = ("spec", "resources", "requests", "storage")
_MODES: Path = ("spec", "accessModes")
_CURABLE = {Mismatch.TOO_SMALL, Mismatch.ACCESS_MODE, Mismatch.CLASS, Mismatch.SELECTOR}


_WAYS: Final = Memo[Ref, tuple[list[Edit], list[Rejection]]]()
"""Cached for each claim: edits to use other classes, and the volumes that do not fit."""


class _Why(msgspec.Struct, frozen=True):
    """Why other values of a claim help, as in `Edit`."""

    because: Because | None = None
    names: tuple[str, ...] = ()
    node: str = ""


_NO_REASON: Final = _Why()


class _Own(msgspec.Struct, frozen=True):
    """A claim of the pod, and where the pod itself describes it (`template`, a generic ephemeral volume)."""

    pod: Pod
    position: int
    claim: PersistentVolumeClaim
    template: bool


def about_unbound(pod: Pod, state: ClusterState, names: Sequence[str]) -> list[Remedy]:
    """For claims that must be bound before nodes are examined; a second claim chooses from the volumes that the first
    leaves."""
    wrong = [own for own in _own(pod, state) if own.claim.name in names]
    if not wrong or len(wrong) > _MOST_CLAIMS:
        return []
    first, *more_claims = wrong
    remedies: list[Remedy] = []
    for edit in _ways(first, state):
        remaining = edited(pod, state, (edit,))[1] if more_claims else state
        remedies += [(edit, *more) for more in product(*(_ways(own, remaining) for own in more_claims))]
    return remedies


def about_waiting(pod: Pod, state: ClusterState, node: NodeInfo, status: Status) -> list[Remedy]:
    """For claims that wait for the pod, and could not be bound on the node."""
    waiting = [own for own in _own(pod, state) if not is_bound(own.claim)]
    wrong = [own for own in waiting if not _bindable_alone(own, state, node)]
    if not wrong:  # Two claims need the same volume.
        return [(edit,) for own in waiting for edit in _ways(own, state, node)]
    choices = []
    for own in wrong:
        smaller = _smaller(own, state, node) if status.has(FREE_STORAGE) else []
        choices.append([*smaller, *_ways(own, state, node)])
    return _together(choices)


def about_selected_nodes(pod: Pod, state: ClusterState, node: NodeInfo) -> list[Remedy]:
    """Claims for which another node was selected, without success so far: let the scheduler select again."""
    edits = []
    for name, _ in claim_names(pod):
        claim = state.claims.get((pod.namespace, name))
        if claim is None or is_bound(claim) or claim.annotations.get(SELECTED_NODE) in (None, node.name):
            continue
        about = Ref("PersistentVolumeClaim", pod.namespace, name)
        operation = Operation(about, (Step(("metadata", "annotations", SELECTED_NODE), remove=True),))
        edits.append(Edit(Kind.FORGET_NODE, about, (operation,), weight=3, node=claim.annotations[SELECTED_NODE]))
    return [tuple(edits)] if edits else []


def _together(choices: Sequence[Sequence[Edit]]) -> list[Remedy]:
    """One change for each claim; no volume is bound twice."""
    if not choices or len(choices) > _MOST_CLAIMS:
        return []
    remedies = []
    for edits in product(*choices):
        volumes = [
            followed.about for edit in edits for followed in edit.follows if followed.about.kind == "PersistentVolume"
        ]
        if len(volumes) == len(set(volumes)):
            remedies.append(edits)
    return remedies


def _own(pod: Pod, state: ClusterState) -> list[_Own]:
    """Each claim once."""
    claims: dict[str, _Own] = {}
    for position, volume in enumerate(pod.spec.volumes or ()):
        name = volume.claim_of(pod.name) or ""
        claim = state.claims.get((pod.namespace, name))
        if claim is not None:
            claims.setdefault(name, _Own(pod, position, claim, volume.persistent_volume_claim is None))
    return list(claims.values())


def _bindable_alone(own: _Own, state: ClusterState, node: NodeInfo) -> bool:
    volumes = (own.pod.spec.volumes or ())[own.position]
    spec = msgspec.structs.replace(own.pod.spec, volumes=(volumes,))
    node_filter = prepare(msgspec.structs.replace(own.pod, spec=spec), state).node_filter
    return node_filter is None or node_filter.check(node).is_success


def _ways(own: _Own, state: ClusterState, node: NodeInfo | None = None) -> list[Edit]:
    """All changes that get the claim a volume; for a node: the volumes that it reaches, and the closest of all
    volumes."""
    claim = own.claim
    now = unbound(claim, state.volumes.values(), state.classes.values())
    if now.awaits in (Awaited.BINDING, Awaited.DEFAULT_CLASS) or (now.awaits is Awaited.PROVISIONER and node is None):
        return []
    ways, about = _WAYS.of(state), ref(claim)
    if about not in ways:
        judged_all = rejections(claim, state.volumes.values())
        ways[about] = _by_class(own, state), [rejected for rejected in judged_all if rejected.reasons]
    classes, judged = ways[about]
    if claim.spec.volume_name:
        near = misspellings(claim.spec.volume_name, state.volumes, 1)
        by_name = [_draft(own, state, {_VOLUME: name}, 2) for name in near] + [_draft(own, state, {_VOLUME: ""}, 4)]
        return [*classes, *(edit for edit in by_name if edit is not None)]
    reach = Reach(state)
    there = (rejected for rejected in judged if node is None or reach.reaches(rejected.volume, node.node))
    drafts = [*islice(_drafted(own, state, there), _MOST_VOLUMES)]
    if node is not None:  # The closest volume may be reachable only from a node that is not examined.
        drafts += islice(_drafted(own, state, judged), _MOST_ANYWHERE)
    return [*classes, *drafts]


def _drafted(own: _Own, state: ClusterState, judged: Iterable[Rejection]) -> Iterator[Edit]:
    return (edit for rejected in judged if (edit := _about_volume(own, state, rejected)) is not None)


def _by_class(own: _Own, state: ClusterState) -> list[Edit]:
    """The most likely classes, first those that need no assumption."""
    drafts = (_draft(own, state, {_CLASS: name}, weight) for name, weight in _classes(own.claim, state))
    edits = sorted(
        (draft for draft in drafts if draft is not None), key=lambda draft: (bool(draft.provisioner), draft.weight)
    )
    return edits[:_MOST_CLASSES]


def _classes(claim: PersistentVolumeClaim, state: ClusterState) -> list[tuple[str, float]]:
    """Other classes with their rank: the most similar names, then the default, then any."""
    present = class_of(claim)
    names = set(state.classes) | {class_of_volume(volume) for volume in state.volumes.values()}
    names -= {present or "", ""}
    near = misspellings(present, names, 2) if present else ()
    defaults = {storage_class.name for storage_class in state.classes.values() if storage_class.is_default}
    return [(name, 2 if name in near else 3 if name in defaults else 4) for name in sorted(names)]


def _smaller(own: _Own, state: ClusterState, node: NodeInfo) -> list[Edit]:
    """Request no more than the storage near the node."""
    storage_class = class_named(own.claim, state)
    most = largest_storage(storage_class, node, state) if storage_class is not None else None
    if most is None or most.value() <= 0 or most >= requested_storage(own.claim):
        return []
    why = _Why(Because.CLASS_HAS, (class_of(own.claim) or "",), node.name)
    edit = _draft(own, state, {_SIZE: str(most)}, 3 + _loss(own.claim, most.value()), why)
    return [edit] if edit is not None else []


def _loss(claim: PersistentVolumeClaim, kept_bytes: int) -> float:
    return 1 - kept_bytes / max(requested_storage(claim).value(), 1)


def _about_volume(own: _Own, state: ClusterState, judged: Rejection) -> Edit | None:
    """Request the volume as it is, or release it; None where too much differs."""
    claim, volume = own.claim, judged.volume
    wrong = set(judged.reasons)
    claim_ref = volume.spec.claim_ref
    if wrong <= {Mismatch.RELEASED, Mismatch.RESERVED} and claim_ref is not None:
        gone = (claim_ref.namespace, claim_ref.name) not in state.claims or volume.status.phase == "Released"
        usable = volume.status.phase in ("Released", "Available") and volume.metadata.deletion_timestamp is None
        return _release(own, state, volume) if gone and usable else None
    if not wrong <= _CURABLE or len(wrong) > 2 or claim_ref is not None:
        return None
    if wrong == {Mismatch.CLASS} and class_of_volume(volume):
        return None  # One of the classes that are tried separately.
    fields: dict[Path, object] = {}
    weight = 1.0
    if Mismatch.CLASS in wrong:
        fields[_CLASS] = class_of_volume(volume)
        weight += 2
    if Mismatch.TOO_SMALL in wrong:
        fields[_SIZE] = (volume.spec.capacity or {}).get("storage", "0")
        weight += 1.5 + _loss(claim, capacity(volume).value())
    if Mismatch.ACCESS_MODE in wrong:
        offered = volume.spec.access_modes or ()
        fields[_MODES] = [
            access_mode for access_mode in claim.spec.access_modes or () if access_mode in offered
        ] or list(offered[:1])
        weight += 2
    if Mismatch.SELECTOR in wrong:
        fields[_VOLUME] = volume.name
        weight += 1
    return _draft(own, state, fields, weight, _Why(Because.AS_OFFERED, (volume.name,)))


def _release(own: _Own, state: ClusterState, volume: PersistentVolume) -> Edit | None:
    claim_ref = volume.spec.claim_ref
    assert claim_ref is not None
    about = ref(volume)
    freed = apply_to_object(volume, (Step(("spec", "claimRef"), None), Step(("status", "phase"), "Available")))
    outcome = settled(own.pod, own.position, own.claim, freed, state)
    if outcome is None or outcome.volume:
        return None
    follows = outcome.follows or (Operation(about, (Step(("status", "phase"), "Available"),)),)
    steps = (Step(("spec", "claimRef"), None),)
    because = Because.DELETED_CLAIM if volume.status.phase == "Released" else Because.MISSING_CLAIM
    weight = 3 if (claim_ref.namespace, claim_ref.name) == (own.claim.namespace, own.claim.name) else 3.5
    arguments = (own.claim.name, volume.name)
    return Edit(
        Kind.RELEASE_VOLUME,
        about,
        (Operation(about, steps),),
        arguments,
        weight,
        follows,
        because=because,
        names=(f"{claim_ref.namespace}/{claim_ref.name}",),
    )


def _draft(
    own: _Own,
    state: ClusterState,
    fields: dict[Path, object],
    weight: float,
    why: _Why = _NO_REASON,
) -> Edit | None:
    """The claim with other fields, where that gets it a volume. A claim that is created for each pod gets no volume by
    name: the volume would be in use for the next one."""
    claim = own.claim
    if own.template and _VOLUME in fields:
        return None
    in_place = not own.template and _may_be_set(claim, fields)
    steps = _steps(claim, fields, in_place=in_place)
    recreated = () if in_place else (Step(("metadata", "uid"), f"{claim.metadata.uid}-recreated"),)
    changed = apply_to_object(claim, (*steps, *recreated))
    outcome = settled(own.pod, own.position, changed, None, state)
    if outcome is None:
        return None
    if outcome.volume and _VOLUME not in fields:
        return _draft(own, state, {**fields, _VOLUME: outcome.volume}, weight, why)
    follows, provisioner = outcome.follows, outcome.provisioner
    bound = next((followed.about.name for followed in follows if followed.about.kind == "PersistentVolume"), "")
    operation = Operation(ref(claim), tuple(steps))
    if own.template:
        prefix: Path = ("spec", "volumes", own.position, "ephemeral", "volumeClaimTemplate")
        follows = (Operation(ref(claim), (*steps, *recreated)), *follows)
        steps = [Step((*prefix, *step.path), step.value, step.remove) for step in steps if step.path[0] == "spec"]
        operation = Operation(ref(own.pod), tuple(steps))
    elif recreated:
        follows = (Operation(ref(claim), recreated), *follows)
    if bound and why is _NO_REASON and _VOLUME not in fields:
        why = _Why(Because.THEN_FITS, (bound,))
    return Edit(
        Kind.CHANGE_CLAIM if in_place else Kind.REMAKE_CLAIM,
        operation.about,
        (operation,),
        (claim.name, *(str(value) for value in fields.values())),
        weight,
        follows,
        provisioner if set(fields) != {_SIZE} else "",
        _replaced(claim, fields),
        why.because,
        why.node,
        why.names,
    )


def _steps(claim: PersistentVolumeClaim, fields: dict[Path, object], *, in_place: bool) -> list[Step]:
    """Sets the fields, and removes the annotations that would decide the class or the node otherwise."""
    steps = [Step(path, value) for path, value in fields.items()]
    if _CLASS in fields and CLASS_ANNOTATION in claim.annotations:
        steps.append(Step(("metadata", "annotations", CLASS_ANNOTATION), remove=True))
    if not in_place and SELECTED_NODE in claim.annotations:
        steps.append(Step(("metadata", "annotations", SELECTED_NODE), remove=True))
    return steps


def _may_be_set(claim: PersistentVolumeClaim, fields: Iterable[Path]) -> bool:
    """Whether the field can be set without recreating the claim: the class and the volume, where they are empty."""
    return all(
        (path == _CLASS and class_of(claim) is None) or (path == _VOLUME and not claim.spec.volume_name)
        for path in fields
    )


def _replaced(claim: PersistentVolumeClaim, fields: dict[Path, object]) -> tuple[Replaced, ...]:
    before = {
        _CLASS: class_of(claim) or "",
        _SIZE: (claim.spec.resources.requests or {}).get("storage", "0"),
        _MODES: _joined(claim.spec.access_modes or ()),
        _VOLUME: claim.spec.volume_name,
    }
    return tuple(Replaced(str(path[-1]), before[path], _joined(fields[path])) for path in before if path in fields)


def _joined(value: object) -> str:
    return ", ".join(value) if isinstance(value, list | tuple) else str(value)
