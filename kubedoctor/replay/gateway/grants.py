"""Whether a route or a Gateway may refer to an object of another namespace (gateway-api, `apis/v1beta1/referencegrant_types.go`,
v1.3): only where a ReferenceGrant of that namespace lets it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final, NamedTuple

from kubedoctor.cluster.kinds.meta import CustomResource
from kubedoctor.replay.gateway.attachment import GROUP

GRANT: Final = f"ReferenceGrant.{GROUP}"
_WITH_A_BACKEND: Final = ("requestMirror", "externalAuth")
"""Filters that send something to a backend of their own."""


class Crossing(NamedTuple):
    """A reference into another namespace. path: of its name. group, kind: of the object that is referred to."""

    path: str
    group: str
    kind: str
    namespace: str
    name: str

    @property
    def title(self) -> str:
        return f"{self.kind} {self.namespace}/{self.name}"


def crossings(obj: CustomResource) -> Iterator[Crossing]:
    """Backends of a route and what its filters send copies to, certificates of the listeners of a Gateway."""
    spec = obj.spec or {}
    for at, rule in numbered_rows(spec.get("rules")):
        path = f"spec.rules[{at}]"
        yield from _crossing(obj, rule.get("backendRefs"), f"{path}.backendRefs", "Service")
        yield from _of_filters(obj, rule, path)
        for backend, row in numbered_rows(rule.get("backendRefs")):
            yield from _of_filters(obj, row, f"{path}.backendRefs[{backend}]")
    for at, listener in numbered_rows(spec.get("listeners")):
        tls = listener.get("tls")
        if isinstance(tls, dict):
            yield from _crossing(obj, tls.get("certificateRefs"), f"spec.listeners[{at}].tls.certificateRefs", "Secret")


def is_granted(obj: CustomResource, crossing: Crossing, grants: Iterable[CustomResource]) -> bool:
    """Whether one grant of the namespace has both ends."""
    return any(allows_source(grant, obj) and allows_target(grant, crossing) for grant in grants)


def allows_source(grant: CustomResource, obj: CustomResource) -> bool:
    """Whether it is for objects of this kind and namespace."""
    return any(
        (row.get("group"), row.get("kind"), row.get("namespace")) == (GROUP, obj.kind, obj.metadata.namespace)
        for _, row in numbered_rows((grant.spec or {}).get("from"))
    )


def allows_target(grant: CustomResource, crossing: Crossing) -> bool:
    """Whether it lets others refer to this object; without a name to all of the kind."""
    return grant.metadata.namespace == crossing.namespace and any(
        (row.get("group") or "", row.get("kind")) == (crossing.group, crossing.kind)
        and row.get("name") in (None, "", crossing.name)
        for _, row in numbered_rows((grant.spec or {}).get("to"))
    )


def is_only_for(grant: CustomResource, crossing: Crossing) -> bool:
    """Whether it lets others refer to this object and to nothing else: one more source may then be added to it."""
    rows = [row for _, row in numbered_rows((grant.spec or {}).get("to"))]
    return allows_target(grant, crossing) and len(rows) == 1 and rows[0].get("name") == crossing.name


def _of_filters(obj: CustomResource, holder: dict[str, Any], path: str) -> Iterator[Crossing]:
    """holder: a rule, or a backend of one."""
    for at, row in numbered_rows(holder.get("filters")):
        for field in _WITH_A_BACKEND:
            about = row.get(field)
            if isinstance(about, dict) and isinstance(about.get("backendRef"), dict):
                yield from _one(obj, about["backendRef"], f"{path}.filters[{at}].{field}.backendRef", "Service")


def _crossing(obj: CustomResource, refs: Any, path: str, usual: str) -> Iterator[Crossing]:
    for at, row in numbered_rows(refs):
        yield from _one(obj, row, f"{path}[{at}]", usual)


def _one(obj: CustomResource, row: dict[str, Any], path: str, usual: str) -> Iterator[Crossing]:
    namespace, name = row.get("namespace"), row.get("name")
    if isinstance(namespace, str) and isinstance(name, str) and namespace not in ("", obj.metadata.namespace):
        yield Crossing(f"{path}.name", row.get("group") or "", row.get("kind") or usual, namespace, name)


def numbered_rows(value: Any) -> Iterator[tuple[int, dict[str, Any]]]:
    """The objects of a list, with their places in it; what is no list or no object is left out."""
    for at, row in enumerate(value if isinstance(value, list) else ()):
        if isinstance(row, dict):
            yield at, row
