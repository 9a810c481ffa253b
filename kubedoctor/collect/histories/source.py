"""A file of `kubedoctor record` as a source: the state at its end, or at a moment that is named."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterable, Iterator
from pathlib import Path
from typing import Any

from kubedoctor.cluster.history.naming import moment_named
from kubedoctor.cluster.history.travelling import rewound
from kubedoctor.cluster.kinds.references import Ref, ref
from kubedoctor.cluster.kinds.resources import ResourceKind, is_namespaced
from kubedoctor.cluster.seen.snapshot import NOT_HERE, UNKNOWN_TIME, Snapshot, Source
from kubedoctor.cluster.seen.wants import CannotSee, LogWant, Want
from kubedoctor.collect.bundles.definitions import kinds_defined
from kubedoctor.collect.closed import refuse_missing
from kubedoctor.collect.histories.reading import is_history, read_history
from kubedoctor.collect.recordable import Recordable, Recorder
from kubedoctor.collect.redact import kept_fields
from kubedoctor.problems import UsageProblem

__all__ = ["HistorySource", "is_history"]

NOT_KEPT = "a recorded history has no logs"


class HistorySource:
    """`list_all` reads the file, at its first call; `lock` is held meanwhile. at: shows the state of that moment, as
    `moment_named` reads it; empty: the end."""

    def __init__(self, path: str, at: str = "") -> None:
        self.lock = threading.RLock()
        self.namespace = ""
        self._path = path
        self._at = at
        self._name = Path(path).name
        self._snapshot = Snapshot(UNKNOWN_TIME, Source("bundle", self._name), closed=True)
        self._is_read = False

    @property
    def snapshot(self) -> Snapshot:
        return self._snapshot

    @property
    def context(self) -> str:
        return self._name

    def gather(self, wants: frozenset[Want | LogWant]) -> None:
        with self.lock:
            refuse_missing(self._snapshot, wants, NOT_KEPT)

    def list_all(
        self, kinds: Iterable[str], namespace: str | None = None, on_part: Callable[[], None] | None = None
    ) -> None:
        with self.lock:
            if not self._is_read:
                snapshot, self.namespace = read_history(self._path, self._name)
                self._snapshot = _at(snapshot, self._at) if self._at else snapshot
                self._is_read = True

    def list_extensions(
        self, first: Iterable[str] = (), namespace: str | None = None, current: Collection[str] = ()
    ) -> None:
        """Everything was read already."""

    def extension_kinds(self) -> tuple[ResourceKind, ...]:
        return tuple(kinds_defined(self._snapshot))

    def raw(self, ref: Ref) -> dict[str, Any] | None:
        obj = self._snapshot.get(ref)
        return kept_fields(obj) if obj is not None else None

    def recordable(self, kinds: Iterable[str], namespace: str = "") -> Iterator[tuple[str, Recordable | CannotSee]]:
        recorder = Recorder()
        for kind in kinds:
            want = Want(kind, namespace if is_namespaced(kind) else "")
            if not (self._snapshot.covers(want) or self._snapshot.limitation(want)):
                yield kind, CannotSee(kind, self._snapshot.refusal(want) or NOT_HERE)
            for obj in self._snapshot.of_kind(kind, want.namespace):
                yield kind, recorder.of_data(kind, kept_fields(obj))

    def refs(self, kind: str, namespace: str = "") -> tuple[Ref, ...]:
        return tuple(sorted(map(ref, self._snapshot.of_kind(kind, namespace))))

    def names(self, kind: str, namespace: str = "") -> tuple[str, ...]:
        return tuple(sorted({obj.metadata.name for obj in self._snapshot.of_kind(kind, namespace)}))

    def close(self) -> None:
        """Nothing to close."""


def _at(snapshot: Snapshot, text: str) -> Snapshot:
    history = snapshot.history
    assert history is not None, "read_history gives one"
    try:
        at = moment_named(text, snapshot.taken_at)
    except ValueError as error:
        raise UsageProblem(f"--at: {error}") from None
    if history.since is not None and not history.since <= at <= snapshot.taken_at:
        raise UsageProblem(
            f"--at: the recording is from {history.since:%Y-%m-%d %H:%M:%S} to {snapshot.taken_at:%H:%M:%S} UTC"
        )
    past = rewound(snapshot, history, at)
    past.history = history.until(at)
    return past
