"""Keeps the columns that a server computes: read in a worker, shown by the list."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from types import MappingProxyType
from typing import Any, Final, Protocol, runtime_checkable

import msgspec

from kubedoctor.cluster import Snapshot
from kubedoctor.collect.computed.printed import MOST_PRINTED, Printed
from kubedoctor.collect.computed.usage import Uses, usage_in
from kubedoctor.collect.live.answers import ApiRefusal
from kubedoctor.collect.source import ReadableCluster
from kubedoctor.problems import Problem
from kubedoctor.tui.columns import ListColumn
from kubedoctor.tui.pace import Pace
from kubedoctor.tui.rows import BACKWARDS, Row, View, arrange, is_order
from kubedoctor.tui.served.printed_columns import NO_CELL, PrintedColumns, is_printed, own_table, recorded_table
from kubedoctor.tui.served.usage_columns import UsageColumns, measured_kind

MEASURED_EVERY: Final = 15.0
"""Seconds: metrics-server measures no more often."""
PRINTED_EVERY: Final = 5.0
SHARE: Final = 30
"""Both use at most a thirtieth of a core."""
MOST_VIEWS: Final = 12
NO_PATHS: Final[Mapping[str, str]] = MappingProxyType({})


@runtime_checkable
class ColumnServer(Protocol):
    """A source that says now what is used, and how lists are printed."""

    def usage(self, kind: str, namespace: str = "") -> Uses:
        """What the pods or nodes use."""

    def printed(self, kind: str, namespace: str = "") -> Printed:
        """A list with the server's columns."""


class _Kept(msgspec.Struct):
    usage: UsageColumns | None = None
    printed: PrintedColumns | None = None
    own: PrintedColumns | None = None
    usage_pace: Pace = msgspec.field(default_factory=lambda: Pace(MEASURED_EVERY, share=SHARE))
    printed_pace: Pace = msgspec.field(default_factory=lambda: Pace(PRINTED_EVERY, share=SHARE))
    is_read: bool = False


