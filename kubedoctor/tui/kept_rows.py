"""The rows of a list kept current: only the rows of what changed are made again."""

from __future__ import annotations

import threading
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Collection, Iterable, Iterator
from itertools import chain
from typing import Any

from kubedoctor.cluster import Ref, Snapshot, Want, ref
from kubedoctor.cluster.relations.family import Family
from kubedoctor.cluster.seen.news import News
from kubedoctor.engine import Report
from kubedoctor.tui.incidents.incident_rows import view_rows
from kubedoctor.tui.marks import Marks, Restarts, marks_of
from kubedoctor.tui.pages.refusals import scope_of
from kubedoctor.tui.rows import (
    ROOTS,
    Row,
    View,
    arrange,
    belongs,
    counts,
    place_in,
    placed,
    row_of,
    workload_row,
)

FIRST_KINDS = (*ROOTS, "Namespace")
"""The kinds of the first list; read before the kinds that only the diagnostics need."""
_OWNERS = frozenset(ROOTS) - {"Pod"}
_OWNED = ("Pod", "ReplicaSet", "Job")
_BLOCK = 512
_MOST = 4 * _BLOCK


class KeptRows:
    """The rows of a view in an order of `rows.arrange`, with the marks of one report, and how many there are of each
    health."""

    def __init__(
        self, snapshot: Snapshot, view: View, report: Report | None, order: str, marks: Marks | None = None
    ) -> None:
        """marks: those of the report."""
        self.view, self.report, self.order = view, report, order
        family = Family(snapshot)
        self._marks = marks or marks_of(report, family)
        self._restarts = Restarts(snapshot, view.namespace, family) if not view.kind else None
        in_families = not view.kind or view.owner is not None
        self._owners = {ref(obj) for kind in _OWNERS for obj in snapshot.of_kind(kind)} if in_families else set()
        rows = view_rows(snapshot, view, report, restarts=self._restarts, marks=self._marks)
        self.rows = rows = rows if order == "health" else arrange(rows, order)
        """The same tuple as before, as long as no row differs."""
        self._sorted: SortedRows | None = None
        self._by_name: dict[Ref, Row] = {}
        self.counts = counts(rows)

    def prepare(self) -> SortedRows:
        """Make what updates need, which takes a while for many rows; in a recording nothing changes."""
        if self._sorted is None:
            self._sorted = SortedRows(self.rows, place_in(self.order))
            self._by_name = {row.ref: row for row in self.rows}
        return self._sorted

    def update(self, snapshot: Snapshot, changed: Collection[Ref]) -> bool:
        """Take over objects that were added, changed or removed; whether any row differs now."""
        if self.view.kind in ("Finding", "Context") or not changed:
            return False
        family = Family(snapshot)
        differs = False
        in_order = self.prepare()
        for name in self._touched(snapshot, changed, family):
            differs |= self._put(in_order, name, self._row(name, snapshot, family))
        if differs:
            self.rows = tuple(in_order)
        return differs

    def _touched(self, snapshot: Snapshot, changed: Iterable[Ref], family: Family) -> set[Ref]:
        """The objects whose rows may differ."""
        touched = {name for name in changed if self._in_view(name)}
        if not self.view.kind or self.view.owner is not None:
            turned = [name for name in touched if name.kind in _OWNERS and self._has_turned(name, snapshot)]
            touched |= set(_owned_by(turned, snapshot))
        if self._restarts is None:
            return {name for name in touched if name.kind == self.view.kind}
        touched = {name for name in touched if name.kind in ROOTS}
        for name in [name for name in touched if name.kind == "Pod"]:
            touched |= self._restarts.count(name, snapshot.get(name), family)
        if any(name.kind == "Job" for name in touched):
            touched |= {name for name in self._owners if name.kind == "CronJob" and self._in_view(name)}
        return touched

    def _in_view(self, name: Ref) -> bool:
        return not self.view.namespace or name.namespace in ("", self.view.namespace)

    def _has_turned(self, name: Ref, snapshot: Snapshot) -> bool:
        """Whether a workload is new or gone: then what it owns has another place."""
        there = snapshot.get(name) is not None
        if there == (name in self._owners):
            return False
        (self._owners.add if there else self._owners.discard)(name)
        return True

    def _row(self, name: Ref, snapshot: Snapshot, family: Family) -> Row | None:
        obj = snapshot.get(name)
        if obj is None:
            return None
        if self._restarts is not None:
            row = workload_row(obj, snapshot, family, self._marks.worst, self._restarts)
        elif self.view.owner is not None and not belongs(obj, self.view.owner, family):
            row = None
        else:
            row = row_of(obj, self._marks.worst)
        return placed(row, self._marks) if row is not None else None

    def _put(self, rows: SortedRows, name: Ref, row: Row | None) -> bool:
        """Put a row in its place; None removes it. Whether anything differs now."""
        before = self._by_name.get(name)
        if before == row:
            return False
        if before is not None:
            self.counts[before.health] -= 1
            rows.remove(before)
            del self._by_name[name]
        if row is not None:
            self.counts[row.health] += 1
            rows.add(row)
            self._by_name[name] = row
        return True


