"""The kinds of extensions of a source: those with objects are watched, the others listed again after a while."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from contextlib import suppress

from kubedoctor.cluster import Snapshot
from kubedoctor.cluster.kinds.resources import ResourceKind
from kubedoctor.collect.source import ReadableCluster
from kubedoctor.engine.health import extensions_named
from kubedoctor.problems import SourceProblem

MOST_WATCHED = 16
"""Kinds; each watch costs a connection."""
LASTS = 60.0
"""Seconds for which the lists of the others are used: a cluster may have hundreds of kinds."""


class KnownExtensions:
    """`kinds`: as far as they are known, which is after the first `read`."""

    def __init__(self, source: ReadableCluster) -> None:
        self.kinds: tuple[ResourceKind, ...] = ()
        self._source = source
        self._read_at = -LASTS

    def read(self, seen: Callable[[], Snapshot], namespace: str, watched: Collection[str], *, force: bool) -> None:
        """List those that are not watched, where their lists are old or `force` is true. `namespace` empty: of all."""
        if not force and time.monotonic() - self._read_at <= LASTS:
            return
        self._source.list_extensions(extensions_named(seen()), namespace or None, watched)
        self._read_at = time.monotonic()
        with suppress(SourceProblem):  # said by the list
            self.kinds = self._source.extension_kinds()

    def to_watch(self, snapshot: Snapshot) -> tuple[str, ...]:
        """Those that have objects."""
        return tuple(kind for kind in snapshot.kinds() if "." in kind)[:MOST_WATCHED]
