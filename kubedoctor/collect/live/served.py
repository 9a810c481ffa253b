"""The kinds that this cluster serves: their versions, and kinds of extensions, which kubedoctor does not know by name."""

import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import msgspec

from kubedoctor.cluster.kinds.references import custom_kind_name
from kubedoctor.cluster.kinds.resources import KINDS, ResourceKind, kind_named
from kubedoctor.collect.connecting.paths import segment
from kubedoctor.collect.connecting.transport import MOST_TRIES, Transport
from kubedoctor.collect.live.answers import ApiRefusal
from kubedoctor.collect.live.expected import check_kind
from kubedoctor.collect.live.listing import ServedResource
from kubedoctor.collect.live.parallel import in_parallel
from kubedoctor.problems import SourceProblem

_AGGREGATED = ",".join(
    (
        *(
            f"application/json;g=apidiscovery.k8s.io;v={version};as=APIGroupDiscoveryList"
            for version in ("v2", "v2beta1")
        ),
        "application/json",
    )
)
_OWN_GROUPS = frozenset(row.group for row in KINDS) | {
    *(f"{name}.k8s.io" for name in ("authentication", "authorization", "certificates", "events", "storagemigration")),
    *(f"{name}.apiserver.k8s.io" for name in ("flowcontrol", "internal")),
    *(f"{name}.metrics.k8s.io" for name in ("custom", "external")),
}
"""The groups that every API server may serve by itself (`pkg/apis`, v1.37), and metrics, which are no objects."""
_RESULTS = ("aquasecurity.github.io", "kyverno.io", "openreports.io", "reports.kyverno.io", "wgpolicyk8s.io")
"""Groups whose reports hold what a scanner or a policy found in other objects: they are large and have no state."""
REFUSED_FOR = 5.0
"""Seconds in which the groups are not asked for again after the server refused them."""
MOST_DOCUMENTS = 200
"""Versions of groups, where the server has no discovery of all in one answer."""


class _Version(msgspec.Struct, frozen=True):
    version: str = ""


class _Group(msgspec.Struct, frozen=True, rename="camel"):
    name: str = ""
    versions: tuple[_Version, ...] | None = None
    preferred_version: _Version = _Version()


class _Groups(msgspec.Struct, frozen=True):
    groups: tuple[_Group, ...] | None = None


class Extensions(msgspec.Struct, frozen=True):
    """The kinds of extensions that can be listed, sorted, and why others are unknown, by group."""

    kinds: tuple[str, ...]
    unread: Mapping[str, str]


class _Row(msgspec.Struct, frozen=True, rename="camel"):
    name: str = ""
    kind: str = ""
    singular_name: str = ""
    namespaced: bool = False
    short_names: tuple[str, ...] | None = None
    verbs: tuple[str, ...] | None = None


class _Rows(msgspec.Struct, frozen=True):
    resources: tuple[_Row, ...] | None = None


class _AggregatedKind(msgspec.Struct, frozen=True):
    kind: str = ""


class _AggregatedRow(msgspec.Struct, frozen=True, rename="camel"):
    resource: str = ""
    response_kind: _AggregatedKind | None = None
    scope: str = ""
    singular_resource: str = ""
    verbs: tuple[str, ...] | None = None
    short_names: tuple[str, ...] | None = None

    @property
    def row(self) -> _Row:
        kind = self.response_kind.kind if self.response_kind else ""
        return _Row(
            self.resource, kind, self.singular_resource, self.scope == "Namespaced", self.short_names, self.verbs
        )


class _AggregatedVersion(msgspec.Struct, frozen=True):
    version: str = ""
    resources: tuple[_AggregatedRow, ...] | None = None
    freshness: str = ""


class _AggregatedMeta(msgspec.Struct, frozen=True):
    name: str = ""


class _AggregatedGroup(msgspec.Struct, frozen=True):
    metadata: _AggregatedMeta = _AggregatedMeta()
    versions: tuple[_AggregatedVersion, ...] | None = None


class _Aggregated(msgspec.Struct, frozen=True):
    """All groups in one answer; of an older server the names of the groups, in `groups`."""

    items: tuple[_AggregatedGroup, ...] | None = None
    groups: tuple[_Group, ...] | None = None


_ALL = msgspec.json.Decoder(_Aggregated)
_GROUPS = msgspec.json.Decoder(_Groups)
_ROWS = msgspec.json.Decoder(_Rows)


