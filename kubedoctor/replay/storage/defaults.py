"""The class of claims that name none (`pkg/volume/util/storageclass.go GetDefaultClass`, v1.37)."""

from __future__ import annotations

from collections.abc import Iterable

from kubedoctor.cluster.kinds.storage import StorageClass


def default_classes(classes: Iterable[StorageClass]) -> tuple[StorageClass, ...]:
    """All that are marked as the default; the first is used: the newest, by name where they are of the same age."""
    marked = sorted((one for one in classes if one.is_default), key=lambda one: one.name)
    return tuple(sorted(marked, key=_created, reverse=True))


def _created(storage_class: StorageClass) -> float:
    created = storage_class.metadata.creation_timestamp
    return created.timestamp() if created is not None else 0.0
