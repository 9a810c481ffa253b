"""A bounded record of what a watch has seen: the differences between versions, never whole copies of what is still there."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta
from typing import Final

import msgspec

from kubedoctor.cluster.history.object_changes import ObjectChange, decoded_change, encoded_change
from kubedoctor.cluster.kinds.meta import KubernetesObject
from kubedoctor.cluster.kinds.references import Ref, ref

MOST_BYTES: Final = 32 * 2**20
LONGEST: Final = timedelta(hours=6)
MOST_MARKS: Final = 1_000
OF_ENTRY: Final = 250
"""Bytes that an entry takes beside its JSON: the struct, its name and its time."""


class RecordedChange(msgspec.Struct, frozen=True):
    """One change of one object, as JSON, seen at a time."""

    at: datetime
    about: Ref
    body: bytes

    @property
    def change(self) -> ObjectChange:
        """The change itself."""
        return decoded_change(self.body)


class IncidentMark(msgspec.Struct, frozen=True):
    """An incident began or ended: its diagnosis, where the fault is, and its summary."""

    at: datetime
    began: bool
    code: str
    about: Ref
    summary: str


class Ring:
    """The newest changes, at most so many bytes and so old; what is older is forgotten. Any thread may use it.

    listeners: called with each change that is kept, its objects before and after and whether only names were read.
    """

    def __init__(self, most_bytes: int = MOST_BYTES, longest: timedelta = LONGEST) -> None:
        self._most = most_bytes
        self._longest = longest
        self._entries: deque[RecordedChange] = deque()
        self._marks: deque[IncidentMark] = deque(maxlen=MOST_MARKS)
        self._bytes = 0
        self._since: datetime | None = None
        self._lock = threading.Lock()
        self.listeners: list[Callable[[datetime, KubernetesObject | None, KubernetesObject | None, bool], object]] = []

    @property
    def since(self) -> datetime | None:
        """From when on everything is known; None before anything was watched."""
        return self._since

    @property
    def size(self) -> int:
        """The bytes that it takes, about."""
        return self._bytes

    def __len__(self) -> int:
        return len(self._entries)

    def begin(self, at: datetime) -> None:
        """The watch begins; what was there before is not known."""
        with self._lock:
            if self._since is None:
                self._since = at

    def note(
        self,
        at: datetime,
        before: KubernetesObject | None,
        after: KubernetesObject | None,
        *,
        names_only: bool = False,
    ) -> None:
        """An object changed, was created (no `before`) or was deleted (no `after`)."""
        obj = after if after is not None else before
        if obj is None:
            return
        body = encoded_change(before, after, names_only=names_only)
        if not body:
            return
        self.put(RecordedChange(at, ref(obj), body))
        for tell in self.listeners:
            tell(at, before, after, names_only)

    def put(self, entry: RecordedChange) -> None:
        """An entry that is newer than all others; a clock that went back does not make it older."""
        with self._lock:
            if self._entries and entry.at < self._entries[-1].at:
                entry = msgspec.structs.replace(entry, at=self._entries[-1].at)
            self._entries.append(entry)
            self._bytes += len(entry.body) + OF_ENTRY
            oldest = entry.at - self._longest
            while self._entries and (self._bytes > self._most or self._entries[0].at < oldest):
                gone = self._entries.popleft()
                self._bytes -= len(gone.body) + OF_ENTRY
                self._since = gone.at if self._since is None else max(self._since, gone.at)

    def mark(self, marks: Iterable[IncidentMark]) -> None:
        """Incidents began or ended."""
        with self._lock:
            self._marks.extend(marks)

    def marks(self) -> tuple[IncidentMark, ...]:
        """The incidents that began and ended, oldest first."""
        with self._lock:
            return tuple(self._marks)

    def entries(self) -> tuple[RecordedChange, ...]:
        """What happened, oldest first."""
        with self._lock:
            return tuple(self._entries)

    def after(self, at: datetime) -> Iterator[RecordedChange]:
        """What happened after a moment, newest first."""
        for entry in reversed(self.entries()):
            if entry.at <= at:
                return
            yield entry

    def until(self, at: datetime) -> Ring:
        """What happened up to a moment."""
        earlier = Ring(self._most, self._longest)
        if self._since is not None:
            earlier.begin(self._since)
        for entry in self.entries():
            if entry.at <= at:
                earlier.put(entry)
        earlier.mark(mark for mark in self.marks() if mark.at <= at)
        return earlier

    def about(self, name: Ref) -> tuple[RecordedChange, ...]:
        """What happened to one object, oldest first."""
        return tuple(entry for entry in self.entries() if entry.about == name)
