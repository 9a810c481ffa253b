"""A change to a cluster as plain data, and its application to objects and snapshots. Nothing is sent to a cluster."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Any, TypeVar

import msgspec

from kubedoctor.cluster.grammar.nearest import NearMiss
from kubedoctor.cluster.kinds.meta import KubernetesObject
from kubedoctor.cluster.kinds.references import Ref
from kubedoctor.cluster.seen.decoding import convert_object, kind_of_data
from kubedoctor.cluster.seen.snapshot import Snapshot

ObjectT = TypeVar("ObjectT", bound=KubernetesObject)

Path = tuple[str | int, ...]
"""Field names and list positions from the top of an object; `-` is the place after a list's last element."""


class Step(msgspec.Struct, frozen=True):
    """Set the value at a path, or remove the path. Lists and maps on the way that do not exist yet are created."""

    path: Path
    value: Any = None
    remove: bool = False


class Operation(msgspec.Struct, frozen=True):
    """What happens to one object: `steps` change it; `delete` removes it; `copy_as` leaves it as it is and changes a copy
    with that name; `create` is a whole new object as the API has it, with `kind` and `apiVersion`."""

    about: Ref
    steps: tuple[Step, ...] = ()
    delete: bool = False
    copy_as: str = ""
    create: Mapping[str, Any] | None = None


class Change(msgspec.Struct, frozen=True):
    """Operations that are applied together. Steps of all operations about one object see the object before the change:
    positions in lists are those of the original. orphans: what deleted objects own stays, without an owner."""

    operations: tuple[Operation, ...]
    orphans: bool = False

    @property
    def objects(self) -> tuple[Ref, ...]:
        """The objects that are changed, deleted or created, in the order of the operations."""
        return tuple(dict.fromkeys(operation.about for operation in self.operations))


def edit(about: Ref, *steps: Step) -> Change:
    """Changes fields of one object."""
    return Change((Operation(about, steps),))


def put(about: Ref, path: Path, value: Any) -> Change:
    """Sets one field of one object."""
    return edit(about, Step(path, value))


def drop(about: Ref, path: Path) -> Change:
    """Removes one field of one object."""
    return edit(about, Step(path, remove=True))


def scale(about: Ref, replicas: int) -> Change:
    """Gives a workload another number of replicas."""
    return put(about, ("spec", "replicas"), replicas)


def delete(*about: Ref, orphans: bool = False) -> Change:
    """Deletes objects. orphans: and leaves what they own."""
    return Change(tuple(Operation(name, delete=True) for name in about), orphans)


def create(data: Mapping[str, Any]) -> Change:
    """Creates an object; `data` has its `kind`, `apiVersion` and `metadata`."""
    return Change((Operation(reference(data), create=data),))


def labels_instead(path: Path, near: NearMiss) -> tuple[Step, ...]:
    """Steps that replace the required labels in the map at `path` by those of a near miss."""
    labels = {difference.found_key: difference.found for difference in near.differences}
    wrong = dict.fromkeys(difference.key for difference in near.differences if difference.key not in labels)
    return (
        *(Step((*path, key), remove=True) for key in wrong),
        *(Step((*path, key), value) for key, value in labels.items()),
    )


def apply_steps(data: Any, steps: Iterable[Step]) -> Any:
    """A changed copy of plain data."""
    return _apply(_copied(data), steps)


def _copied(data: Any) -> Any:
    from copy import deepcopy  # what is healthy changes nothing

    return deepcopy(data)


def _apply(data: Any, steps: Iterable[Step]) -> Any:
    """The data itself, changed."""
    for step in in_order(steps):
        if step.remove:
            _remove(data, step.path)
        else:
            _set(data, step.path, _copied(step.value))
    return data


def in_order(steps: Iterable[Step]) -> tuple[Step, ...]:
    """The steps with removals last and from the end, so that positions in lists stay those of the original."""
    all_steps = tuple(steps)
    removals = [step for step in all_steps if step.remove]
    removals.sort(key=lambda step: [(str(type(part)), part) for part in step.path], reverse=True)
    return (*(step for step in all_steps if not step.remove), *removals)


