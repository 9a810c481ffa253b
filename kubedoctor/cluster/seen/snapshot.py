"""What was seen so far: objects by kind, which wants they cover, and which were refused."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import msgspec

from kubedoctor.cluster.grammar.versions import Version, VersionError
from kubedoctor.cluster.kinds.meta import KubernetesObject
from kubedoctor.cluster.kinds.references import Ref, kind_name
from kubedoctor.cluster.kinds.resources import kind_named
from kubedoctor.cluster.seen.wants import Barrier, LogTail, LogWant, Want

if TYPE_CHECKING:
    from kubedoctor.cluster.history.ring import Ring

Key = tuple[str, str]  # namespace, name
NOT_HERE = "not in this recording"
"""The reason for wants of a closed snapshot about which nothing else is known."""


class Source(msgspec.Struct, frozen=True):
    """Where the snapshot is from. `kind` is live, bundle or files; `name` is a context or a file name. `flags`: what a
    command in another terminal needs to reach the same cluster, such as `--context prod`."""

    kind: str
    name: str
    kubernetes: str = ""
    flags: tuple[str, ...] = ()


UNKNOWN_TIME = datetime(1970, 1, 1, tzinfo=UTC)
"""The `taken_at` of files without any time, such as manifests; never shown."""


class _Refused(msgspec.Struct, frozen=True):
    why: str
    barrier: Barrier = Barrier.OTHER


class Snapshot:
    """Objects that were seen, and what is known about the others.

    A live snapshot grows round by round. A closed snapshot (a bundle) does not grow: what it lacks cannot be seen.
    A complete snapshot has everything but the refused kinds: what it lacks does not exist.
    For an exhausted snapshot nothing more is fetched: where a list was refused, so is everything in that list.
    `taken_at` is the only clock of a diagnosis; UNKNOWN_TIME where nothing tells it.
    """

    def __init__(self, taken_at: datetime, source: Source, *, closed: bool = False, complete: bool = False) -> None:
        self.taken_at = taken_at
        self.source = source
        self.closed = closed or complete
        self.complete = complete
        self.at_least = False
        """Whether `taken_at` is only the newest time in the objects: they were read then, or at any time later."""
        self.problems: list[str] = []
        """Sentences for people."""
        self.requests = 0
        self.exhausted = False
        self.history: Ring | None = None
        """What happened to the objects while they were watched."""
        self._objects: dict[str, dict[Key, KubernetesObject]] = {}
        self._revisions: dict[str, int] = {}
        self._covered: dict[str, set[Want]] = {}
        self._refused: dict[Want | LogWant, _Refused] = {}
        self._partial: dict[Want, str] = {}
        self._losses: dict[str, dict[str, None]] = {}
        self._totals: dict[str, int] = {}
        self._logs: dict[LogWant, LogTail | None] = {}
        self._names_only: set[Ref] = set()
        self._indexes: dict[tuple[str, str], tuple[int, Mapping[Any, tuple[Any, ...]]]] = {}

    # Adding

    def add(self, objects: Iterable[KubernetesObject]) -> None:
        """Add objects; they replace objects of the same name."""
        touched: dict[str, dict[Key, KubernetesObject]] = {}
        for obj in objects:
            kind, metadata = kind_name(obj), obj.metadata
            if kind not in touched:
                touched[kind] = self._objects.setdefault(kind, {})
            touched[kind][(metadata.namespace, metadata.name)] = obj
            if self._names_only:
                self._names_only.discard(Ref(kind, metadata.namespace, metadata.name))
        for kind in touched:
            self._revisions[kind] = self._revisions.get(kind, 0) + 1

    def add_names(self, objects: Iterable[KubernetesObject]) -> None:
        """Add objects of which only metadata was read: they exist, but reading an object by name fetches it again."""
        for obj in objects:
            name = Ref(kind_name(obj), obj.metadata.namespace, obj.metadata.name)
            existing = self.get(name)
            if existing is not None and existing.metadata.resource_version == obj.metadata.resource_version:
                continue
            self.add((obj,))
            self._names_only.add(name)
            self._covered.get(name.kind, set()).discard(Want(name.kind, name.namespace, name.name))

    def replace_all(self, kind: str, objects: Iterable[KubernetesObject], namespace: str = "") -> None:
        """The objects of a kind (of a namespace, where given) are exactly these: a list was read whole."""
        objects_kept = (
            {} if not namespace else {k: o for k, o in self._objects.get(kind, {}).items() if k[0] != namespace}
        )
        if not namespace:
            self._losses.pop(kind, None)
            self._totals.pop(kind, None)
        objects_kept.update({(obj.metadata.namespace, obj.metadata.name): obj for obj in objects})
        self._objects[kind] = objects_kept
        self._revisions[kind] = self._revisions.get(kind, 0) + 1
        self.cover(Want(kind, namespace))

    def remove(self, ref: Ref) -> None:
        """Remove an object, if it is there."""
        if self._objects.get(ref.kind, {}).pop((ref.namespace, ref.name), None) is not None:
            self._revisions[ref.kind] = self._revisions.get(ref.kind, 0) + 1

    def cover(self, want: Want) -> None:
        """From now on the snapshot answers this want by itself."""
        self._covered.setdefault(want.kind, set()).add(want)
        self._refused.pop(want, None)
        self._partial.pop(want, None)

    def refuse(self, want: Want | LogWant, why: str, barrier: Barrier = Barrier.OTHER) -> None:
        """The want cannot be answered; `why` is a clause: `list secrets is forbidden`."""
        self._refused[want] = _Refused(why, barrier)

    def limit(self, want: Want, why: str) -> None:
        """The want can only be answered in part; `why` says what prevents the rest."""
        self._partial[want] = why

    def lose(self, kind: str, sentences: Iterable[str]) -> None:
        """Objects of the kind, or some of their fields, were left out because they cannot be read; one sentence for
        each."""
        for sentence in sentences:
            self._losses.setdefault(kind, {})[sentence] = None

    def note_total(self, kind: str, total: int) -> None:
        """So many objects of the kind exist, of which only some were read."""
        self._totals[kind] = total

    def add_log(self, want: LogWant, tail: LogTail | None) -> None:
        """A log that was read; None where the container has none."""
        self._logs[want] = tail

    def forget_logs(self) -> None:
        """Logs that were read are out of date, and so is why others could not be: all may be fetched again."""
        self._logs.clear()
        for want in list(self._refused):  # also while another thread adds to them
            if isinstance(want, LogWant):
                self._refused.pop(want, None)

    def copy(self) -> Snapshot:
        """A copy of the present state, for a reader in one thread while another thread adds objects."""
        copied = Snapshot(self.taken_at, self.source, closed=self.closed, complete=self.complete)
        copied.adopt(self)
        return copied

    def adopt(self, other: Snapshot) -> None:
        """Take over the present state of another snapshot. Logs and indexes are shared with it.

        Revisions are taken before the objects: an index may be built twice, but is never older than its objects.
        """
        self.taken_at, self.source, self.requests = other.taken_at, other.source, other.requests
        self.at_least, self.history = other.at_least, other.history
        self.problems = list(other.problems)
        self._revisions = dict(other._revisions)
        self._objects = {kind: dict(objects) for kind, objects in list(other._objects.items())}
        self._covered = {kind: set(wants) for kind, wants in list(other._covered.items())}
        self._refused, self._partial = dict(other._refused), dict(other._partial)
        self._losses = {kind: dict(sentences) for kind, sentences in list(other._losses.items())}
        self._totals = dict(other._totals)
        self._names_only = set(other._names_only)
        self._logs, self._indexes = other._logs, other._indexes

    def with_changes(self, objects: Iterable[KubernetesObject], removed: Iterable[Ref] = ()) -> Snapshot:
        """A snapshot with some objects changed and some removed. Unchanged objects are shared: neither snapshot may
        grow while the other is used."""
        objects, removed = tuple(objects), tuple(removed)
        touched = {kind_name(obj) for obj in objects} | {name.kind for name in removed}
        changed = Snapshot(self.taken_at, self.source, closed=self.closed, complete=self.complete)
        changed.__dict__.update(self.__dict__)
        changed._objects = dict(self._objects)
        changed._objects.update({kind: dict(self._objects.get(kind, {})) for kind in touched})
        changed._revisions, changed._indexes = dict(self._revisions), dict(self._indexes)
        changed._names_only = set(self._names_only)
        changed.add(objects)
        for name in removed:
            changed.remove(name)
        return changed

    def in_the_past(self, at: datetime) -> Snapshot:
        """A closed copy with the clock of an earlier moment, without logs: they have lines of later times."""
        past = self.copy()
        past.taken_at, past.at_least, past.closed, past._logs = at, False, True, {}
        past._indexes = dict(self._indexes)
        return past

    def taken_as_whole(self) -> Snapshot:
        """A snapshot of the same objects that counts as complete: no read fetches more."""
        whole = Snapshot(self.taken_at, self.source, complete=True)
        whole.__dict__.update(self.__dict__)
        whole.closed = whole.complete = True
        whole._refused, whole._partial = {}, {}
        return whole

    # Reading

    def covers(self, want: Want) -> bool:
        """Whether the snapshot has everything that the want names, as far as it exists."""
        if self.complete:
            return not (Want(want.kind) in self._refused or want in self._refused)
        covered = self._covered.get(want.kind)
        if not covered:
            return False
        if want.name and not self.is_whole(Ref(want.kind, want.namespace, want.name)):
            return want in covered
        return (
            Want(want.kind) in covered
            or (bool(want.namespace) and Want(want.kind, want.namespace) in covered)
            or want in covered
        )

    def refusal(self, want: Want | LogWant) -> str:
        """Why the want cannot be answered; empty if it was answered or never requested."""
        return self._refusal(want).why

    def barrier(self, want: Want | LogWant) -> Barrier:
        """Why the want is not answered, where `refusal` has a reason."""
        return self._refusal(want).barrier

    def _refusal(self, want: Want | LogWant) -> _Refused:
        if exact := self._refused.get(want):
            return exact
        if isinstance(want, Want):
            listing = self._refused.get(Want(want.kind, want.namespace))
            if listing and not want.name:
                return listing  # Without permission to list a namespace, no part of it can be listed either.
            wider = listing or self._refused.get(Want(want.kind))
            # A refused list says nothing about a single object, and a refused list of all namespaces says nothing about
            # one namespace, unless nothing more will be fetched.
            if wider and (self.closed or self.exhausted or not (want.namespace or want.name)):
                return wider
        return _Refused(NOT_HERE if self.closed else "")

    def limitation(self, want: Want) -> str:
        """Why the snapshot has only a part of the answer; empty if it has all of it."""
        why = self._partial.get(want, "")
        if not why and self.closed and want != (wider := Want(want.kind, want.namespace)):
            # A live cluster can still fetch objects by name or selector; a bundle has only what its lists contain.
            why = self._partial.get(wider, "")
        return why

    def losses(self, kind: str) -> tuple[str, ...]:
        """What was left out of the objects of a kind since they were last listed whole; see `lose`."""
        return tuple(self._losses.get(kind, ()))

    def log(self, want: LogWant) -> LogTail | None:
        """The log, or None if the container has none; KeyError where it was never read."""
        return self._logs[want]

    def has_log(self, want: LogWant) -> bool:
        """Whether the log was read, and is there."""
        return self._logs.get(want) is not None

    def logs(self) -> tuple[LogWant, ...]:
        """The logs that were read, sorted."""
        return tuple(sorted(self._logs))

    def get(self, ref: Ref) -> KubernetesObject | None:
        """The object, if the snapshot has it."""
        return self._objects.get(ref.kind, {}).get((ref.namespace, ref.name))

    def is_whole(self, ref: Ref) -> bool:
        """Whether more than the metadata of the object was read."""
        return not self._names_only or ref not in self._names_only

    def of_kind(self, kind: str, namespace: str = "") -> tuple[KubernetesObject, ...]:
        """The objects of a kind, sorted by namespace and name."""
        if namespace:
            return self.index(kind, "namespace").get(namespace, ())
        return self.index(kind, "all").get("", ())

    def kinds(self) -> tuple[str, ...]:
        """The kinds of the objects in the snapshot."""
        return tuple(sorted(kind for kind, objects in self._objects.items() if objects))

    def namespaces(self) -> tuple[str, ...]:
        """The names of the namespaces that occur."""
        names = {name for _, name in self._objects.get("Namespace", {})}
        for objects in self._objects.values():
            names.update(namespace for namespace, _ in objects if namespace)
        return tuple(sorted(names))

    def count(self) -> int:
        """The number of objects."""
        return sum(len(objects) for objects in self._objects.values())

    def total(self, kind: str) -> int:
        """The number of objects of a kind, those included that were not read, as far as the server counts them."""
        return max(len(self._objects.get(kind, ())), self._totals.get(kind, 0))

    def revision(self, kind: str) -> int:
        """A number that changes when objects of the kind change."""
        return self._revisions.get(kind, 0)

    def refusals(self) -> tuple[tuple[str, str], ...]:
        """The kinds that were refused or only partly read, with the reason, sorted."""
        refused = {(want.kind, refused.why) for want, refused in self._refused.items() if isinstance(want, Want)}
        return tuple(sorted(refused | {(want.kind, why) for want, why in self._partial.items()}))

    def listings(self) -> tuple[tuple[str, str, str, str], ...]:
        """What is known of whole lists: kind, namespace (empty: all), `whole`, `part` or `refused`, and why; sorted."""
        known = [(want, "whole", "") for wants in self._covered.values() for want in wants]
        known += [(want, "part", why) for want, why in self._partial.items()]
        known += [(want, "refused", no.why) for want, no in self._refused.items() if isinstance(want, Want)]
        lists = [entry for entry in known if entry[0] == Want(entry[0].kind, entry[0].namespace)]
        return tuple(sorted((want.kind, want.namespace, state, why) for want, state, why in lists))

    @property
    def version(self) -> Version | None:
        """The version of the API server, if it is known."""
        try:
            return Version.parse(self.source.kubernetes)
        except VersionError:
            return None

    def index(self, kind: str, by: str) -> Mapping[Any, tuple[Any, ...]]:
        """Objects of a kind in groups; cached until objects of the kind change. `by`: see `_GROUPINGS`; `all` is
        the one group "".
        """
        revision = self._revisions.get(kind, 0)
        cached = self._indexes.get((kind, by))
        if cached and cached[0] == revision:
            return cached[1]
        index = {"": self._sorted(kind)} if by == "all" else _grouped(self.of_kind(kind), _GROUPINGS[by])
        self._indexes[(kind, by)] = (revision, index)
        return index

    def labelled(self, kind: str, namespace: str, key: str) -> Mapping[Any, tuple[Any, ...]]:
        """The objects of a kind and namespace by their value of a label; cached as an index."""
        revision, name = self._revisions.get(kind, 0), f"{namespace}/{key}"
        cached = self._indexes.get((kind, name))
        if cached and cached[0] == revision:
            return cached[1]

        def value_of(obj: Any) -> tuple[Any, ...]:
            value = (obj.metadata.labels or {}).get(key)
            return () if value is None else (value,)

        index = _grouped(self.of_kind(kind, namespace), value_of)
        self._indexes[(kind, name)] = (revision, index)
        return index

    def forget_outdated(self) -> None:
        """Give up the indexes of what has changed: they hold the objects as they were."""
        for key, (revision, _) in list(self._indexes.items()):
            if revision != self._revisions.get(key[0], 0):
                self._indexes.pop(key, None)

    def _sorted(self, kind: str) -> tuple[KubernetesObject, ...]:
        objects = self._objects.get(kind, {})
        return tuple([objects[key] for key in sorted(objects)])


def _grouped(
    objects: Iterable[KubernetesObject], keys_of: Callable[[Any], tuple[Any, ...]]
) -> dict[Any, tuple[Any, ...]]:
    groups: dict[Any, list[KubernetesObject]] = {}
    for obj in objects:
        for group in keys_of(obj):
            groups.setdefault(group, []).append(obj)
    return {group: tuple(members) for group, members in groups.items()}


def _by_owner(obj: Any) -> tuple[Any, ...]:
    owners, namespace = obj.metadata.owner_references or (), obj.metadata.namespace
    return tuple([(owner.kind, namespace, owner.name) for owner in owners if owner.controller])


def _by_involved(event: Any) -> tuple[Any, ...]:
    about = event.involved_object
    row = kind_named(about.kind)
    # Events about cluster-scoped objects are in a namespace, their subject is not.
    namespace = "" if row and not row.namespaced else about.namespace
    return ((about.kind, namespace, about.name),)


_GROUPINGS: dict[str, Callable[[Any], tuple[Any, ...]]] = {
    "namespace": lambda obj: (obj.metadata.namespace,),
    "owner": _by_owner,
    "node": lambda pod: (pod.spec.node_name,) if pod.spec.node_name else (),
    "involved": _by_involved,
    "service": lambda slice_: (
        (slice_.metadata.namespace, (slice_.metadata.labels or {}).get("kubernetes.io/service-name", "")),
    ),
}
