"""The kinds of extensions in a recording: of its CustomResourceDefinitions, and of objects whose definition it lacks."""

from __future__ import annotations

from collections.abc import Iterator

from kubedoctor.cluster.kinds.control import CustomResourceDefinition
from kubedoctor.cluster.kinds.meta import CustomResource
from kubedoctor.cluster.kinds.references import custom_kind_name
from kubedoctor.cluster.kinds.resources import ResourceKind, plural_of
from kubedoctor.cluster.seen.snapshot import Snapshot


def kinds_defined(snapshot: Snapshot) -> Iterator[ResourceKind]:
    """Each kind once, as Refs spell it."""
    known = set()
    for definition in snapshot.of_kind("CustomResourceDefinition"):
        if isinstance(definition, CustomResourceDefinition) and definition.spec.names.kind:
            row = _defined(definition)
            known.add(row.kind)
            yield row
    for kind in snapshot.kinds():
        if "." in kind and kind not in known:
            yield _seen(kind, snapshot)


def _defined(definition: CustomResourceDefinition) -> ResourceKind:
    spec, names = definition.spec, definition.spec.names
    version = next((version.name for version in spec.versions or () if version.served), "")
    return ResourceKind(
        custom_kind_name(names.kind, spec.group),
        spec.group,
        version,
        names.plural,
        names.singular or names.kind.lower(),
        spec.scope != "Cluster",
        names.short_names or (),
    )


def _seen(kind: str, snapshot: Snapshot) -> ResourceKind:
    short, _, group = kind.partition(".")
    objects = snapshot.of_kind(kind)
    first = objects[0] if objects else None
    version = first.api_version.rpartition("/")[2] if isinstance(first, CustomResource) else ""
    namespaced = any(obj.metadata.namespace for obj in objects)
    return ResourceKind(kind, group, version, plural_of(kind), short.lower(), namespaced)