class SortedRows:
    """Sorted by a key that no two rows share. They are kept in blocks: in one list, each exchange would move half of
    all rows."""

    def __init__(self, rows: Iterable[Row], key: Callable[[Row], Any]) -> None:
        """rows: sorted already."""
        self._key = key
        rows = list(rows)
        self._rows = [rows[start : start + _BLOCK] for start in range(0, len(rows), _BLOCK)] or [[]]
        self._keys = [[key(row) for row in block] for block in self._rows]
        self._starts = [keys[0] for keys in self._keys[1:]]  # the first block has no least key

    def __iter__(self) -> chain[Row]:
        return chain.from_iterable(self._rows)

    def add(self, row: Row) -> None:
        """Put a row in its place."""
        key = self._key(row)
        number = bisect_right(self._starts, key)
        rows, keys = self._rows[number], self._keys[number]
        place = bisect_left(keys, key)
        keys.insert(place, key)
        rows.insert(place, row)
        if len(rows) > _MOST:
            self._split(number)

    def remove(self, row: Row) -> None:
        """Take out a row that is there."""
        key = self._key(row)
        number = bisect_right(self._starts, key)
        place = bisect_left(self._keys[number], key)
        del self._rows[number][place], self._keys[number][place]

    def _split(self, number: int) -> None:
        half = len(self._rows[number]) // 2
        for blocks in (self._rows, self._keys):
            block: list[Any] = blocks[number]
            blocks[number : number + 1] = [block[:half], block[half:]]
        self._starts.insert(number, self._keys[number + 1][0])


MOST_VIEWS, LEAST_VIEWS = 12, 3
MOST_ROWS = 200_000
"""Rows of all views together, but for those of the last few."""
MOST_MISSED = 20_000
"""Objects that changed meanwhile; for more the rows are made again."""


class KeptViews:
    """Rows by view, and what changed since they were made current."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: dict[View, KeptRows] = {}
        self._missed: dict[View, set[Ref]] = {}
        self._marks: tuple[Report | None, Marks] = (None, Marks())

    def marks(self, report: Report | None, snapshot: Snapshot) -> Marks:
        """The marks of a report, the same for all views."""
        if self._marks[0] is not report:
            self._marks = report, marks_of(report, Family(snapshot))
        return self._marks[1]

    def take(
        self, view: View, report: Report | None, order: str, news: News | None
    ) -> tuple[KeptRows, set[Ref]] | None:
        """The rows of a view, and the objects whose rows may differ by now; None where all are to be made. They are kept
        no longer until they are put back: what breaks off is made again. What changes from now on counts as missed.

        news: what the caller knows to have changed.
        """
        with self._lock:
            kept, missed = self._kept.pop(view, None), self._missed.pop(view, set())
            self._missed[view] = set()
        if kept is None or kept.order != order or kept.report is not report:
            return None
        if news is not None and not news.kinds.isdisjoint(kinds_of_rows(view)):
            return None
        return kept, missed | news.objects if news is not None else missed

    def put(self, kept: KeptRows) -> None:
        """Keep these rows, which are as current as they were when they were taken."""
        with self._lock:
            if kept.view in self._missed:
                self._kept[kept.view] = kept
                self._drop_useless(kept.report)

    def _drop_useless(self, report: Report | None) -> None:
        """Rows of another report are not shown again, and would keep that report in memory."""
        rows = 0
        for number, (view, kept) in enumerate(reversed(list(self._kept.items()))):
            rows += len(kept.rows)
            too_many = number >= MOST_VIEWS or (number >= LEAST_VIEWS and rows > MOST_ROWS)
            if too_many or kept.report is not report:
                self._drop(view)

    def note(self, news: News) -> None:
        """Something changed. Called from the thread of a watch."""
        with self._lock:
            for view, missed in list(self._missed.items()):
                kinds = kinds_kept(view)
                missed.update(name for name in news.objects if name.kind in kinds)
                if len(missed) > MOST_MISSED or not news.kinds.isdisjoint(kinds_of_rows(view)):
                    self._drop(view)

    def clear(self) -> None:
        """Anything may have changed."""
        with self._lock:
            self._kept.clear()
            self._missed.clear()

    def _drop(self, view: View) -> None:
        self._kept.pop(view, None)
        self._missed.pop(view, None)


def kinds_needed(view: View) -> tuple[str, ...]:
    """The kinds that a view needs: pods also need their owners."""
    if view.kind == "Context":
        return ()
    if view.kind in ("", "Finding"):  # beside the incidents the workloads are counted
        return FIRST_KINDS
    return (view.kind, "ReplicaSet", "Job") if view.kind == "Pod" else (view.kind,)


def covers(view: View, other: View) -> bool:
    """Whether what a view needs is all that another one needs."""
    needed = {Want(kind, scope_of(kind, other.namespace)) for kind in kinds_needed(other)}
    return bool(needed) and needed <= {Want(kind, scope_of(kind, view.namespace)) for kind in kinds_needed(view)}


def kinds_of_rows(view: View) -> frozenset[str]:
    """The kinds that the rows of a view are made of, the report left out."""
    return frozenset((*kinds_needed(view), *ROOTS, "Namespace"))


def kinds_kept(view: View) -> frozenset[str]:
    """The kinds of which a single object that changes can change a row."""
    if view.kind == "Context":
        return frozenset()
    if view.kind in ("", "Finding"):
        return frozenset(ROOTS)
    return frozenset({view.kind, *(_OWNERS if view.owner is not None else ())})


def _owned_by(owners: Iterable[Ref], snapshot: Snapshot) -> Iterator[Ref]:
    """What these workloads control, also through others."""
    waiting = list(owners)
    while waiting:
        owner = waiting.pop()
        for kind in _OWNED:
            for obj in snapshot.index(kind, "owner").get((owner.short_kind, owner.namespace, owner.name), ()):
                yield ref(obj)
                if kind != "Pod":
                    waiting.append(ref(obj))
