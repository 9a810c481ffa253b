"""VolumeSnapshot is not taken: its class, its volume or a missing controller stops it.

## What it means
The snapshot controller hands a VolumeSnapshot to the CSI driver that its VolumeSnapshotClass names. Without a class of the
driver that made the volume, no snapshot is taken, and a backup that relies on it has nothing.

## Why it happens
- The VolumeSnapshot names no class, and no VolumeSnapshotClass is the default for the driver of the volume. The annotation of
  the default StorageClass does not count.
- Two classes of the driver are the default.
- The volume is of no CSI driver, as those of local-path or hostPath: no snapshot can be taken of it. Or its claim does not exist.
- The class that it names does not exist, or belongs to another driver.
- No snapshot controller runs: it is no part of Kubernetes, and many CSI drivers do not install it. Then the VolumeSnapshot
  has no status at all.

## How to fix it
1. Compare the driver of the volume with that of each class: `kubectl get volumesnapshotclasses`.
2. Set the annotation `snapshot.storage.kubernetes.io/is-default-class: "true"` on one class of the driver, or name the class in
   `spec.volumeSnapshotClassName`. The controller tries again by itself.

## References
- https://kubernetes.io/docs/concepts/storage/volume-snapshot-classes/
- https://kubernetes-csi.github.io/docs/snapshot-controller.html
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Final

import msgspec

from diagnostics.storage.snapshots._snapshot_source import CLAIM, unusable_source
from kubedoctor.cluster import (
    Cluster,
    CustomResource,
    Deployment,
    Evidence,
    PersistentVolume,
    PersistentVolumeClaim,
    StatefulSet,
    has_path,
    human_duration,
    listed,
    misspellings,
    quote,
    ref,
)
from kubedoctor.cluster.changes import Step, edit, put
from kubedoctor.findings import Command, Confidence, Finding, Fix, Severity, command_line, diagnostic

GROUP: Final = "snapshot.storage.k8s.io"
SNAPSHOT: Final = f"VolumeSnapshot.{GROUP}"
CLASS: Final = f"VolumeSnapshotClass.{GROUP}"
_DEFAULT: Final = "snapshot.storage.kubernetes.io/is-default-class"
_ERROR: Final = "status.error.message"
_STATES: Final = re.compile(r"class|CSI PersistentVolumeSource")
_NAMED: Final = "spec.volumeSnapshotClassName"
_CONTROLLER: Final = re.compile(r"snapshot-controller(?!-operator)")
"""In the name of its workload, its container or its image: OpenShift's image has only a digest. Its operator takes no
snapshots."""
_UNTOUCHED: Final = timedelta(minutes=10)
"""The controller gives a VolumeSnapshot a status within seconds."""


def is_not_taken(snapshot: CustomResource) -> bool:
    return (snapshot.status or {}).get("readyToUse") is not True and snapshot.metadata.deletion_timestamp is None


@diagnostic(
    code="KD3005",
    subject=SNAPSHOT,
    severity=Severity.WARNING,
    reads=(CLASS, Deployment, StatefulSet, PersistentVolume, PersistentVolumeClaim),
    when=is_not_taken,
    symptoms=(
        "SetDefaultSnapshotClassFailed",
        "SnapshotContentCreationFailed",
        "cannot find default snapshot class",
        "cannot find CSI PersistentVolumeSource",
    ),
)
def snapshot_class_unusable(snapshot: CustomResource, cluster: Cluster) -> Iterator[Finding]:
    """By the rules of the snapshot controller (external-snapshotter, `pkg/common-controller/snapshot_controller.go`, 8.2)."""
    if not snapshot.status:
        yield from _untouched(snapshot, cluster)
        return
    if not has_path(snapshot, _ERROR):
        return  # It is being taken.
    if (source := unusable_source(snapshot, cluster)) is not None:
        yield msgspec.structs.replace(_finding(snapshot, source.text, source.evidence, [source.fix]), commands=())
        return
    volume = _volume(snapshot, cluster)
    driver = volume.spec.csi.driver if volume is not None and volume.spec.csi is not None else ""
    classes = cluster.custom("VolumeSnapshotClass", GROUP)
    named = quote(snapshot, _NAMED).text if has_path(snapshot, _NAMED) else ""
    fitting = [one for one in classes if driver and one.driver == driver]
    defaults = [one for one in fitting if one.annotations.get(_DEFAULT) == "true"]
    if named:
        chosen = next((one for one in classes if one.name == named), None)
        if chosen is None:
            yield _named_missing(snapshot, named, classes, fitting)
        elif volume is not None and driver and chosen.driver and chosen.driver != driver:
            yield _of_another_driver(snapshot, chosen, volume, fitting)
    elif volume is not None and driver and len(defaults) != 1:
        yield _several_defaults(snapshot, defaults) if defaults else _no_default(snapshot, volume, classes, fitting)


def _untouched(snapshot: CustomResource, cluster: Cluster) -> Iterator[Finding]:
    """No status at all: no controller has looked at it."""
    created = snapshot.metadata.creation_timestamp
    if created is None or cluster.taken_at - created < _UNTOUCHED:
        return
    workloads, all_seen = _workloads(cluster)
    controllers = [one for one in workloads if _CONTROLLER.search(_names(one))]
    age = human_duration(cluster.taken_at - created)
    text = f"has had no status for {age}: no snapshot controller handles it"
    running = next((one for one in controllers if one.status.ready_replicas), None)
    blamed = [ref(one) for one in controllers if one is not running]
    if all_seen and not controllers:
        text += "; no Deployment or StatefulSet of this cluster runs one"
    elif controllers and running is None:
        text += f"; {blamed[0].title} is not ready"
    fix = "Install the snapshot controller and its CustomResourceDefinitions: a CSI driver alone takes no snapshots"
    repair = "Read the log of the snapshot controller, and repair it"
    doubt = ""
    if running is not None:
        doubt = f"the log of {ref(running).title} names the snapshot"
    elif not controllers and not all_seen:
        fix = (
            "Check that a snapshot controller runs, and install one if none does: a CSI driver alone takes no snapshots"
        )
        doubt = "a workload runs a snapshot controller, and its log names the snapshot"
    yield Finding(
        about=ref(snapshot),
        summary=text,
        evidence=(quote(snapshot, "metadata.creationTimestamp", "no status since"),),
        confidence=Confidence.POSSIBLE if doubt else Confidence.LIKELY,
        would_disprove=doubt,
        because_of=tuple(blamed) if running is None else (),
        fixes=(Fix(repair if controllers else fix),),
        commands=(
            Command("kubectl get deployments,statefulsets -A -o wide", "whether one runs a snapshot-controller"),
        ),
    )


def _workloads(cluster: Cluster) -> tuple[tuple[Deployment | StatefulSet, ...], bool]:
    """And whether all were seen: else it is not known that none runs a controller. Before 2021 the manifests of the
    controller were a StatefulSet."""
    maybe = cluster.maybe
    cluster.require(Deployment, StatefulSet)
    rows: tuple[Deployment | StatefulSet, ...] = (*maybe.all(Deployment), *maybe.all(StatefulSet))
    return rows, not any(gap.kind in ("Deployment", "StatefulSet") for gap in cluster.gaps)


def _names(workload: Deployment | StatefulSet) -> str:
    containers = workload.spec.template.spec.containers
    return " ".join([workload.name, *(f"{container.name} {container.image}" for container in containers)])


def _volume(snapshot: CustomResource, cluster: Cluster) -> PersistentVolume | None:
    """The volume of the claim that the snapshot is taken of."""
    if not has_path(snapshot, CLAIM):
        return None
    claim = cluster.maybe.get(PersistentVolumeClaim, snapshot.metadata.namespace, quote(snapshot, CLAIM).text)
    name = claim.spec.volume_name if claim is not None else ""
    return cluster.maybe.get(PersistentVolume, "", name) if name else None


def _no_default(
    snapshot: CustomResource,
    volume: PersistentVolume,
    classes: Sequence[CustomResource],
    fitting: Sequence[CustomResource],
) -> Finding:
    driver = quote(volume, "spec.csi.driver", "driver of the volume")
    text = f"names no VolumeSnapshotClass, and none is the default snapshot class for the volume's driver {driver.text}"
    fixes = [Fix(f"Create a VolumeSnapshotClass for driver {driver.text}, with annotation {_DEFAULT}=true")]
    if fitting:
        text += f"; its class {listed([one.name for one in fitting], 3)} is not marked"
        fixes = [_mark(fitting[0]), _name(snapshot, fitting[0])]
    elif classes:
        text += f"; only {listed([f'{one.name} of {one.driver}' for one in classes], 3)} exists"
    shown = [quote(one, "driver", f"VolumeSnapshotClass {one.name}") for one in classes[:2] if has_path(one, "driver")]
    return _finding(snapshot, text, (driver, *shown), fixes)


def _several_defaults(snapshot: CustomResource, defaults: Sequence[CustomResource]) -> Finding:
    names = listed([one.name for one in defaults], 3)
    text = f"names no VolumeSnapshotClass, and {len(defaults)} are the default for the volume's driver: {names}"
    marks = [quote(one, f"metadata.annotations[{_DEFAULT}]", f"VolumeSnapshotClass {one.name}") for one in defaults[:2]]
    change = edit(ref(defaults[1]), Step(("metadata", "annotations", _DEFAULT), remove=True))
    unmark = Fix(f"Let only one be the default: remove the mark of {defaults[1].name}", command_line(change))
    return _finding(snapshot, text, marks, [unmark, _name(snapshot, defaults[0])])


def _named_missing(
    snapshot: CustomResource, named: str, classes: Sequence[CustomResource], fitting: Sequence[CustomResource]
) -> Finding:
    near = misspellings(named, [one.name for one in fitting or classes], 1)
    right = next((one for one in classes if near and one.name == near[0]), next(iter(fitting), None))
    text = f"VolumeSnapshotClass {named} does not exist"
    text += f"; did you mean {near[0]}?" if near else f"; {right.name} is for the volume's driver" if right else ""
    fixes = [_name(snapshot, right)] if right is not None else [Fix(f"Create VolumeSnapshotClass {named}")]
    return _finding(snapshot, text, (quote(snapshot, _NAMED, "no such class"),), fixes)


def _of_another_driver(
    snapshot: CustomResource, chosen: CustomResource, volume: PersistentVolume, fitting: Sequence[CustomResource]
) -> Finding:
    driver = quote(volume, "spec.csi.driver", "driver of the volume")
    other = quote(chosen, "driver", f"VolumeSnapshotClass {chosen.name}")
    text = f"VolumeSnapshotClass {chosen.name} is for driver {other.text}, the volume is of driver {driver.text}"
    right = f"with class {fitting[0].name}" if fitting else f"with a VolumeSnapshotClass of driver {driver.text}"
    return _finding(snapshot, text, (driver, other), [Fix(f"Delete the VolumeSnapshot and take it again {right}")])


def _mark(right: CustomResource) -> Fix:
    change = put(ref(right), ("metadata", "annotations", _DEFAULT), "true")
    return Fix(f"Mark VolumeSnapshotClass {right.name} as the default", command_line(change))


def _name(snapshot: CustomResource, right: CustomResource) -> Fix:
    change = put(ref(snapshot), ("spec", "volumeSnapshotClassName"), right.name)
    return Fix(f"Name class {right.name} in the VolumeSnapshot", command_line(change))


def _finding(snapshot: CustomResource, text: str, evidence: Sequence[Evidence], fixes: Sequence[Fix]) -> Finding:
    stated = quote(snapshot, _ERROR, "what the snapshot controller says")
    return Finding(
        about=ref(snapshot),
        summary=text,
        evidence=(stated, *evidence),
        confidence=Confidence.CERTAIN if _STATES.search(stated.text) else Confidence.LIKELY,
        fixes=tuple(fixes),
        commands=(Command("kubectl get volumesnapshotclasses", "the classes and their drivers"),),
    )
