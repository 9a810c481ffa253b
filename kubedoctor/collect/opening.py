"""One door to what is read: a live cluster or a recorded bundle."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Protocol

import msgspec

from kubedoctor.cluster.kinds.references import Ref
from kubedoctor.cluster.seen.snapshot import Snapshot
from kubedoctor.cluster.seen.wants import LogWant, Want


class Options(msgspec.Struct, frozen=True):
    """What the flags say, as kubectl means them. `request_timeout` is a Go duration; `from_` names files of a bundle."""

    kubeconfig: str | None = None
    context: str | None = None
    namespace: str | None = None
    all_namespaces: bool = False
    as_user: str | None = None
    as_groups: tuple[str, ...] = ()
    request_timeout: str | None = None
    from_: tuple[str, ...] = ()


class Source(Protocol):
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
        """Every object of a kind, whole but for secret values, of one namespace where given; read anew, one by one.

        Raises CannotSee where the list is refused or is not there.
        """

    def names(self, kind: str, namespace: str = "") -> tuple[str, ...]:
        """The names of the objects of a kind, sorted; empty if they cannot be read."""

    def close(self) -> None:
        """Let go of connections and files. The snapshot stays."""


def open_source(options: Options) -> Source:
    """Open what the options name. Raises SourceProblem where that cannot be read; a live server is not asked yet."""
    if options.from_:
        from kubedoctor.collect.bundles import open_bundle

        return open_bundle(options.from_)
    from kubedoctor.collect.live import open_live

    return open_live(options)
