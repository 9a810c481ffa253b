"""One kind followed by list and watch, as client-go's reflector does (`tools/cache/reflector.go`, v1.37)."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from datetime import UTC, datetime

import msgspec

from kubedoctor.cluster.kinds.meta import KubernetesObject
from kubedoctor.cluster.kinds.references import Ref, ref
from kubedoctor.cluster.kinds.resources import kind_named
from kubedoctor.cluster.seen.heartbeats import is_heartbeat
from kubedoctor.cluster.seen.sharing import Models, keep_parts, share_parts
from kubedoctor.cluster.seen.snapshot import Snapshot
from kubedoctor.cluster.seen.wants import Barrier, Want
from kubedoctor.collect.connecting.transport import JSON, LineStream, Transport
from kubedoctor.collect.live.answers import ApiRefusal
from kubedoctor.collect.live.listing import Listed, ReadAt, ServedResource, read_list
from kubedoctor.collect.live.served import ServedKinds
from kubedoctor.collect.live.watch_events import EventReader, WatchEvent, WatchExpired
from kubedoctor.collect.loading import loading
from kubedoctor.collect.metrics import NO_METRICS, is_metrics
from kubedoctor.problems import SourceProblem

FIRST_PAUSE = 0.5  # seconds before the first attempt to reconnect
LONGEST_PAUSE = 30.0
_AT_ONCE = 0.0005  # seconds; a line that takes longer was not there yet
_MUCH = 1 << 15  # bytes
_TOGETHER = 0.1  # seconds from one batch of events to the next
_HEARTBEATS_TOGETHER = 0.5
_POLL = 30.0  # seconds between lists of what cannot be watched
_LASTS = (300, 600)  # seconds; spreads the ends of the watches of many kinds
_IDLE = 150.0  # seconds without a bookmark, of which one comes every minute
_CHANCE = random.SystemRandom()  # Threads must not change the numbers of a caller that has seeded the module.
_BRIEF = 1.0  # seconds; a watch that ended sooner shows no changes
_FUTILE = 3
"""Such watches in a row, after which only the lists are current."""
_BUSY = (429, 503)
_NAMES_ONLY = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"


class KindStatus(msgspec.Struct, frozen=True):
    """How current one kind is. `state` is listing, watching, stale or refused; `since` is the time of the last change
    of state. `why` is a clause where it is stale or refused, or where only a part is seen.
    """

    kind: str
    state: str
    since: datetime
    why: str = ""


class FollowedSnapshot(msgspec.Struct, frozen=True):
    """The snapshot that followers write to, its lock, and the callback for a kind that changed; with the objects, where
    only these did. now: the API server's time, for the history of the snapshot."""

    snapshot: Snapshot
    lock: AbstractContextManager[object]
    changed: Callable[[str, Iterable[Ref] | None], None]
    now: Callable[[], datetime]

    def note(
        self, changes: Iterable[tuple[KubernetesObject | None, KubernetesObject | None]], names_only: bool
    ) -> None:
        """Keep what happened to objects: before and after."""
        if (history := self.snapshot.history) is not None:
            at = self.now()
            for before, after in changes:
                history.note(at, before, after, names_only=names_only)