def apply_to_object(item: ObjectT, steps: Iterable[Step]) -> ObjectT:
    """The typed object after the steps.

    Raises msgspec.ValidationError where its kind has no such field of that type.
    """
    return msgspec.convert(_apply(as_data(item), tuple(steps)), type(item))


def apply_to_data(objects: Sequence[dict[str, Any]], change: Change) -> list[dict[str, Any]]:
    """The objects after the change, in their order, copies and new objects last. Each is plain data as the API has it,
    with its kind."""
    steps, removed = steps_by_object(change.operations), deleted(change.operations)
    originals = {reference(data): data for data in objects}
    changed = [
        apply_steps(data, own) if (own := steps.get((name, ""))) else data
        for name, data in originals.items()
        if name not in removed
    ]
    changed += [
        apply_steps(originals[about], (Step(("metadata", "name"), name), *own))
        for (about, name), own in steps.items()
        if name and about in originals
    ]
    return [*changed, *(dict(operation.create) for operation in change.operations if operation.create is not None)]


def apply_to_snapshot(snapshot: Snapshot, change: Change) -> Snapshot:
    """A snapshot of what would be seen after the change, before any controller reacts to it. It shares everything
    unchanged with the original, which must not grow while the new snapshot is used. What the original lacks stays
    absent.

    Raises msgspec.ValidationError where a kind has no such field of that type.
    """
    objects: list[KubernetesObject] = []
    for (about, name), steps in steps_by_object(change.operations).items():
        item = snapshot.get(about)
        if item is not None:
            objects.append(apply_to_object(item, (Step(("metadata", "name"), name), *steps) if name else steps))
    for operation in change.operations:
        if operation.create is not None:
            objects += convert_object(operation.about.kind, dict(operation.create)).objects
    return snapshot.with_changes(objects, deleted(change.operations))


def steps_by_object(operations: Iterable[Operation]) -> dict[tuple[Ref, str], tuple[Step, ...]]:
    """All steps for each object that stays, and for each copy (by its name)."""
    by_object: dict[tuple[Ref, str], tuple[Step, ...]] = {}
    for operation in operations:
        if not operation.delete and operation.create is None:
            key = (operation.about, operation.copy_as)
            by_object[key] = by_object.get(key, ()) + operation.steps
    return by_object


def deleted(operations: Iterable[Operation]) -> frozenset[Ref]:
    """The objects that are removed."""
    return frozenset(operation.about for operation in operations if operation.delete)


def reference(data: Mapping[str, Any]) -> Ref:
    """The name of an object that is plain data with its kind."""
    metadata = data["metadata"]
    return Ref(kind_of_data(data), metadata.get("namespace") or "", metadata["name"])


def as_data(item: msgspec.Struct) -> Any:
    """A typed object or a part of it as plain data. Fields that are not set are null or their default."""
    return msgspec.json.decode(msgspec.json.encode(item))


def as_manifest(item: msgspec.Struct) -> Any:
    """As `as_data`, without the fields that are null."""
    return _without_nulls(as_data(item))


def _without_nulls(data: Any) -> Any:
    if isinstance(data, dict):
        return {key: _without_nulls(value) for key, value in data.items() if value is not None}
    return [_without_nulls(item) for item in data] if isinstance(data, list) else data


def _set(data: Any, path: Path, value: Any) -> None:
    for part, following in pairwise(path):
        missing = part not in data or data[part] is None if isinstance(data, dict) else data[part] is None
        if missing:
            data[part] = [] if following == "-" else {}
        data = data[part]
    if path[-1] == "-":
        data.append(value)
    else:
        data[path[-1]] = value


def _remove(data: Any, path: Path) -> None:
    for part in path[:-1]:
        data = data[part]
    last = path[-1]
    if isinstance(data, list):
        assert isinstance(last, int), path
        del data[last]
    else:
        data.pop(last, None)
