"""A bundle as a source: everything is read once, and nothing more can be fetched."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import msgspec

from kubedoctor.cluster.kinds.references import Ref, ref
from kubedoctor.cluster.kinds.resources import is_namespaced, kind_named
from kubedoctor.cluster.seen.decoding import Unreadable, mended_json
from kubedoctor.cluster.seen.mending import without_marks
from kubedoctor.cluster.seen.snapshot import NOT_HERE, Snapshot
from kubedoctor.cluster.seen.wants import CannotSee, LogWant, Want
from kubedoctor.collect.bundles.documents import Documents
from kubedoctor.collect.bundles.loading import load
from kubedoctor.collect.bundles.parsing import head_of, raw_items
from kubedoctor.collect.bundles.pieces import Objects, RecordedState, pieces_of
from kubedoctor.collect.recording import objects_of_state
from kubedoctor.collect.redact import redact_object
from kubedoctor.problems import Problem

_PLAIN_NAME = re.compile(r"[a-z0-9.-]+")


class BundleSource:
    """The record of a cluster. Whole objects (`raw`, `raw_lists`) are read from the files again."""

    def __init__(self, documents: Documents, snapshot: Snapshot, namespace: str) -> None:
        self._documents = documents
        self._snapshot = snapshot
        self._namespace = namespace

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
        for want in wants:
            if isinstance(want, LogWant):
                if not self._snapshot.refusal(want):
                    self._snapshot.refuse(want, NOT_HERE)
            elif not (self._snapshot.covers(want) or self._snapshot.limitation(want)):
                self._snapshot.refuse(want, self._snapshot.refusal(want) or NOT_HERE)

    def list_all(self, kinds: Iterable[str], namespace: str | None = None) -> None:
        """Everything was read already."""

    def raw(self, ref: Ref) -> dict[str, Any] | None:
        if self._snapshot.get(ref) is None:
            return None
        try:
            for _, data in self._read(frozenset((ref.kind,)), ref.name):
                meta = data.get("metadata")
                meta = meta if isinstance(meta, dict) else {}
                if meta.get("name") == ref.name and (meta.get("namespace") or "") == ref.namespace:
                    return redact_object(data)
        except Problem:  # The files were deleted after they were read.
            return None
        return None

    def raw_lists(self, kinds: Iterable[str], namespace: str = "") -> Iterator[tuple[str, dict[str, Any] | CannotSee]]:
        visible = set()
        for kind in kinds:
            want = Want(kind, namespace if is_namespaced(kind) else "")
            if self._snapshot.covers(want) or self._snapshot.limitation(want):
                visible.add(kind)
            else:
                yield kind, CannotSee(kind, self._snapshot.refusal(want) or NOT_HERE)
        for kind, data in self._read(frozenset(visible)):
            meta = data.get("metadata")
            if (
                not namespace
                or not is_namespaced(kind)
                or (isinstance(meta, dict) and meta.get("namespace") == namespace)
            ):
                yield kind, redact_object(data)

    def refs(self, kind: str, namespace: str = "") -> tuple[Ref, ...]:
        return tuple(sorted(map(ref, self._snapshot.of_kind(kind, namespace))))

    def names(self, kind: str, namespace: str = "") -> tuple[str, ...]:
        return tuple(sorted({obj.metadata.name for obj in self._snapshot.of_kind(kind, namespace)}))

    def close(self) -> None:
        """Nothing to close."""

    def _read(self, kinds: frozenset[str], name: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
        """The objects of these kinds as in the files; missing kind and apiVersion are added. `name`: at least all objects
        with this name."""
        mark = name.encode() if _PLAIN_NAME.fullmatch(name) else b""
        for document in self._documents if kinds else ():
            for piece in pieces_of(document):
                if isinstance(piece, RecordedState):
                    for kind in kinds:
                        yield from ((kind, data) for data in objects_of_state(piece.data, kind))
                elif isinstance(piece, Objects) and piece.kind in kinds:
                    yield from ((piece.kind, data) for data in _whole_items(piece, mark))


def _whole_items(piece: Objects, mark: bytes) -> Iterator[dict[str, Any]]:
    items = piece.items
    if piece.body:
        head = head_of(piece.body)
        items = raw_items(head.items) if head else ()
    row = kind_named(piece.kind)
    type_fields = {"apiVersion": row.api_version, "kind": row.kind} if row else {}
    for item in items:
        if not isinstance(item, msgspec.Raw):
            data = without_marks(item, [])
        elif mark in (body := bytes(item)):
            try:
                data = mended_json(body)
            except Unreadable:
                continue  # It was reported when the bundle was read.
        else:
            continue
        if isinstance(data, dict):
            yield {**type_fields, **data}


def open_bundle(paths: tuple[str, ...]) -> BundleSource:
    """Read a bundle in any known layout. Raises BundleProblem where there is nothing to read."""
    documents = Documents(paths)
    loaded = load(documents, _name_of(paths))
    return BundleSource(documents, loaded.snapshot, loaded.namespace)


def _own_name(path: str) -> str:
    if path == "-":
        return "standard input"
    return "a pipe" if Path(path).is_fifo() else Path(path).resolve().name


def _name_of(paths: tuple[str, ...]) -> str:
    names = [_own_name(path) for path in paths]
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
