"""Who wrote an object last, and when: its managedFields in words (`metav1.ManagedFieldsEntry`, v1.37)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec

from kubedoctor.cluster.grammar.text import counted
from kubedoctor.cluster.kinds.meta import KubernetesObject, ManagedFieldsEntry, ManagedMeta

SAME_MOMENT: Final = timedelta(seconds=3)
_CREATION: Final = timedelta(seconds=1)
"""The write that created an object has the time of its creation."""
MOST_FIELDS: Final = 3
_CONTROLLERS: Final = ("kube-controller-manager", "kube-scheduler", "kube-apiserver", "kubelet")
"""Writers that only carry out what somebody else has decided."""
_KUBECTL: Final = "kubectl-"


class Write(msgspec.Struct, frozen=True):
    """The last write of one writer. `fields`: the paths that it owns (`spec.template.spec.containers[app].image`)."""

    at: datetime
    manager: str
    operation: str
    fields: tuple[str, ...] = ()
    subresource: str = ""

    @property
    def by(self) -> str:
        """`kubectl set`, `helm`, `argocd-controller`."""
        command = self.manager.removeprefix(_KUBECTL)
        if command == self.manager:
            return self.manager
        return f"kubectl {'apply' if command == 'client-side-apply' else command}"

    @property
    def text(self) -> str:
        """`changed by kubectl patch: spec.hard.pods`; the fields where the writer owns only few."""
        fields = ", ".join(self.fields) if len(self.fields) <= MOST_FIELDS else counted(len(self.fields), "field")
        return f"changed by {self.by or 'an unknown client'}{f': {fields}' if fields else ''}"


def writes(obj: KubernetesObject) -> tuple[Write, ...]:
    """The writes by people and their tools that were not the creation of the object, newest first."""
    created = obj.metadata.creation_timestamp
    return tuple(write for write in _all_writes(obj) if created is None or write.at - created > _CREATION)


def owners_of(obj: KubernetesObject, field: str) -> tuple[Write, ...]:
    """The last writes of those who own a field, or one whose path holds this one, newest first; not of controllers that
    only carry out what others decide."""
    return tuple(write for write in _all_writes(obj) if any(field in owned for owned in write.fields))


def shared_with_controllers(obj: KubernetesObject, field: str) -> bool:
    """A controller that only carries out what others decide owns the field as well: all its owners wrote the same value."""
    entries = obj.metadata.managed_fields if isinstance(obj.metadata, ManagedMeta) else None
    return any(
        entry.manager in _CONTROLLERS and any(field in owned for owned in _fields(entry)) for entry in entries or ()
    )


def _all_writes(obj: KubernetesObject) -> tuple[Write, ...]:
    entries = obj.metadata.managed_fields if isinstance(obj.metadata, ManagedMeta) else None
    found = (
        Write(entry.time, entry.manager, entry.operation, _fields(entry), entry.subresource)
        for entry in entries or ()
        if entry.time is not None and entry.manager not in _CONTROLLERS
    )
    return tuple(sorted(found, key=lambda write: (write.at, write.manager), reverse=True))


def near(first: datetime, second: datetime) -> bool:
    """One follows from the other: a controller reacts within seconds, and times are written in whole seconds."""
    return abs(first - second) <= SAME_MOMENT


def written_by(obj: KubernetesObject, at: datetime, *fields: str) -> str:
    """Who made a change at that moment: the writer of the time that owns one of the fields, else the only one of the time.
    Empty where that is not known."""
    then = [write for write in _all_writes(obj) if near(write.at, at)]
    owners = [write for write in then if any(field in owned for owned in write.fields for field in fields)]
    chosen = owners or then
    return chosen[0].by if len({write.manager for write in chosen}) == 1 else ""


def _fields(entry: ManagedFieldsEntry) -> tuple[str, ...]:
    """The innermost fields that an entry owns; of the metadata only where it owns nothing else."""
    paths = tuple(_leaves(json.loads(entry.fields_v1), "")) if isinstance(entry.fields_v1, str) else ()
    return tuple(path for path in paths if not path.startswith("metadata.")) or paths


def _leaves(fields: dict[str, Any], path: str) -> Iterator[str]:
    below = [key for key in fields if key != "."]
    if not below and path:
        yield path
    for key in below:
        kind, _, name = key.partition(":")
        deeper = f"{path}.{name}" if kind == "f" and path else name if kind == "f" else f"{path}[{_key(name)}]"
        yield from _leaves(fields[key], deeper)


def _key(text: str) -> str:
    """`{"name":"app"}` as `app`, and any other key or value as it is."""
    try:
        key = json.loads(text)
    except ValueError:
        return text
    return "/".join(str(value) for value in key.values()) if isinstance(key, dict) else str(key)