class ServedKinds:
    """Finds the resource of a kind; uses discovery only for custom kinds, once per group. Safe for threads."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self._lock = threading.Lock()
        self._groups: dict[str, _Group] | None = None
        self._refused: tuple[float, ApiRefusal | SourceProblem] | None = None
        self._rows: dict[tuple[str, str], tuple[_Row, ...]] = {}
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

    def extensions(self) -> Extensions:
        """What discovery says of the kinds of extensions. Raises as a request does."""
        with self._lock:
            unread: dict[str, str] = {}
            for resource in self._read_extensions(unread):
                self._custom.setdefault(resource.ref_kind, resource)
            kinds = sorted(kind for kind, known in self._custom.items() if known is not None and _has_state(known.row))
            return Extensions(tuple(kinds), unread)

    def known_extensions(self) -> tuple[ResourceKind, ...]:
        """The kinds of extensions that were found so far, as Refs spell them."""
        with self._lock:
            found = [resource for _, resource in sorted(self._custom.items()) if resource is not None]
            return tuple(msgspec.structs.replace(resource.row, kind=resource.ref_kind) for resource in found)

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
        served_group = self._known_groups().get(group)
        if served_group is None:
            return None
        versions = [
            served_group.preferred_version.version,
            *(version.version for version in served_group.versions or ()),
        ]
        for version in dict.fromkeys(filter(None, versions)):
            if (group, version) not in self._rows:
                rows = self._read(f"/apis/{segment(group)}/{segment(version)}", "APIResourceList", _ROWS)
                self._rows[group, version] = (rows.resources if rows else None) or ()
            for row in self._rows[group, version]:
                if row.kind == name and "/" not in row.name:
                    return _served(row, group, version)
        return None

    def _known_groups(self) -> Mapping[str, _Group]:
        """The groups by name. What kept the server from telling them holds for the other kinds of the same round."""
        if self._refused is not None and time.monotonic() - self._refused[0] < REFUSED_FOR:
            raise self._refused[1]
        if self._groups is None:
            try:
                groups = self._read("/apis", "APIGroupList", _GROUPS)
            except (ApiRefusal, SourceProblem) as refused:
                self._refused = (time.monotonic(), refused)
                raise
            self._groups = {served.name: served for served in (groups.groups if groups else None) or ()}
        return self._groups

    def _read_extensions(self, unread: dict[str, str]) -> Iterator[ServedResource]:
        """The kinds of all versions, preferred versions first. unread: gets the groups that cannot be read."""
        body = self._transport.get("/apis", accept=_AGGREGATED)
        try:
            answer = _ALL.decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise ApiRefusal(0, "Unreadable", f"discovery at /apis cannot be decoded ({error})") from None
        if answer.items is None and answer.groups is None:
            check_kind(body, "APIGroupDiscoveryList")
        for served in answer.items or ():
            group = served.metadata.name
            for version in served.versions or ():
                if version.freshness == "Stale" and _is_extension(group):
                    unread.setdefault(group, f"the server of its version {version.version} does not respond")
                for entry in version.resources or ():
                    yield from _listable(entry.row, group, version.version)
        documents = list(_documents([group for group in answer.groups or () if _is_extension(group.name)]))
        unread |= {group: f"only {MOST_DOCUMENTS} versions were read" for group, _ in documents[MOST_DOCUMENTS:]}
        tasks = [partial(self._rows_of, *document) for document in documents[:MOST_DOCUMENTS]]
        for (group, preferred), rows in zip(documents, in_parallel(tasks) if tasks else (), strict=False):
            if isinstance(rows, str):
                unread.setdefault(group, rows)
                continue
            for row in rows:
                yield from _listable(row, group, preferred)

    def _rows_of(self, group: str, version: str) -> tuple[_Row, ...] | str:
        """The resources of a version of a group, or why they cannot be read."""
        try:
            rows = self._read(f"/apis/{segment(group)}/{segment(version)}", "APIResourceList", _ROWS, tries=2)
        except ApiRefusal as refusal:
            return refusal.clause
        except SourceProblem as problem:
            return problem.what
        return (rows.resources if rows else None) or ()

    def _read(self, path: str, kind: str, shape: Any, *, tries: int = MOST_TRIES) -> Any:
        """A discovery document; None if it is not served."""
        try:
            body = self._transport.get(path, tries=tries)
            check_kind(body, kind)
            return shape.decode(body)
        except ApiRefusal as refusal:
            if refusal.status == 404:
                return None
            raise
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise ApiRefusal(0, "Unreadable", f"discovery at {path} cannot be decoded ({error})") from None


def _documents(groups: Sequence[_Group]) -> Iterator[tuple[str, str]]:
    """The versions to read, with their groups: those that the groups prefer first."""
    others = []
    for group in groups:
        versions = dict.fromkeys((group.preferred_version.version, *(one.version for one in group.versions or ())))
        documents = [(group.name, version) for version in versions if version]
        yield from documents[:1]
        others += documents[1:]
    yield from others


def _is_extension(group: str) -> bool:
    return "." in group and group not in _OWN_GROUPS


def _listable(row: _Row, group: str, version: str) -> Iterator[ServedResource]:
    """The kind, if it has objects of an extension that can be listed."""
    usable = row.kind and row.name and version and "/" not in row.name and "list" in (row.verbs or ())
    if usable and _is_extension(group):
        yield _served(row, group, version)


def _has_state(row: ResourceKind) -> bool:
    return not (row.group in _RESULTS and row.kind.endswith("Report"))


def _served(row: _Row, group: str, version: str) -> ServedResource:
    singular = row.singular_name or row.kind.lower()
    known = ResourceKind(row.kind, group, version, row.name, singular, row.namespaced, row.short_names or ())
    return ServedResource(known, custom_kind_name(row.kind, group), version)
