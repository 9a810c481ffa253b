"""A source that is a snapshot and nothing more: a recording that was already read."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from kubedoctor.cluster import LogWant, Ref, Snapshot, Want


class FixedSource:
    """Answers from the snapshot alone; the screenshots and the tests use it."""

    def __init__(self, snapshot: Snapshot, namespace: str = "default") -> None:
        self.snapshot = snapshot
        self.namespace = namespace
        self.context = snapshot.source.name

    def gather(self, wants: frozenset[Want | LogWant]) -> None:
        """Nothing more comes: what is wanted is refused."""
        for want in wants:
            self.snapshot.refuse(want, "not in this recording")

    def list_all(self, kinds: Iterable[str], namespace: str | None = None) -> None:
        """Everything is here already."""

    def raw(self, ref: Ref) -> dict[str, Any] | None:
        """The recording keeps only what structs keep."""
        return None

    def names(self, kind: str, namespace: str = "") -> tuple[str, ...]:
        """Sorted."""
        return tuple(sorted(obj.name for obj in self.snapshot.of_kind(kind, namespace)))

    def close(self) -> None:
        """Nothing is open."""
