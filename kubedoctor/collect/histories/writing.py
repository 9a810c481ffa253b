"""Writes a state and what is watched after it to a file, within a limit of bytes. Only differences and objects without
secret values get here: decoding has removed them."""

from __future__ import annotations

import os
import threading
from datetime import datetime
from pathlib import Path
from typing import IO, Final

import msgspec

from kubedoctor.cluster.history.object_changes import ObjectChange, decoded_change, encoded_change
from kubedoctor.cluster.history.ring import IncidentMark
from kubedoctor.cluster.kinds.meta import KubernetesObject
from kubedoctor.cluster.kinds.references import Ref, ref
from kubedoctor.cluster.seen.snapshot import Snapshot
from kubedoctor.collect.histories.lines import SCHEMA, BaseObject, Happened, RecordedListing, Start, encoded
from kubedoctor.problems import BundleProblem, UsageProblem

MOST_WAITING: Final = 16 << 20
"""Bytes of changes that wait to be written; a disk that is slower stops the recording."""


class HistoryFile:
    """Open for writing until `close`. `full`: the limit is reached, and nothing more is written. Any thread may add."""

    def __init__(self, path: Path, most_bytes: int) -> None:
        self.changes = 0
        self.written = 0
        self.full = False
        self._most = most_bytes
        self._waiting: list[bytes] = []
        self._bytes = 0
        self._lock = threading.Lock()
        self._file: IO[bytes] = _created(path)

    def begin(self, snapshot: Snapshot, namespace: str) -> None:
        """Write the state at the start. Raises UsageProblem where it alone is larger than the limit."""
        listings = tuple(RecordedListing(*listing) for listing in snapshot.listings())
        start = Start(
            SCHEMA,
            snapshot.taken_at,
            snapshot.source.name,
            snapshot.source.kubernetes,
            namespace,
            listings,
            tuple(snapshot.problems),
        )
        self._add(encoded(start))
        for kind in snapshot.kinds():
            for obj in snapshot.of_kind(kind):
                names_only = not snapshot.is_whole(ref(obj))
                self._add(encoded(BaseObject(kind, msgspec.Raw(msgspec.json.encode(obj)), names_only)))
                if self._bytes > MOST_WAITING // 2:
                    self.flush()
        self.flush()
        if self.full:
            self.close()
            raise UsageProblem("the state of the cluster alone is larger than --max-size", "Set a larger --max-size")

    def note(
        self, at: datetime, before: KubernetesObject | None, after: KubernetesObject | None, names_only: bool
    ) -> None:
        """A change, as a `Ring` tells it."""
        obj = after if after is not None else before
        if obj is None:
            return
        whole = after if before is None or after is None else None
        if whole is None and after is not None:
            change = decoded_change(encoded_change(before, after, names_only=names_only))
        else:  # the object that a deletion removes is known to who reads
            change = ObjectChange(
                added=msgspec.UNSET if after is None else after,
                removed=True if after is None else msgspec.UNSET,
                names_only=names_only,
            )
        name: Ref = ref(obj)
        self.changes += 1
        self._add(encoded(Happened(at, (name.kind, name.namespace, name.name), change)))

    def mark(self, mark: IncidentMark) -> None:
        """An incident began or ended."""
        self._add(encoded(Happened(mark.at, mark=mark)))

    def say(self, at: datetime, *, lost: str = "", why: str = "", back: str = "") -> None:
        """That a kind was lost sight of, or is seen again; with neither that the watch goes on."""
        self._add(encoded(Happened(at, lost=lost, why=why, back=back)))

    def flush(self) -> None:
        """Write what waits, whole lines only."""
        with self._lock:
            waiting, self._waiting, self._bytes = b"".join(self._waiting), [], 0
        if self.full or not waiting:
            return
        if self.written + len(waiting) > self._most:
            self.full = True
            waiting = waiting[: waiting.rfind(b"\n", 0, self._most - self.written) + 1]
        self._file.write(waiting)
        self._file.flush()
        self.written += len(waiting)

    def close(self) -> None:
        """Write the rest."""
        self.flush()
        self._file.close()

    def _add(self, line: bytes) -> None:
        with self._lock:
            if self.full or self._bytes > MOST_WAITING:
                self.full = True
                return
            self._waiting.append(line)
            self._bytes += len(line)


def _created(path: Path) -> IO[bytes]:
    """A new file that only its owner may read."""
    try:
        return open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")
    except FileExistsError:
        raise UsageProblem(f"{path} exists", "Set a new file with -o; nothing is overwritten") from None
    except OSError as error:
        raise BundleProblem(
            f"{path} cannot be written: {error.strerror or error}", "Set another path with -o"
        ) from error
