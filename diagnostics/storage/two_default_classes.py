"""Several StorageClasses are the default.

## What it means
A claim that names no class gets the default class. Where several are marked, it gets the newest of them, which need not be
the one that was meant; in clusters before 1.26 such a claim is refused.

## Why it happens
- A storage driver was installed with its own class as the default, and the class of the cloud or the distribution kept its
  mark.

## How to fix it
1. Leave the mark on one class, and set the annotation `storageclass.kubernetes.io/is-default-class` of the others to
   `"false"`. Claims that have a class keep it.

## References
- https://kubernetes.io/docs/tasks/administer-cluster/change-default-storage-class/
"""

from __future__ import annotations

from collections.abc import Iterator

from kubedoctor.answers.proof import prove, proven
from kubedoctor.cluster import (
    DEFAULT_CLASS_ANNOTATIONS,
    Cluster,
    Evidence,
    StorageClass,
    has_path,
    listed,
    quote,
    ref,
)
from kubedoctor.cluster.changes import put
from kubedoctor.findings import Confidence, Effect, Finding, Fix, Severity, command_line, diagnostic
from kubedoctor.replay.storage.defaults import default_classes


def is_default(storage_class: StorageClass) -> bool:
    return storage_class.is_default


@diagnostic(
    code="KD3010",
    subject=StorageClass,
    severity=Severity.NOTICE,
    reads=(StorageClass,),
    when=is_default,
    symptoms=("default StorageClasses were found",),
)
def two_default_classes(storage_class: StorageClass, cluster: Cluster) -> Iterator[Finding]:
    """About the class that is used."""
    marked = default_classes(cluster.all(StorageClass))
    if len(marked) < 2 or marked[0] != storage_class:
        return
    names = listed((one.name for one in marked), 3)
    yield Finding(
        about=ref(storage_class),
        summary=f"{len(marked)} classes are the default ({names}): claims without a class get the newest, {storage_class.name}",
        evidence=tuple(_mark(one) for one in marked[:3]),
        confidence=Confidence.CERTAIN,
        fixes=tuple(_unmarked(one, cluster) for one in marked[1:3]),
    )


def _path(storage_class: StorageClass) -> str:
    paths = (f"metadata.annotations[{key}]" for key in DEFAULT_CLASS_ANNOTATIONS)
    return next(path for path in paths if has_path(storage_class, path))


def _mark(storage_class: StorageClass) -> Evidence:
    return quote(storage_class, _path(storage_class), f"StorageClass {storage_class.name}")


def _unmarked(storage_class: StorageClass, cluster: Cluster) -> Fix:
    key = _path(storage_class).partition("[")[2].rstrip("]")
    change = put(ref(storage_class), ("metadata", "annotations", key), "false")
    fix = Fix(
        f"Let {storage_class.name} no longer be the default",
        command_line(change, storage_class),
        Effect.CHANGES,
        changes=ref(storage_class),
    )
    return proven(fix, prove(change, cluster, lambda then: len(default_classes(then.all(StorageClass))) == 1))
