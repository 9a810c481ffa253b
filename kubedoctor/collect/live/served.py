"""The kinds that this cluster serves: their versions, and kinds that kubedoctor does not know by name."""

from __future__ import annotations

import threading
from typing import Any

import msgspec

from kubedoctor.cluster.kinds.resources import ResourceKind, kind_named
from kubedoctor.collect.connecting.paths import segment
from kubedoctor.collect.connecting.transport import Transport
from kubedoctor.collect.live.answers import ApiRefusal
from kubedoctor.collect.live.expected import check_kind
from kubedoctor.collect.live.listing import ServedResource


class _Version(msgspec.Struct, frozen=True):
    version: str = ""


class _Group(msgspec.Struct, frozen=True, rename="camel"):
    name: str = ""
    versions: tuple[_Version, ...] | None = None
    preferred_version: _Version = _Version()


class _Groups(msgspec.Struct, frozen=True):
    groups: tuple[_Group, ...] | None = None


class _Row(msgspec.Struct, frozen=True, rename="camel"):
    name: str = ""
    kind: str = ""
    singular_name: str = ""
    namespaced: bool = False
    short_names: tuple[str, ...] | None = None


class _Rows(msgspec.Struct, frozen=True):
    resources: tuple[_Row, ...] | None = None


_GROUPS = msgspec.json.Decoder(_Groups)
_ROWS = msgspec.json.Decoder(_Rows)


class ServedKinds:
    """Finds the resource of a kind; uses discovery only for custom kinds, once per group. Safe for threads."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self._lock = threading.Lock()
        self._groups: dict[str, _Group] | None = None
        self._custom: dict[str, ServedResource | None] = {}
        self._versions: dict[str, str] = {}

    def candidates(self, kind: str) -> tuple[ServedResource, ...]:
        """The resource of a kind, in the versions to try, newest first; none if it is not served."""
        row = kind_named(kind)
        if row is None:
            found = self._discovered(kind)
            return (found,) if found else ()
        if version := self._versions.get(kind):
            return (ServedResource(row, kind, version),)
        return tuple(ServedResource(row, kind, version) for version in (row.version, *row.older_versions))

    def works(self, resource: ServedResource) -> None:
        """Remember the version that the server answered."""
        self._versions[resource.ref_kind] = resource.version

    def _discovered(self, kind: str) -> ServedResource | None:
        with self._lock:
            if kind not in self._custom:
                name, _, group = kind.partition(".")
                self._custom[kind] = self._find(kind, name, group) if group else None
            return self._custom[kind]

    def _find(self, kind: str, name: str, group: str) -> ServedResource | None:
        if self._groups is None:
            groups = self._read("/apis", "APIGroupList", _GROUPS)
            self._groups = {served.name: served for served in (groups.groups if groups else None) or ()}
        served_group = self._groups.get(group)
        if served_group is None:
            return None
        versions = [
            served_group.preferred_version.version,
            *(version.version for version in served_group.versions or ()),
        ]
        for version in dict.fromkeys(filter(None, versions)):
            rows = self._read(f"/apis/{segment(group)}/{segment(version)}", "APIResourceList", _ROWS)
            for row in (rows.resources if rows else None) or ():
                if row.kind == name and "/" not in row.name:
                    known = ResourceKind(
                        name,
                        group,
                        version,
                        row.name,
                        row.singular_name or name.lower(),
                        row.namespaced,
                        row.short_names or (),
                    )
                    return ServedResource(known, kind, version)
        return None

    def _read(self, path: str, kind: str, shape: Any) -> Any:
        """A discovery document; None if it is not served."""
        try:
            body = self._transport.get(path)
            check_kind(body, kind)
            return shape.decode(body)
        except ApiRefusal as refusal:
            if refusal.status == 404:
                return None
            raise
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise ApiRefusal(0, "Unreadable", f"discovery at {path} cannot be decoded ({error})") from None
