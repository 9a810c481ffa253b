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
    named: set[tuple[str, str]] = set()  # of a hundred thousand objects a few owners and subjects
    for kind in snapshot.kinds():
        objects = snapshot.of_kind(kind)
        named |= {
            (owner.kind, owner.api_version)
            for obj in objects
            if obj.metadata.owner_references
            for owner in obj.metadata.owner_references
        }
        if kind == "Event":
            events = (obj.involved_object for obj in objects if isinstance(obj, Event))
            named |= {(about.kind, about.api_version) for about in events}
    for kind, version in named:
        group, row = version.rpartition("/")[0], kind_named(kind)
        if kind and "." in group and (row is None or row.group != group):
            yield custom_kind_name(kind, group)
