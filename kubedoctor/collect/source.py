"""What every reading offers, of a live cluster as of a recorded bundle."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Protocol

from kubedoctor.cluster.kinds.references import Ref
from kubedoctor.cluster.seen.snapshot import Snapshot
from kubedoctor.cluster.seen.wants import LogWant, Want


class ReadableCluster(Protocol):
    """A cluster that can be read, or the record of one."""

    @property
    def snapshot(self) -> Snapshot:
        """What was seen so far."""

    @property
    def namespace(self) -> str:
        """The namespace that is meant when none is named."""

    @property
    def context(self) -> str:
        """The name of the context, or of the bundle."""

    def gather(self, wants: frozenset[Want | LogWant]) -> None:
        """Fetch what is wanted into the snapshot; afterwards each want is covered, refused or limited there."""

    def list_all(self, kinds: Iterable[str], namespace: str | None = None) -> None:
        """Fetch every object of these kinds; of namespaced kinds only those of the namespace, where one is given."""

    def raw(self, ref: Ref) -> dict[str, Any] | None:
        """The whole object as it is, without secret values; None if it does not exist or cannot be read."""

    def raw_list(self, kind: str, namespace: str = "") -> Iterator[dict[str, Any]]:
        """Every object of a kind, whole but for secret values, of one namespace where given; read again, one by one.

        Raises CannotSee where the list is refused or is not there.
        """

    def names(self, kind: str, namespace: str = "") -> tuple[str, ...]:
        """The names of the objects of a kind, sorted; empty if they cannot be read."""

    def close(self) -> None:
        """Let go of connections and files. The snapshot stays."""
