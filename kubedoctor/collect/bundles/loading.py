"""Builds a closed snapshot from the pieces of a bundle, with what the bundle lacks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any

import msgspec

from kubedoctor.cluster.grammar.text import counted
from kubedoctor.cluster.kinds.meta import CustomResource, KubernetesObject
from kubedoctor.cluster.kinds.objects import struct_for
from kubedoctor.cluster.kinds.resources import kind_named
from kubedoctor.cluster.seen.decoding import Unreadable, convert_object, decode_items, decode_list, decode_object
from kubedoctor.cluster.seen.sharing import share_parts
from kubedoctor.cluster.seen.snapshot import NOT_HERE, UNKNOWN_TIME, Snapshot, Source
from kubedoctor.cluster.seen.wants import READYZ, LogTail, LogWant, Want
from kubedoctor.collect.bundles.documents import UNDERSTOOD, Documents
from kubedoctor.collect.bundles.manifests import NEED_DEFAULTS, as_created
from kubedoctor.collect.bundles.parsing import Head, kind_of_list
from kubedoctor.collect.bundles.parts import Decode
from kubedoctor.collect.bundles.pieces import (
    BundleManifest,
    Objects,
    Oddity,
    Piece,
    RecordedLog,
    RecordedState,
    Refusals,
    pieces_of,
)
from kubedoctor.collect.bundles.times import newest_moment
from kubedoctor.collect.loading import loading
from kubedoctor.collect.recording import moment, read_state, tail_of
from kubedoctor.problems import BundleProblem

FORMAT = 1
ONLY_THE_FILE = "only objects of the file"
_MOST_PROBLEMS = 50
MOST_STRANGE = 2_000
"""Files that are of no cluster, before the first that is of one: so many are in no bundle, but in a folder of a system."""


@dataclass(frozen=True)
class Loaded:
    """A snapshot, and the namespace to use when none is given."""

    snapshot: Snapshot
    namespace: str


@dataclass(frozen=True)
class _Extent:
    """How much was read of everything that a list can add to."""

    objects: dict[str, int]
    losses: dict[str, int]
    whole: dict[str, set[str]]
    listed: dict[str, set[str]]
    problems: int
    moments: int
    pieces: int


SHARED_FROM = 90_000
"""So many pods fit into memory as they are. Comparing the parts of the others costs a tenth of reading them."""


@dataclass
class _Bundle:
    """The pieces of a bundle that were read so far."""

    name: str
    objects: dict[str, list[KubernetesObject]] = field(default_factory=dict)
    logs: dict[LogWant, LogTail] = field(default_factory=dict)
    refused: dict[Want | LogWant, str] = field(default_factory=dict)
    whole: dict[str, set[str]] = field(default_factory=dict)
    listed: dict[str, set[str]] = field(default_factory=dict)
    states: list[dict[str, Any]] = field(default_factory=list)
    manifest: dict[str, Any] | None = None
    moments: list[datetime] = field(default_factory=list)
    version: str = ""
    problems: list[str] = field(default_factory=list)
    strangers: list[str] = field(default_factory=list)
    losses: dict[str, list[str]] = field(default_factory=dict)
    pieces: int = 0

    def take(self, piece: Piece) -> Sequence[KubernetesObject]:
        """Returns the objects of the piece."""
        if isinstance(piece, Oddity):
            (self.strangers if piece.usual else self.problems).append(piece.text)
            return ()
        self.pieces += 1
        if isinstance(piece, Objects):
            return self._objects(piece)
        if isinstance(piece, RecordedLog):
            if piece.why:
                self.refused[piece.want] = piece.why
            else:
                self.logs[piece.want] = tail_of(piece.text, piece.want, is_cut=piece.is_cut)
        elif isinstance(piece, RecordedState):
            self.states.append(piece.data)
        elif isinstance(piece, BundleManifest):
            self.manifest = piece.data
        elif isinstance(piece, Refusals):
            for namespace, why in piece.reasons.items():
                self.refused[Want(piece.kind, namespace)] = why
        else:
            self.version = self.version or piece.version
        return ()

    def extent(self) -> _Extent:
        """The extent now, for `shrink`."""
        return _Extent(
            {kind: len(objects) for kind, objects in self.objects.items()},
            {kind: len(sentences) for kind, sentences in self.losses.items()},
            {kind: set(namespaces) for kind, namespaces in self.whole.items()},
            {kind: set(namespaces) for kind, namespaces in self.listed.items()},
            len(self.problems),
            len(self.moments),
            self.pieces,
        )

    def shrink(self, extent: _Extent) -> None:
        """Forget what was added since: parts of a list that turned out to be no list."""
        self.objects = {kind: self.objects[kind][:count] for kind, count in extent.objects.items()}
        self.losses = {kind: self.losses[kind][:count] for kind, count in extent.losses.items()}
        self.whole, self.listed = extent.whole, extent.listed
        del self.problems[extent.problems :], self.moments[extent.moments :]
        self.pieces = extent.pieces

    @property
    def taken_at(self) -> datetime | None:
        """When it was recorded, by the manifest."""
        return moment((self.manifest or {}).get("takenAt"))

    def _objects(self, piece: Objects) -> Sequence[KubernetesObject]:
        objects: list[KubernetesObject] = []
        if piece.body:
            decoded = decode_list(piece.kind, piece.body)
            objects.extend(decoded.objects)
            lost = list(decoded.problems)
            if decoded.continue_token:
                lost.append(f"{piece.kind}: the file has only the first page of the list")
            self._lose(piece.kind, lost)
        else:
            self._items(piece, objects)
        if self.taken_at is None and (newest := newest_moment(objects)) is not None:
            self.moments.append(newest)  # at once: to read all objects again later takes twice as long
        known = self.objects.setdefault(piece.kind, [])
        if piece.kind == "Pod" and len(known) > SHARED_FROM:
            share_parts(objects)
        known.extend(objects)
        if piece.whole:
            self.whole.setdefault(piece.kind, set()).add(piece.namespace)
        elif piece.listed:
            self.listed.setdefault(piece.kind, set()).update(obj.metadata.namespace for obj in objects)
        return objects

    def _items(self, piece: Objects, objects: list[KubernetesObject]) -> None:
        for item in piece.items:
            if isinstance(item, KubernetesObject):
                objects.append(item)
                continue
            try:
                decoded = (
                    decode_object(piece.kind, item)
                    if isinstance(item, msgspec.Raw)
                    else convert_object(piece.kind, item)
                )
            except Unreadable as error:
                self._lose(piece.kind, (f"{piece.kind}: an item cannot be decoded; ignored ({error})",))
                continue
            objects.extend(decoded.objects)
            if decoded.problems:
                self._lose(piece.kind, decoded.problems)

    def _lose(self, kind: str, sentences: Sequence[str]) -> None:
        self.problems.extend(sentences)
        self.losses.setdefault(kind, []).extend(sentences)


def load(
    documents: Documents, name: str, on_objects: Callable[[Sequence[KubernetesObject]], None] | None = None
) -> Loaded:
    """Read all documents. Raises BundleProblem where none of them is recognised.

    on_objects: gets the objects as they are read; they may be read again, or turn out to be no part of a list.
    """
    bundle = _Bundle(name)
    with loading(keep=True):
        before = bundle.extent()
        for number, document in enumerate(documents.read(_decoder_of)):
            if number == MOST_STRANGE and not bundle.pieces:
                bundle.problems.insert(
                    0, f"none of the first {MOST_STRANGE:,} files is of a cluster; the others were not read"
                )
                raise _not_a_bundle(bundle)
            if document.replaces:
                bundle.shrink(before)
            elif document.part is None or document.part.first:
                before = bundle.extent()
            for piece in pieces_of(document):
                try:
                    objects = bundle.take(piece)
                    if objects and on_objects is not None:
                        on_objects(objects)
                except Unreadable as error:
                    bundle.problems.append(f"{document.path} cannot be read: {error}")
    bundle.problems[:0] = documents.problems
    if not bundle.pieces:
        raise _not_a_bundle(bundle)
    if bundle.states:
        return _state(bundle)
    return _assemble(bundle)


def _decoder_of(head: Head) -> Decode | None:
    """Decodes a list that names its kind as a whole: twice as fast as finding its items first."""
    struct = struct_for(kind_of_list(head))
    return None if struct is CustomResource else partial(decode_items, struct)


def _not_a_bundle(bundle: _Bundle) -> BundleProblem:
    problems = [*bundle.problems, *bundle.strangers]
    sentence, why = f"{bundle.name} contains no Kubernetes objects", problems[0] if problems else "it is empty"
    return BundleProblem(sentence if why == sentence else f"{sentence}: {why}", UNDERSTOOD)


def _state(bundle: _Bundle) -> Loaded:
    if len(bundle.states) > 1 or bundle.objects:
        others = sum(map(len, bundle.objects.values()))
        beside = f" and {counted(others, 'other object')}" if others else ""
        raise BundleProblem(
            f"{bundle.name} contains {counted(len(bundle.states), 'recorded state')}{beside}; a recorded state is read alone",
            "Set one file with --from",
        )
    snapshot = read_state(bundle.states[0], bundle.name)
    snapshot.problems.extend(bundle.problems)
    return Loaded(snapshot, "default")


def _assemble(bundle: _Bundle) -> Loaded:
    manifest = bundle.manifest or {}
    if isinstance(manifest.get("format"), int) and manifest["format"] > FORMAT:
        raise BundleProblem(
            f"{bundle.name} was written by a newer kubedoctor (format {manifest['format']})", "Update kubedoctor"
        )
    stated = bundle.taken_at
    taken_at = stated or max(bundle.moments, default=None)
    if taken_at is None:
        bundle.problems.append("the files contain no timestamp; ages are unknown")
        taken_at = UNKNOWN_TIME
    version = manifest.get("kubernetes")
    source = Source("bundle", bundle.name, version if isinstance(version, str) else bundle.version)
    snapshot = Snapshot(taken_at, source, closed=True)
    snapshot.at_least = stated is None
    for kind, objects in bundle.objects.items():
        snapshot.add(list(map(as_created, objects)) if kind in NEED_DEFAULTS else objects)
    for kind, sentences in bundle.losses.items():
        snapshot.lose(kind, sentences)
    for want, tail in bundle.logs.items():
        snapshot.add_log(want, tail)
    for refused, why in bundle.refused.items():
        snapshot.refuse(refused, why)
    if bundle.manifest is not None:
        _cover_as_told(snapshot, manifest, frozenset(bundle.objects))
    else:
        _cover(snapshot, bundle)
    not_listed = manifest.get("notListed")
    if isinstance(not_listed, list):
        snapshot.problems.extend(line for line in not_listed if isinstance(line, str))
    problems = bundle.problems[:_MOST_PROBLEMS]
    if len(bundle.problems) > len(problems):
        problems.append(f"and {len(bundle.problems) - len(problems)} more problems of this kind")
    snapshot.problems.extend(problems)
    namespace = manifest.get("namespace")
    return Loaded(snapshot, namespace if isinstance(namespace, str) and namespace else "default")


def _cover_as_told(snapshot: Snapshot, manifest: dict[str, Any], here: frozenset[str]) -> None:
    """Coverage according to the manifest: `all`, or the namespaces that were read, with the reason."""
    logs = manifest.get("logs")
    for place, why in logs.items() if isinstance(logs, dict) else ():
        if place == READYZ.container:
            snapshot.refuse(READYZ, str(why or NOT_HERE))
        parts = str(place).removesuffix(".previous").split("/")
        if len(parts) == 3:
            snapshot.refuse(
                LogWant(parts[0], parts[1], parts[2], str(place).endswith(".previous")), str(why or NOT_HERE)
            )
    kinds = manifest.get("kinds")
    for kind, entry in kinds.items() if isinstance(kinds, dict) else ():
        seen = entry.get("seen") if isinstance(entry, dict) else None
        why = str(entry.get("why") or "") if isinstance(entry, dict) else ""
        if seen and kind not in here:
            # Every kind that was read has a file, even for an empty list: without it the bundle is incomplete.
            snapshot.refuse(Want(kind), "the list is missing in the bundle")
            continue
        if seen == "all":
            snapshot.cover(Want(kind))
            continue
        if seen == "part":
            snapshot.limit(Want(kind), why or "only a part was recorded")
            for namespace in {obj.metadata.namespace for obj in snapshot.of_kind(kind)}:
                snapshot.limit(Want(kind, namespace), why or "only a part was recorded")
            continue
        namespaces = [name for name in seen if isinstance(name, str)] if isinstance(seen, list) else []
        for namespace in namespaces:
            snapshot.cover(Want(kind, namespace))
        if namespaces:
            snapshot.limit(Want(kind), why or f"only namespace {', '.join(namespaces)} was recorded")
        else:
            snapshot.refuse(Want(kind), why or NOT_HERE)


def _cover(snapshot: Snapshot, bundle: _Bundle) -> None:
    # All namespaces are known only where namespaces were listed; others may exist that no file names.
    all_namespaces = set(snapshot.namespaces()) if "" in bundle.whole.get("Namespace", ()) else set()
    for kind, namespaces in bundle.whole.items():
        row = kind_named(kind)
        if "" in namespaces or (row and not row.namespaced) or (all_namespaces and all_namespaces <= namespaces):
            snapshot.cover(Want(kind))
            continue
        for namespace in namespaces:
            snapshot.cover(Want(kind, namespace))
        snapshot.limit(Want(kind), f"only of the namespaces {', '.join(sorted(namespaces))}")
    for kind, objects in bundle.objects.items():
        if kind in bundle.whole or not objects:
            continue
        snapshot.limit(Want(kind), ONLY_THE_FILE)
        for namespace in bundle.listed.get(kind, ()):
            snapshot.limit(Want(kind, namespace), ONLY_THE_FILE)
