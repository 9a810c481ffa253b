"""The objects that a custom resource names in its spec, and those that were made for it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from kubedoctor.cluster.kinds.meta import CustomResource
from kubedoctor.cluster.kinds.references import Ref, custom_kind_name, ref
from kubedoctor.cluster.kinds.resources import kind_named
from kubedoctor.cluster.seen.reading import Cluster

_DEEPEST: Final = 5
_LONGEST_CIRCLE: Final = 20
_KINDS: Final[Mapping[str, str]] = {
    "issuerRef": "Issuer",
    "secretStoreRef": "SecretStore",
    "secretStoreRefs": "SecretStore",
    "storeRef": "SecretStore",
    "parentRefs": "Gateway",
    "scaleTargetRef": "Deployment",
}
"""The kind of a reference that names none, by its field: the API's defaults."""
_GROUPS: Final[Mapping[str, str]] = {
    **dict.fromkeys(
        ("GitRepository", "OCIRepository", "HelmRepository", "HelmChart", "Bucket", "ExternalArtifact"),
        "source.toolkit.fluxcd.io",
    ),
    **dict.fromkeys(("Gateway", "GatewayClass"), "gateway.networking.k8s.io"),
    **dict.fromkeys(("Issuer", "ClusterIssuer"), "cert-manager.io"),
}
"""The group of kinds that references name without it."""
_CLUSTER_SCOPED: Final = ("Cluster", "GatewayClass")


def referenced(obj: CustomResource) -> Iterator[Ref]:
    """The objects that references in the spec name (`issuerRef`, `sourceRef`, `parentRefs`, `dependsOn`), without those of
    fields that select something within another object."""
    spec = obj.spec or {}
    if isinstance(name := spec.get("gatewayClassName"), str) and name:
        yield Ref("GatewayClass.gateway.networking.k8s.io", "", name)
    yield from _in(obj, spec, _DEEPEST)


def _in(obj: CustomResource, part: Mapping[str, Any], depth: int) -> Iterator[Ref]:
    for key, value in part.items():
        members = value if isinstance(value, list) else (value,)
        for member in members:
            if not isinstance(member, dict):
                continue
            if "name" in member and (key.endswith(("Ref", "Refs")) or key == "dependsOn"):
                yield from _named(obj, key, member)
            elif depth:
                yield from _in(obj, member, depth - 1)


def _named(obj: CustomResource, key: str, reference: Mapping[str, Any]) -> Iterator[Ref]:
    kind = reference.get("kind") or (obj.kind if key == "dependsOn" else _KINDS.get(key))
    name, place = reference.get("name"), reference.get("namespace") or obj.metadata.namespace
    if not (isinstance(kind, str) and isinstance(name, str) and name and isinstance(place, str)):
        return
    group = reference.get("group")
    if not isinstance(group, str):
        version = reference.get("apiVersion")
        group = version.rpartition("/")[0] if isinstance(version, str) else None
    row = kind_named(kind)
    if row is not None and group in (None, row.group):
        yield Ref(kind, place if row.namespaced else "", name)
    else:
        full = custom_kind_name(kind, group or _GROUPS.get(kind, obj.group))
        yield Ref(full, "" if kind.startswith(_CLUSTER_SCOPED) else place, name)


def depends_on(obj: CustomResource) -> tuple[Ref, ...]:
    """What the object waits for by `spec.dependsOn`, in the order of its spec."""
    rows = (obj.spec or {}).get("dependsOn")
    members = [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
    return tuple(name for row in members for name in _named(obj, "dependsOn", row))


def circle_of(obj: CustomResource, cluster: Cluster) -> tuple[Ref, ...]:
    """The objects that depend on each other in a circle with this one, from the first by name on; empty where there is
    no such circle, or its members cannot be seen."""
    start = ref(obj)
    ways: list[tuple[Ref, ...]] = [(start,)]
    seen = {start}
    for _ in range(_LONGEST_CIRCLE):
        longer = []
        for way in ways:
            member = obj if way[-1] == start else cluster.maybe.get_ref(way[-1])
            for name in depends_on(member) if isinstance(member, CustomResource) else ():
                if name == start:
                    first = way.index(min(way))
                    return (*way[first:], *way[:first])
                if name not in seen:
                    seen.add(name)
                    longer.append((*way, name))
        ways = longer
    return ()


def made_for(owner: CustomResource, candidates: tuple[CustomResource, ...]) -> tuple[CustomResource, ...]:
    """Those that were made for the object, the newest first."""
    owned = [
        candidate
        for candidate in candidates
        if any(
            reference.uid == owner.metadata.uid if reference.uid and owner.metadata.uid else _names(reference, owner)
            for reference in candidate.metadata.owner_references or ()
        )
    ]
    return tuple(sorted(owned, key=lambda candidate: (_created(candidate), ref(candidate)), reverse=True))


def _names(reference: Any, owner: CustomResource) -> bool:
    return bool(reference.kind == owner.kind and reference.name == owner.name)


def _created(obj: CustomResource) -> float:
    created = obj.metadata.creation_timestamp
    return created.timestamp() if created is not None else 0.0
