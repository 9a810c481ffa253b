"""Reads a file of `kubedoctor record`: the state at its end, and the history that leads back from there."""

from __future__ import annotations

import contextlib
import gzip
import zlib
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import IO, Any, Final, cast

import msgspec

from kubedoctor.cluster.grammar.text import counted
from kubedoctor.cluster.history.object_changes import ObjectChange, redone
from kubedoctor.cluster.history.ring import RecordedChange, Ring
from kubedoctor.cluster.history.travelling import object_of
from kubedoctor.cluster.kinds.meta import KubernetesObject
from kubedoctor.cluster.kinds.references import Ref
from kubedoctor.cluster.seen.decoding import Unreadable, decode_object
from kubedoctor.cluster.seen.snapshot import Snapshot, Source
from kubedoctor.cluster.seen.wants import Want
from kubedoctor.collect.histories.lines import ENCODER, LINE, OPENING, SCHEMA, START, AnyLine, Start
from kubedoctor.collect.loading import loading
from kubedoctor.collect.unpacking import Bomb, check_is_no_bomb
from kubedoctor.problems import BundleProblem

MOST_LINE: Final = 64 << 20
MOST_HISTORY: Final = 1 << 30
FOR_EVER: Final = timedelta(days=36_500)
MOST_GAPS: Final = 20
_GZIP: Final = b"\x1f\x8b"


def is_history(path: str) -> bool:
    """Whether a path leads to such a file, as it is or packed with gzip."""
    try:
        if not Path(path).is_file():
            return False
        with _opened(path) as (file, _):
            return file.read(len(OPENING)) == OPENING
    except (OSError, EOFError, zlib.error):
        return False


def read_history(path: str, name: str) -> tuple[Snapshot, str]:
    """The closed snapshot of the end, with its history, and the namespace that was recorded (empty: all). Raises
    BundleProblem where the file is not one, or written by a newer kubedoctor."""
    try:
        with _opened(path) as (file, packed), loading():
            return _Reader(name, packed).read(file)
    except Bomb as bomb:
        raise BundleProblem(
            f"{name} cannot be a recording of a cluster: {bomb}",
            "Do not unpack it. Get a new file from a source that you trust",
        ) from None
    except (OSError, EOFError, zlib.error) as error:
        raise BundleProblem(f"{path} cannot be read: {error}") from error


@contextlib.contextmanager
def _opened(path: str) -> Iterator[tuple[IO[bytes], IO[bytes] | None]]:
    """The text of a file, and the file itself where it is packed."""
    with open(path, "rb") as file:
        is_packed = file.read(2) == _GZIP
        file.seek(0)
        if not is_packed:
            yield file, None
            return
        with gzip.GzipFile(fileobj=file) as unpacked:
            yield cast("IO[bytes]", unpacked), file


class _Reader:
    def __init__(self, name: str, packed: IO[bytes] | None) -> None:
        """packed: the file itself, where its text is packed."""
        self._name, self._packed = name, packed
        self._objects: dict[Ref, Any] = {}
        self._names: set[Ref] = set()
        self._lost: dict[str, tuple[datetime, str]] = {}
        self._problems: list[str] = []
        self._unreadable = 0
        self._ring = Ring(MOST_HISTORY, FOR_EVER)

    def read(self, file: IO[bytes]) -> tuple[Snapshot, str]:
        start = self._start(file.readline(MOST_LINE))
        at = start.at
        self._ring.begin(at)
        for line in self._whole_lines(file):
            try:
                read = LINE.decode(line)
            except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
                self._unreadable += 1
                continue
            if read.at is None:
                self._base(read)
            else:
                at = max(at, read.at)
                self._happened(read, read.at)
        return self._snapshot(start, at), start.namespace

    def _whole_lines(self, file: IO[bytes]) -> Iterator[bytes]:
        """The lines that have an end: the last may have been cut off. A packed file may end too early as well."""
        size = 0
        while True:
            try:
                line = file.readline(MOST_LINE)
            except EOFError:
                return
            except (OSError, zlib.error) as error:
                self._problems.append(f"{self._name} is damaged ({error}); everything before that was read")
                return
            size += len(line)
            if self._packed is not None:
                check_is_no_bomb(size, self._packed.tell())
            if not line.endswith(b"\n"):
                if len(line) == MOST_LINE:
                    most = f"{MOST_LINE >> 20} MiB"
                    self._problems.append(f"{self._name} has a line longer than {most}; everything before it was read")
                return
            yield line

    def _start(self, line: bytes) -> Start:
        try:
            start = START.decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            raise BundleProblem(f"{self._name} was cut off in its first line") from None
        if start.schema != SCHEMA:
            raise BundleProblem(f"{self._name} was written by a newer kubedoctor ({start.schema})", "Update kubedoctor")
        return start

    def _base(self, line: AnyLine) -> None:
        """Kept as JSON until something changes."""
        try:
            objects = decode_object(line.kind, line.object, names_only=line.names_only).objects
        except Unreadable:
            self._unreadable += 1
            return
        for obj in objects:
            name = Ref(line.kind, obj.metadata.namespace, obj.metadata.name)
            self._objects[name] = obj
            if line.names_only:
                self._names.add(name)

    def _happened(self, line: AnyLine, at: datetime) -> None:
        if line.about is not None and line.change is not None:
            self._change(Ref(*line.about), line.change, at)
        elif line.mark is not None:
            self._ring.mark((line.mark,))
        elif line.lost:
            self._lost[line.lost] = (at, line.why)
        elif line.back:
            self._back(line.back, at)

    def _change(self, name: Ref, change: ObjectChange, at: datetime) -> None:
        known = self._objects.pop(name, None)
        data = msgspec.json.decode(ENCODER.encode(known)) if isinstance(known, KubernetesObject) else known
        kept = change
        if change.added is not msgspec.UNSET:
            kept = ObjectChange(added=True, names_only=change.names_only)
        elif change.removed is not msgspec.UNSET:
            kept = ObjectChange(removed=data, names_only=change.names_only)
        elif data is None:
            self._unreadable += 1
            return
        self._ring.put(RecordedChange(at, name, ENCODER.encode(kept)))
        after = redone(data, change)
        if after is not None:
            self._objects[name] = after
        if change.names_only:
            self._names.add(name)

    def _back(self, kind: str, at: datetime | None) -> None:
        began, why = self._lost.pop(kind, (None, ""))
        if began is not None and len(self._problems) < MOST_GAPS:
            end = f"to {at:%H:%M:%S}" if at is not None else "on"
            self._problems.append(f"{kind} was not watched from {began:%H:%M:%S} UTC {end}: {why}")

    def _snapshot(self, start: Start, at: datetime) -> Snapshot:
        snapshot = Snapshot(at, Source("bundle", self._name, start.kubernetes), closed=True)
        for name, data in self._objects.items():
            obj = data if isinstance(data, KubernetesObject) else object_of(name, data)
            if obj is None:
                self._unreadable += 1
            elif name in self._names:
                snapshot.add_names((obj,))
            else:
                snapshot.add((obj,))
        for listing in start.listings:
            want = Want(listing.kind, listing.namespace)
            if listing.state == "whole":
                snapshot.cover(want)
            elif listing.state == "part":
                snapshot.limit(want, listing.why)
            else:
                snapshot.refuse(want, listing.why)
        for kind in list(self._lost):
            self._back(kind, None)
        snapshot.problems += [*start.problems, *self._problems]
        if self._unreadable:
            snapshot.problems.append(f"{counted(self._unreadable, 'line')} of {self._name} cannot be read; ignored")
        snapshot.history = self._ring
        return snapshot
