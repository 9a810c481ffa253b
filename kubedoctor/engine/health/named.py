"""The kinds of extensions that have objects: those that seen objects and events name, so that no other kind is listed."""

from __future__ import annotations

from collections.abc import Iterator

from kubedoctor.cluster.kinds.core import Event
from kubedoctor.cluster.kinds.references import custom_kind_name
from kubedoctor.cluster.kinds.resources import kind_named
from kubedoctor.cluster.seen.snapshot import Snapshot


def extensions_named(snapshot: Snapshot) -> frozenset[str]:
    """The kinds of extensions that own seen objects, or that events are about, and that were not listed yet."""
    known = set(snapshot.kinds())
    return frozenset(kind for kind in _named(snapshot) if kind not in known)


def _named(snapshot: Snapshot) -> Iterator[str]:
    for kind in snapshot.kinds():
        for obj in snapshot.of_kind(kind):
            if isinstance(obj, Event):
                yield from _extension(obj.involved_object.kind, obj.involved_object.api_version)
            for owner in obj.metadata.owner_references or ():
                yield from _extension(owner.kind, owner.api_version)


def _extension(kind: str, version: str) -> Iterator[str]:
    group, row = version.rpartition("/")[0], kind_named(kind)
    if kind and "." in group and (row is None or row.group != group):
        yield custom_kind_name(kind, group)