class Follower:
    """Keeps one kind current in a thread that calls `run`, until `stopping` is set and `interrupt` called. `start`: the
    snapshot has the whole list of that version already."""

    def __init__(
        self,
        transport: Transport,
        served: ServedKinds,
        store: FollowedSnapshot,
        kind: str,
        namespace: str,
        stopping: threading.Event,
        start: ReadAt | None = None,
    ) -> None:
        self.kind = kind
        self.status = KindStatus(kind, "listing", datetime.now(UTC))
        self._transport = transport
        self._served = served
        self._store = store
        self._stopping = stopping
        self._wanted = namespace
        self._resource: ServedResource | None = start.resource if start else None
        self._namespace = namespace
        self._part = ""
        self._version = start.version if start else ""
        self._started = start is None
        self._stream: LineStream | None = None
        self._unwatchable = False
        self._futile = 0
        self._models: Models = {}
        self._calm = 0.0

    def run(self) -> None:
        """List, watch, reconnect, list again where needed."""
        pause = FIRST_PAUSE
        while not self._stopping.is_set():
            self._calm = 0.0
            try:
                if not self._version:
                    self._list()
                self._watch()
            except WatchExpired:
                self._version = ""
            except ApiRefusal as refusal:
                self._refused(refusal)
            except SourceProblem as problem:
                self._say("stale", problem.what)
            except Exception as error:  # noqa: BLE001  # If the thread ended, the outdated state would look current.
                self._version = ""
                self._say("stale", f"{self._asked()}: the response cannot be handled ({type(error).__name__})")
            if self._calm > pause:  # a list does not count: a server that refuses each watch would be listed for ever
                pause = FIRST_PAUSE
            self._stopping.wait(pause * _CHANCE.uniform(0.75, 1.25))
            pause = min(pause * 2, LONGEST_PAUSE)

    def interrupt(self) -> None:
        """End the wait for the next event."""
        stream = self._stream
        if stream is not None:
            stream.close()

    # List

    def _list(self) -> None:
        missing, known = "", self._known()
        for resource in self._served.candidates(self.kind):
            try:
                listed = self._read(resource)
            except ApiRefusal as refusal:
                if refusal.status != 404:
                    raise
                missing = resource.not_served if resource.is_denied(refusal) else missing
                continue
            self._served.works(resource)
            self._resource = resource
            self._take(resource, listed)
            self._note_list(known, listed, names_only=resource.names_only)
            return
        if missing:
            self._refuse(missing, Barrier.NOT_SERVED)
            raise WatchExpired
        if is_metrics(self.kind):
            raise ApiRefusal(404, "NotFound", NO_METRICS)
        with self._store.lock:  # Not served: no objects exist until the kind is installed.
            self._store.snapshot.replace_all(self.kind, (), self._wanted)
        self._say("watching")
        self._rest(LONGEST_PAUSE)
        raise WatchExpired

    def _known(self) -> dict[Ref, KubernetesObject] | None:
        """What was there before a list; None where that is not known, or there is no history to keep."""
        snapshot = self._store.snapshot
        with self._store.lock:
            if snapshot.history is None or not snapshot.covers(Want(self.kind, self._wanted)):
                return None
            return {ref(obj): obj for obj in snapshot.of_kind(self.kind, self._wanted)}

    def _note_list(self, known: dict[Ref, KubernetesObject] | None, listed: Listed, *, names_only: bool) -> None:
        """Keep what happened between a watch and the list after it."""
        if known is None:
            return
        pairs: list[tuple[KubernetesObject | None, KubernetesObject | None]] = []
        for obj in listed.objects:
            before = known.pop(ref(obj), None)
            if before is None or not (before is obj or is_heartbeat(before, obj)):
                pairs.append((before, obj))
        self._store.note([*pairs, *((gone, None) for gone in known.values())], names_only)

    def _read(self, resource: ServedResource) -> Listed:
        """The list that may be read: one namespace where all namespaces are refused."""
        self._namespace, self._part = self._wanted, ""
        try:
            return self._chunks(resource)
        except ApiRefusal as refusal:
            fallback = self._transport.connection.namespace
            if refusal.status != 403 or self._wanted or not resource.row.namespaced:
                raise
            self._namespace = fallback
            self._part = f"only namespace {fallback} could be read: {resource.listing('')} is forbidden"
            return self._chunks(resource)

    def _chunks(self, resource: ServedResource) -> Listed:
        def show(objects: tuple[KubernetesObject, ...]) -> None:
            with self._store.lock:
                if resource.names_only:
                    self._store.snapshot.add_names(objects)
                else:
                    self._store.snapshot.add(objects)
            self._store.changed(self.kind, None)

        with loading(keep=True):
            return read_list(self._transport, resource, Want(self.kind, self._namespace), on_chunk=show)

    def _take(self, resource: ServedResource, listed: Listed) -> None:
        snapshot, want = self._store.snapshot, Want(self.kind, self._namespace)
        with self._store.lock:
            snapshot.problems.extend(problem for problem in listed.problems if problem not in snapshot.problems)
            if listed.broke_off:
                snapshot.limit(want, listed.broke_off)
            elif resource.names_only:
                there = {obj.metadata.name for obj in listed.objects}
                for obj in snapshot.of_kind(self.kind, self._namespace):
                    if obj.metadata.name not in there:
                        snapshot.remove(Ref(self.kind, obj.metadata.namespace, obj.metadata.name))
                snapshot.cover(want)
            else:
                snapshot.replace_all(self.kind, listed.objects, self._namespace)
            snapshot.lose(self.kind, listed.problems)
            if self._part:
                snapshot.limit(Want(self.kind), self._part)
        if listed.broke_off:
            self._say("stale", listed.broke_off)
            raise WatchExpired
        self._version = listed.resource_version or "0"
        self._watching()

    # Watch

    def _watch(self) -> None:
        """One watch to its end. Raises WatchExpired where the list must be read again."""
        resource = self._resource
        assert resource is not None, "a kind is listed before it is watched"
        query: dict[str, str | int] = {
            "watch": "true",
            "resourceVersion": self._version,
            "allowWatchBookmarks": "true",
            "timeoutSeconds": _CHANCE.randint(*_LASTS),
        }
        accept = _NAMES_ONLY if resource.names_only else JSON
        try:
            self._stream = self._transport.stream(resource.path(self._namespace), query, idle=_IDLE, accept=accept)
        except ApiRefusal as refusal:
            if refusal.status == 410:
                self._note_end("as expired (410)", 0.0)
                raise WatchExpired from None
            if refusal.status in (404, 405):
                self._say("watching", f"{resource.row.resource} cannot be watched; listed every {_POLL:.0f}s")
                self._rest(_POLL)
                raise WatchExpired from None
            if not self._started and refusal.status not in _BUSY:  # it may not know the version: a list will tell
                self._started = True
                raise WatchExpired from None
            raise
        if self._stopping.is_set():
            self._stream.close()  # The loop below ends at once and closes the connection.
        self._watching()
        self._started = True
        reader = EventReader(resource, self._namespace, self._store.snapshot.get)
        asked = began = time.monotonic()
        heard = False
        try:
            for lines in self._stream:
                # Where much has arrived there is more, and it must not wait: reading it also takes its time.
                waited = time.monotonic() - asked > _AT_ONCE and sum(map(len, lines)) < _MUCH
                is_news, heard = self._take_events(reader, lines), True
                if time.monotonic() - began > _BRIEF:
                    self._futile = 0
                self._watching()
                if waited:  # what arrives meanwhile is then read without waiting, which takes half the time
                    self._stopping.wait(_TOGETHER if is_news else _HEARTBEATS_TOGETHER)
                asked = time.monotonic()
            if not heard:
                self._note_end("at once", time.monotonic() - began)
        except WatchExpired:
            self._note_end("as expired (410)", time.monotonic() - began)
            raise
        finally:
            self._calm += time.monotonic() - began

    def _note_end(self, how: str, lasted: float) -> None:
        """One watch that shows no changes may happen; where all are so, the state is that of the last list."""
        self._futile = self._futile + 1 if lasted < _BRIEF else 0
        if self._futile >= _FUTILE:
            self._say("stale", f"the server ends each watch {how}, and only lists show changes")

    def _take_events(self, reader: EventReader, lines: list[bytes]) -> bool:
        """Put events into the snapshot, up to one that cannot be read; whether there is news."""
        events: list[WatchEvent] = []
        try:
            for line in lines:
                events.append(self._read_event(reader, line))  # noqa: PERF401  # those before an error stay
        finally:
            is_news = self._apply(events)
        return is_news

    def _read_event(self, reader: EventReader, line: bytes) -> WatchEvent:
        try:
            event = reader.read(line)
        except ApiRefusal:
            self._unwatchable = True
            raise
        self._unwatchable = False
        return event

    def _rest(self, seconds: float) -> None:
        self._stopping.wait(seconds)
        self._calm += seconds

    def _apply(self, events: list[WatchEvent]) -> bool:
        """Put the events into the snapshot; whether they are news."""
        changes: list[tuple[str, KubernetesObject | None, KubernetesObject]] = []
        whole = False
        with self._store.lock:
            for event in events:
                changes += [(event.type, self._put(event.type, obj), obj) for obj in event.decoded.objects]
                self._version = event.version or self._version
                whole |= self._lose(event.decoded.problems)
        news = [change for change in changes if change[0] != "MODIFIED" or not is_heartbeat(*change[1:])]
        names = [Ref(self.kind, obj.metadata.namespace, obj.metadata.name) for _, _, obj in news]
        if names:
            names_only = self._resource is not None and self._resource.names_only
            pairs = ((before, obj if type_ != "DELETED" else None) for type_, before, obj in news)
            self._store.note(pairs, names_only)
            self._store.changed(self.kind, names)
        if whole:
            self._store.changed(self.kind, None)
        return bool(names) or whole

    def _put(self, type_: str, obj: KubernetesObject) -> KubernetesObject | None:
        """Add, replace or remove an object; returns what was there."""
        snapshot, name = self._store.snapshot, Ref(self.kind, obj.metadata.namespace, obj.metadata.name)
        before = snapshot.get(name)
        if before is not None:
            keep_parts(before, obj)
        elif type_ == "ADDED":
            share_parts((obj,), self._models)
        if type_ == "DELETED":
            snapshot.remove(name)
        elif self._resource is not None and self._resource.names_only:
            snapshot.add_names((obj,))
        else:
            snapshot.add((obj,))
        self._version = obj.metadata.resource_version or self._version
        return before

    def _lose(self, problems: tuple[str, ...]) -> bool:
        """Keep what could not be read of an object."""
        snapshot = self._store.snapshot
        if problems:
            snapshot.problems.extend(problem for problem in problems if problem not in snapshot.problems)
            snapshot.lose(self.kind, problems)
        return bool(problems)

    # Status

    def _refused(self, refusal: ApiRefusal) -> None:
        asked = self._asked()
        if refusal.status == 404 and is_metrics(self.kind):
            why, barrier = NO_METRICS, Barrier.NOT_SERVED
        elif refusal.status == 403:
            why, barrier = f"{asked} is forbidden", Barrier.FORBIDDEN
        else:
            self._say("stale", f"{asked}: {refusal.clause}")
            if not refusal.status:
                self._version = ""
            return
        self._refuse(why, barrier)

    def _refuse(self, why: str, barrier: Barrier) -> None:
        self._version = ""
        with self._store.lock:
            self._store.snapshot.refuse(Want(self.kind, self._wanted), why, barrier)
        self._say("refused", why)
        self._rest(LONGEST_PAUSE)  # Permissions may be granted in the meantime.

    def _asked(self) -> str:
        """The request in words; discovery, which may be what failed, is not used."""
        if self._resource is not None:
            return self._resource.listing(self._wanted)
        row = kind_named(self.kind)
        return ServedResource(row, self.kind, row.version).listing(self._wanted) if row else f"list {self.kind}"

    def _watching(self) -> None:
        """Report the kind as watched, unless the last watches sent no readable event: then only lists are current."""
        if not self._unwatchable and self._futile < _FUTILE:
            self._say("watching", self._part)

    def _say(self, state: str, why: str = "") -> None:
        before = self.status
        if (before.state, before.why) != (state, why):
            self.status = KindStatus(self.kind, state, datetime.now(UTC), why)
            if self._started or state != "watching":  # a list that was read before is no news
                self._store.changed(self.kind, None)
