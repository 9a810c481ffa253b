"""A cluster as it was at a moment, and the moments that are worth a stop."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec

from kubedoctor.cluster.history.object_changes import ObjectChange, plain_object, undone
from kubedoctor.cluster.history.ring import RecordedChange, Ring
from kubedoctor.cluster.kinds.meta import KubernetesObject
from kubedoctor.cluster.kinds.references import Ref, ref
from kubedoctor.cluster.seen.decoding import Unreadable, decode_object
from kubedoctor.cluster.seen.snapshot import Snapshot

QUIET: Final = timedelta(seconds=2)
"""What follows so soon belongs to the same stop: one change of a workload changes its pods."""
LONGEST_STOP: Final = timedelta(seconds=10)
"""In a cluster that never rests, a stop is at least this often."""


class Stop(msgspec.Struct, frozen=True):
    """The moment before some changes that came together, and these changes, oldest first."""

    at: datetime
    entries: tuple[RecordedChange, ...]


def rewound(snapshot: Snapshot, ring: Ring, at: datetime) -> Snapshot:
    """The snapshot as it was at a moment, with that clock: closed, without logs, because they have lines of later times.
    Objects are as they were at the beginning of the record where the moment is older."""
    undo: dict[Ref, list[ObjectChange]] = {}
    for entry in ring.after(at):
        undo.setdefault(entry.about, []).append(entry.change)
    past = snapshot.in_the_past(at)
    changed: list[KubernetesObject] = []
    names: list[KubernetesObject] = []
    for name, changes in undo.items():
        obj = _before(snapshot.get(name), name, changes)
        if obj is None:
            past.remove(name)
        else:
            (names if changes[-1].names_only else changed).append(obj)
    past.add(changed)
    for obj in names:
        past.remove(ref(obj))  # an equal version counts as known
    past.add_names(names)
    return past


def _before(obj: KubernetesObject | None, name: Ref, changes: Iterable[ObjectChange]) -> KubernetesObject | None:
    """The object before changes, the newest first."""
    data: Any = plain_object(obj) if obj is not None else None
    for change in changes:
        if data is None and change.removed is msgspec.UNSET and change.added is msgspec.UNSET:
            continue
        data = undone(data, change)
    return object_of(name, data)


def object_of(name: Ref, data: Any) -> KubernetesObject | None:
    """The object of plain data; None where there is none, or what is there cannot be read."""
    if data is None:
        return None
    try:
        read = decode_object(name.kind, msgspec.json.encode(data)).objects
    except Unreadable:
        return None
    return read[0] if read else None


def stops(ring: Ring) -> tuple[Stop, ...]:
    """The moments before something happened, oldest first."""
    found: list[Stop] = []
    together: list[RecordedChange] = []
    for entry in ring.entries():
        if together and (entry.at - together[-1].at > QUIET or entry.at - together[0].at > LONGEST_STOP):
            found.append(_stop(together))
            together = []
        together.append(entry)
    if together:
        found.append(_stop(together))
    return tuple(found)


def _stop(entries: list[RecordedChange]) -> Stop:
    return Stop(entries[0].at - timedelta(milliseconds=1), tuple(entries))
