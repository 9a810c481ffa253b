"""The interface of every source: a live cluster or a recorded bundle."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from typing import Any, Protocol

from kubedoctor.cluster.kinds.references import Ref
from kubedoctor.cluster.kinds.resources import ResourceKind
from kubedoctor.cluster.seen.snapshot import Snapshot
from kubedoctor.cluster.seen.wants import CannotSee, LogWant, Want
from kubedoctor.collect.recordable import Recordable


class ReadableCluster(Protocol):
    """A cluster that can be read, or the record of one."""

    @property
    def snapshot(self) -> Snapshot:
        """What was seen so far."""

    @property
    def namespace(self) -> str:
        """The namespace to use when none is given."""

    @property
    def context(self) -> str:
        """The name of the context, or of the bundle."""

    def gather(self, wants: frozenset[Want | LogWant]) -> None:
        """Fetch what is wanted into the snapshot; afterwards the snapshot covers, refuses or limits each want."""

    def list_all(
        self, kinds: Iterable[str], namespace: str | None = None, on_part: Callable[[], None] | None = None
    ) -> None:
        """Fetch every object of these kinds; of namespaced kinds only those of the namespace, where one is given.

        on_part: called repeatedly, in this thread, while the lists are being read: the snapshot has what was read
        so far.
        """

    def list_extensions(
        self, first: Iterable[str] = (), namespace: str | None = None, current: Collection[str] = ()
    ) -> None:
        """Fetch objects of the kinds that extensions define, but for those that are kept current, as far as that is
        cheap: `first` before others. What was left out is one of the snapshot's problems."""

    def extension_kinds(self) -> tuple[ResourceKind, ...]:
        """The kinds of extensions that exist here, by which words may name them; `kind` is as a Ref spells it. Raises
        SourceProblem where they cannot be read."""

    def raw(self, ref: Ref) -> dict[str, Any] | None:
        """The whole object without secret values; None if it does not exist or cannot be read."""

    def recordable(self, kinds: Iterable[str], namespace: str = "") -> Iterator[tuple[str, Recordable | CannotSee]]:
        """Every object of these kinds, whole but for secret values, as a file may hold it, of one namespace where given; read again, object by
        object, with its kind. The order of the kinds is the source's, and they may be mixed.

        CannotSee instead of an object: the rest of the kind is refused or missing.
        """

    def refs(self, kind: str, namespace: str = "") -> tuple[Ref, ...]:
        """The objects of a kind by name, of one namespace where given, sorted; empty if they cannot be read."""

    def names(self, kind: str, namespace: str = "") -> tuple[str, ...]:
        """The names of the objects of a kind, sorted; empty if they cannot be read."""

    def close(self) -> None:
        """Close connections and files. The snapshot stays usable."""