class ServedColumns:
    """By list, the last of what was read. What cannot be read has no columns."""

    def __init__(self, source: ReadableCluster) -> None:
        self._source = source
        self._kept: dict[View, _Kept] = {}
        self._reading = threading.Lock()

    def usage(self, view: View) -> tuple[ListColumn, ...]:
        """The columns of what is used; none where metrics are not served."""
        kept = self._kept.get(view)
        return kept.usage.columns if kept is not None and kept.usage is not None else ()

    def printed(self, view: View, *, wide: bool) -> tuple[ListColumn, ...]:
        """The columns that the server prints."""
        kept = self._kept.get(view)
        if kept is None or kept.printed is None:
            return ()
        found = kept.printed
        return tuple(column for column, only in zip(found.columns, found.wide, strict=True) if wide or not only)

    def lack(self, view: View) -> str:
        """Which rows have no cells of these columns, for the title of the list; empty where all have."""
        kept = self._kept.get(view)
        read = (kept.printed, kept.own) if kept is not None else ()
        whole = all(columns is None or columns.is_whole for columns in read)
        return "" if whole else f"columns of the first {MOST_PRINTED:,} only"

    def own(self, view: View) -> tuple[ListColumn, ...]:
        """The columns by JSON paths of the person."""
        kept = self._kept.get(view)
        return kept.own.columns if kept is not None and kept.own is not None else ()

    def key(self, view: View, order: str) -> Callable[[Row], Any] | None:
        """The sort key of an order by one of these columns, whichever way round; None for other orders."""
        kept, name = self._kept.get(view), order.removeprefix(BACKWARDS)
        if kept is not None and (usage := kept.usage) is not None:
            for place, column in enumerate(usage.columns):
                if column.order == name:
                    return by_use(usage, place, backwards=order.startswith(BACKWARDS))
        for printed in (kept.own, kept.printed) if kept is not None else ():
            for place, column in enumerate(printed.columns if printed is not None else ()):
                if column.order == name:
                    return _by_cell(printed, place, backwards=order.startswith(BACKWARDS))
        return None

    def arrange(self, rows: tuple[Row, ...], view: View, order: str) -> tuple[Row, ...]:
        """Rows by their health in another order; in that of a column that is not read yet they stay as they are."""
        key = self.key(view, order)
        return arrange(rows, order, key) if order != "health" and (key is not None or is_order(order)) else rows

    def note_change(self, view: View) -> None:
        """The rows of a list differ: what is printed may, too."""
        if (kept := self._kept.get(view)) is not None and isinstance(self._source, ColumnServer):
            kept.printed_pace.stale = True

    def is_due(self, view: View, *, own: bool = False) -> bool:
        """Whether there may be something new for a list. own: it has columns of the person."""
        if not (measured_kind(view) or is_printed(view) or own):
            return False
        kept = self._kept.get(view)
        if kept is None or not kept.is_read:
            return True
        return isinstance(self._source, ColumnServer) and (kept.usage_pace.is_due or kept.printed_pace.is_due)

    def read(self, view: View, snapshot: Snapshot, now: datetime, paths: Mapping[str, str] = NO_PATHS) -> None:
        """Read what is due for a list. paths: the JSON paths of the person by title. Blocks."""
        with self._reading:
            kept = self._kept.pop(view, None) or _Kept()
            self._kept[view] = kept
            while len(self._kept) > MOST_VIEWS:
                del self._kept[next(iter(self._kept))]
            first, kept.is_read = not kept.is_read, True
            live = self._source if isinstance(self._source, ColumnServer) else None
            if measured_kind(view) and (first or kept.usage_pace.is_due):
                with _timed(kept.usage_pace):
                    uses = self.uses(view, snapshot)
                    kept.usage = UsageColumns(view, uses, snapshot) if uses is not None else None
                kept.usage_pace.stale = live is not None
            if (is_printed(view) or paths) and (first or kept.printed_pace.is_due):
                with _timed(kept.printed_pace):
                    printed = self._table(view, live, now) if is_printed(view) else Printed()
                    kept.printed = PrintedColumns(printed) if printed.columns else None
                    own = own_table(self._source, view.kind, view.namespace, paths) if paths else None
                    kept.own = PrintedColumns(own) if own is not None else None

    def uses(self, view: View, snapshot: Snapshot) -> Uses | None:
        """What the objects of a list of pods, workloads or nodes use; None where metrics are not served. Blocks."""
        live = self._source if isinstance(self._source, ColumnServer) else None
        kind = measured_kind(view)
        namespace = view.namespace if kind == "Pod" else ""
        if live is None:
            return usage_in(snapshot, kind, namespace)
        try:
            return live.usage(kind, namespace)
        except (ApiRefusal, Problem):
            return None

    def _table(self, view: View, live: ColumnServer | None, now: datetime) -> Printed:
        if live is None:
            return recorded_table(self._source, view.kind, view.namespace, now)
        try:
            return live.printed(view.kind, view.namespace)
        except (ApiRefusal, Problem):
            return Printed()


def by_use(usage: UsageColumns, place: int, *, backwards: bool) -> Callable[[Row], Any]:
    """The most first; what is not known comes last in both directions."""

    def key(row: Row) -> tuple[float, str, str]:
        value = usage.value(place, row)
        return (-(math.inf if value < 0 and backwards else value), row.ref.name, row.ref.namespace)

    return key


def _by_cell(printed: PrintedColumns | None, place: int, *, backwards: bool) -> Callable[[Row], Any] | None:
    """An empty cell comes last in both directions."""
    if printed is None:
        return None

    def key(row: Row) -> tuple[Any, str, str]:
        order = printed.order(place, row)
        return ((-math.inf, "") if order == NO_CELL and backwards else order, row.ref.name, row.ref.namespace)

    return key


@contextmanager
def _timed(pace: Pace) -> Iterator[None]:
    """Note the processor's time of a work."""
    pace.begin()
    began = time.thread_time()
    try:
        yield
    finally:
        pace.end(time.thread_time() - began)
