"""What the screens expect of a source: that it can be kept current, how current it is, and which others there are."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any, Protocol, runtime_checkable

import msgspec

from kubedoctor.cluster.seen.news import News
from kubedoctor.cluster.seen.snapshot import Source
from kubedoctor.collect.source import ReadableCluster


class Watch(Protocol):
    """Keeps a snapshot current from its own threads."""

    def status(self) -> tuple[Any, ...]:
        """The status of each kind: `kind`, `state` (`stale` where the connection is lost), `since`, `why`."""

    def stop(self) -> None:
        """Stop watching."""


@runtime_checkable
class Watchable(Protocol):
    """A source that can be kept current; its `lock` guards the snapshot meanwhile."""

    lock: AbstractContextManager[object]

    def watch(self, kinds: Iterable[str], on_change: Callable[[News], None], namespace: str | None = None) -> Watch:
        """Start to watch; `on_change` is called from another thread with what changed."""


@runtime_checkable
class Strained(Protocol):
    """A source that says whether its server answers late."""

    @property
    def strain(self) -> str:
        """A clause; empty where it answers as it should."""


class Freshness(msgspec.Struct, frozen=True):
    """How current the shown state is; `at` None: nothing was read yet. `lost` is empty while connected, else why the
    connection is lost. `past`: the earlier moment that is shown. `strain`: that the server answers late or is too busy, a clause."""

    at: datetime | None
    live: bool
    watching: bool = False
    lost: str = ""
    past: str = ""
    strain: str = ""


def freshness_of(source: ReadableCluster, watch: Watch | None, changed_at: datetime | None) -> Freshness:
    """Of a live source. changed_at: of the last change that was seen."""
    strain = source.strain if isinstance(source, Strained) else ""
    stale = [status for status in watch.status() if status.state == "stale"] if watch is not None else []
    if not stale:
        return Freshness(changed_at, live=True, watching=watch is not None, strain=strain)
    first = min(stale, key=lambda status: (status.since, status.kind))
    more = f" and {len(stale) - 1} other kinds" if len(stale) > 1 else ""
    return Freshness(first.since, live=True, lost=f"Lost sight of {first.kind}{more}: {first.why}.", strain=strain)


class Opener(msgspec.Struct, frozen=True):
    """Opens other contexts, and lists them. `current`: the context of a kubectl command that names none; None where that is not
    known."""

    contexts: Callable[[], tuple[str, ...]]
    open: Callable[[str], ReadableCluster]
    current: Callable[[], str | None] = lambda: None

    def flags(self, source: Source) -> tuple[str, ...]:
        """Those that a command needs to reach the cluster, also where the current context has changed since the start."""
        named = "--context" in source.flags or self.current() in (None, source.name)
        return source.flags if named or source.kind != "live" else (*source.flags, "--context", source.name)
