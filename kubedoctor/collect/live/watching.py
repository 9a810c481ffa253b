"""A snapshot kept current: each kind is listed once, unless it was listed before, then watched."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta

from kubedoctor.cluster.kinds.references import Ref
from kubedoctor.cluster.kinds.resources import kind_named
from kubedoctor.cluster.seen.news import News
from kubedoctor.cluster.seen.snapshot import Snapshot, Source
from kubedoctor.cluster.seen.wants import Want
from kubedoctor.collect.connecting.transport import Transport
from kubedoctor.collect.live.following import FollowedSnapshot, Follower, KindStatus
from kubedoctor.collect.live.listing import ReadAt
from kubedoctor.collect.live.served import ServedKinds

__all__ = ["KindStatus", "Watcher"]

MOST_NOTICES = 10  # a second
AGAIN = 1.0  # seconds after a report that failed
_NOTICES = "kubedoctor-notices"


class Watcher:
    """Threads that keep a snapshot current, one per kind, from construction until `stop`.

    `starts`: the lists that `snapshot` has and that need not be read again. `on_change` is called in a thread of the watcher, at most ten times a second, with what changed; a kind
    whose status changed counts as changed. Hold `lock` while reading `snapshot`; both may be those of a LiveSource.
    """

    def __init__(
        self,
        transport: Transport,
        kinds: Iterable[str],
        namespace: str | None,
        on_change: Callable[[News], None],
        *,
        snapshot: Snapshot | None = None,
        lock: AbstractContextManager[object] | None = None,
        starts: Mapping[Want, ReadAt] | None = None,
    ) -> None:
        self.snapshot = snapshot or Snapshot(
            datetime.now(UTC), Source("live", transport.connection.context, flags=transport.connection.flags)
        )
        self.lock = lock or threading.RLock()
        self._transport = transport
        self._on_change = on_change
        self._stopping = threading.Event()
        self._wake = threading.Event()
        self._kinds: set[str] = set()
        self._objects: set[Ref] = set()
        self._changing = threading.Lock()
        self._since = datetime.now(UTC)
        self._failure: KindStatus | None = None
        served, store = ServedKinds(transport), FollowedSnapshot(self.snapshot, self.lock, self._note, self.now)
        self._followers = [
            Follower(transport, served, store, kind, namespace or "", self._stopping, _start(starts, kind, namespace))
            for kind in sorted(set(kinds))
            if kind_named(kind) or "." in kind
        ]
        if self.snapshot.history is not None:
            self.snapshot.history.begin(self.now())
        self._threads = [threading.Thread(target=self._notify, daemon=True, name=_NOTICES)]
        self._threads += [
            threading.Thread(target=follower.run, daemon=True, name=_thread_name(follower.kind))
            for follower in self._followers
        ]
        for thread in self._threads:
            thread.start()

    def status(self) -> tuple[KindStatus, ...]:
        """The state of every kind, sorted by kind. `changes` is stale where they cannot be reported."""
        ended = set() if self._stopping.is_set() else {thread.name for thread in self._threads if not thread.is_alive()}
        kinds = [
            _ended(follower.status) if _thread_name(follower.kind) in ended else follower.status
            for follower in self._followers
        ]
        if _NOTICES in ended:
            return (*kinds, _ended(KindStatus("changes", "watching", self._since)))
        return (*kinds, self._failure) if self._failure else tuple(kinds)

    def stop(self) -> None:
        """End all threads; may be called again, and from `on_change`."""
        self._stopping.set()
        self._wake.set()
        for follower in self._followers:
            follower.interrupt()
        for thread in self._threads:
            if thread is not threading.current_thread():
                thread.join(timeout=2.0)

    def now(self) -> datetime:
        """The present by the API server's clock."""
        return datetime.now(UTC) + timedelta(seconds=self._transport.skew)

    def _note(self, kind: str, objects: Iterable[Ref] | None) -> None:
        with self._changing:
            if objects is None:
                self._kinds.add(kind)
            else:
                self._objects.update(objects)
        if not self._wake.is_set():
            self._wake.set()

    def _notify(self) -> None:
        """Report changes, collected over a tenth of a second."""
        while not self._stopping.is_set():
            self._wake.wait()
            if self._stopping.is_set():
                return
            self._wake.clear()
            with self._changing:
                changed = News(frozenset(self._kinds), frozenset(self._objects))
                self._kinds.clear()
                self._objects.clear()
            if changed:
                with self.lock:
                    self.snapshot.taken_at = self.now()
                    self.snapshot.requests = self._transport.requests
                self._tell(changed)
            time.sleep(1 / MOST_NOTICES)

    def _tell(self, changed: News) -> None:
        """Report changes; where that fails, it is said, and they are reported again with the next ones."""
        try:
            self._on_change(changed)
        except Exception as error:  # noqa: BLE001  # If the thread ended, the outdated screen would look current.
            why = f"they cannot be shown ({type(error).__name__})"
            if self._failure is None or self._failure.why != why:
                self._failure = KindStatus("changes", "stale", datetime.now(UTC), why)
            with self._changing:
                self._kinds |= changed.kinds
                self._objects |= changed.objects
            self._stopping.wait(AGAIN)
            self._wake.set()
        else:
            self._failure = None


def _start(starts: Mapping[Want, ReadAt] | None, kind: str, namespace: str | None) -> ReadAt | None:
    row = kind_named(kind)
    scope = (namespace or "") if row is None or row.namespaced else ""
    return starts.get(Want(kind, scope)) if starts else None


def _thread_name(kind: str) -> str:
    return f"kubedoctor-watch-{kind}"


def _ended(status: KindStatus) -> KindStatus:
    return KindStatus(status.kind, "stale", status.since, "the thread that reads it has ended; start kubedoctor again")
