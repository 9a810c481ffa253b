"""A bundle as a source: everything is read once, and nothing more can be fetched."""

from __future__ import annotations

import contextlib
import os
import re
import threading
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec

from kubedoctor.cluster.kinds.meta import KubernetesObject
from kubedoctor.cluster.kinds.references import Ref, ref
from kubedoctor.cluster.kinds.resources import ResourceKind, is_namespaced, kind_named
from kubedoctor.cluster.seen.decoding import Unreadable, mended_json
from kubedoctor.cluster.seen.mending import without_marks
from kubedoctor.cluster.seen.snapshot import NOT_HERE, UNKNOWN_TIME, Snapshot, Source
from kubedoctor.cluster.seen.wants import CannotSee, LogWant, Want
from kubedoctor.collect.bundles.definitions import kinds_defined
from kubedoctor.collect.bundles.documents import Documents
from kubedoctor.collect.bundles.loading import load
from kubedoctor.collect.bundles.parsing import head_of
from kubedoctor.collect.bundles.pieces import Objects, RecordedState, pieces_of
from kubedoctor.collect.closed import refuse_missing
from kubedoctor.collect.recordable import Recordable, Recorder
from kubedoctor.collect.recording import objects_of_state
from kubedoctor.collect.redact import redact_object
from kubedoctor.problems import Problem

_PLAIN_NAME = re.compile(r"[a-z0-9.-]+")


class BundleSource:
    """The record of a cluster. Whole objects (`raw`, `recordable`) are read from the files again.

    `list_all` reads the files, at its first call; until then there is nothing in the snapshot. `lock` is held meanwhile.
    """

    def __init__(self, paths: tuple[str, ...]) -> None:
        self.lock = threading.RLock()
        paths = _once(paths)
        self._documents = Documents(paths)
        self._name = _name_of(paths)
        self._snapshot = Snapshot(UNKNOWN_TIME, Source("bundle", self._name), closed=True)
        self._namespace = ""
        self._is_read = False

    @property
    def snapshot(self) -> Snapshot:
        return self._snapshot

    @property
    def namespace(self) -> str:
        return self._namespace

    @property
    def context(self) -> str:
        return self._snapshot.source.name

    def gather(self, wants: frozenset[Want | LogWant]) -> None:
        """Nothing can be fetched: missing objects are refused."""
        with self.lock:
            refuse_missing(self._snapshot, wants)

    def list_all(
        self, kinds: Iterable[str], namespace: str | None = None, on_part: Callable[[], None] | None = None
    ) -> None:
        """Read everything, once. Raises BundleProblem where there is nothing to read."""

        def show(objects: Sequence[KubernetesObject]) -> None:
            self._snapshot.add(objects)
            if on_part is not None:
                on_part()

        with self.lock:
            if not self._is_read:
                loaded = load(self._documents, self._name, show if on_part else None)
                self._snapshot, self._namespace = loaded.snapshot, loaded.namespace
                self._is_read = True

    def list_extensions(
        self, first: Iterable[str] = (), namespace: str | None = None, current: Collection[str] = ()
    ) -> None:
        """Everything was read already."""

    def extension_kinds(self) -> tuple[ResourceKind, ...]:
        """The kinds that are defined in the files or have objects there."""
        return tuple(kinds_defined(self._snapshot))

    def raw(self, ref: Ref) -> dict[str, Any] | None:
        with self.lock:
            if self._snapshot.get(ref) is None:
                return None
            try:
                return self._raw(ref)
            except Problem:  # The files were deleted after they were read.
                return None

    def _raw(self, ref: Ref) -> dict[str, Any] | None:
        mark = ref.name.encode() if _PLAIN_NAME.fullmatch(ref.name) else b""
        for kind, item in self._items(frozenset((ref.kind,))):
            if isinstance(item, msgspec.Raw) and mark not in bytes(item):
                continue
            try:
                data = _typed(kind, item)
            except Unreadable:
                continue
            meta = data.get("metadata")
            meta = meta if isinstance(meta, dict) else {}
            if meta.get("name") == ref.name and (meta.get("namespace") or "") == ref.namespace:
                return redact_object(data)
        return None

    def recordable(self, kinds: Iterable[str], namespace: str = "") -> Iterator[tuple[str, Recordable | CannotSee]]:
        visible = set()
        for kind in kinds:
            want = Want(kind, namespace if is_namespaced(kind) else "")
            if self._snapshot.covers(want) or self._snapshot.limitation(want):
                visible.add(kind)
            else:
                yield kind, CannotSee(kind, self._snapshot.refusal(want) or NOT_HERE)
        recorder = Recorder()
        for kind, item in self._items(frozenset(visible)):
            obj = recorder.of_json(kind, item) if isinstance(item, msgspec.Raw) else recorder.of_data(kind, item)
            if obj is not None and (not namespace or not is_namespaced(kind) or obj.namespace == namespace):
                yield kind, obj

    def refs(self, kind: str, namespace: str = "") -> tuple[Ref, ...]:
        return tuple(sorted(map(ref, self._snapshot.of_kind(kind, namespace))))

    def names(self, kind: str, namespace: str = "") -> tuple[str, ...]:
        return tuple(sorted({obj.metadata.name for obj in self._snapshot.of_kind(kind, namespace)}))

    def close(self) -> None:
        """Nothing to close."""

    def _items(self, kinds: frozenset[str]) -> Iterator[tuple[str, msgspec.Raw | dict[str, Any]]]:
        """The objects of these kinds as in the files."""
        for document in self._documents if kinds else ():
            for piece in pieces_of(document):
                if isinstance(piece, RecordedState):
                    for kind in kinds:
                        yield from ((kind, data) for data in objects_of_state(piece.data, kind))
                elif isinstance(piece, Objects) and piece.kind in kinds:
                    yield from ((piece.kind, item) for item in _items_of(piece))


def _items_of(piece: Objects) -> Iterator[msgspec.Raw | dict[str, Any]]:
    items = piece.items
    if piece.body:
        head = head_of(piece.body)
        items = head.elements() if head else ()
    for item in items:
        data = item if isinstance(item, msgspec.Raw) else without_marks(item, [])
        if isinstance(data, msgspec.Raw | dict):
            yield data


def _typed(kind: str, item: msgspec.Raw | dict[str, Any]) -> dict[str, Any]:
    """An object as plain data, with kind and apiVersion. Raises Unreadable, which was reported when it was read."""
    data = mended_json(bytes(item)) if isinstance(item, msgspec.Raw) else item
    if not isinstance(data, dict):
        raise Unreadable
    row = kind_named(kind)
    return {**({"apiVersion": row.api_version, "kind": row.kind} if row else {}), **data}


def open_bundle(paths: tuple[str, ...]) -> BundleSource:
    """Read a bundle in any known layout; a path that is given twice is read once. Raises BundleProblem where there is
    nothing to read."""
    bundle = BundleSource(paths)
    bundle.list_all(())
    return bundle


def _once(paths: tuple[str, ...]) -> tuple[str, ...]:
    """The paths without those that lead to the same file or folder as an earlier one."""
    kept: dict[str, str] = {}
    for path in paths:
        kept.setdefault(path if path == "-" else os.path.realpath(path), path)
    return tuple(kept.values())


def _own_name(path: str) -> str:
    if path == "-":
        return "standard input"
    with contextlib.suppress(OSError):  # to read it says why
        if Path(path).is_fifo():
            return "a pipe"
    return Path(os.path.realpath(path)).name or path


def _name_of(paths: tuple[str, ...]) -> str:
    names = [_own_name(path) for path in paths]
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
