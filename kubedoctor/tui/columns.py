"""The columns of lists, and their content."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import lru_cache

import msgspec
from msgspec.structs import replace

from kubedoctor.cluster.grammar.durations import human_duration
from kubedoctor.cluster.grammar.text import visible as made_visible
from kubedoctor.cluster.kinds.resources import kind_named
from kubedoctor.cluster.seen.snapshot import UNKNOWN_TIME
from kubedoctor.tui.look import DOWNWARDS, UPWARDS
from kubedoctor.tui.pages.ink import kind_word
from kubedoctor.tui.rows import BACKWARDS, Row, View

visible = lru_cache(maxsize=4096)(made_visible)
"""Rows are drawn repeatedly, and many have the same texts."""


class ListColumn(msgspec.Struct, frozen=True):
    """`width` in cells; the column with width 0 takes the remaining cells. `text` makes a cell from a row and the
    present moment; what it returns is safe to print. `yields`: columns with a higher value are dropped first where
    there is no room, those with 0 never. `least`: what the flexible column needs before others are kept. `narrow`: the cells to
    which it is narrowed where dropping others is not enough; 0: never. `ages`: its text depends on the moment. `fits`:
    no wider than what is shown in it, and then `width` is the most. `ends`: too long a text is cut in its middle, because
    names differ in their ends. `gives`: it is narrowed before others are dropped. `role`: see `look.py`. `order`:
    of `rows.arrange`, in which the rows are sorted by it. `hollow`: left out while no visible row has a text in it; only of
    those that fit."""

    title: str
    width: int
    text: Callable[[Row, datetime], str]
    right: bool = False
    yields: int = 0
    least: int = 0
    narrow: int = 0
    ages: bool = False
    fits: bool = False
    ends: bool = False
    gives: bool = False
    role: str = ""
    order: str = ""
    hollow: bool = False


Columns = tuple[ListColumn, ...]
LEAST_TEXT = 8  # cells
WITH_IMAGES = ("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job", "CronJob", "ReplicationController")


def fit(
    columns: tuple[ListColumn, ...], width: int, gap: int, minimum: int
) -> tuple[tuple[ListColumn, ...], tuple[int, ...]]:
    """The columns that fit into the width, and their widths; the flexible one gets at least `minimum`, but for a text that
    is cut anyway, which gets what is left."""
    shown = list(columns)
    least = LEAST_TEXT if any(column.least for column in columns) else minimum
    minimum = max(minimum, *(column.least for column in columns), 0)
    while True:
        free = width - sum(column.width for column in shown) - gap * (len(shown) - 1)
        yielding = max(shown, key=lambda column: column.yields, default=None)
        can_give = sum(max(0, column.width - column.narrow) for column in shown if column.gives)
        if free + can_give >= minimum or yielding is None or not yielding.yields:
            lacking = max(0, minimum - free)
            widths: list[int] = []
            for column in shown:
                narrowed = max(0, min(lacking, column.width - column.narrow)) if column.narrow else 0
                lacking -= narrowed
                widths.append(column.width - narrowed)
            flexible = max(free, minimum - lacking, least)
            return tuple(shown), tuple(width or flexible for width in widths)
        shown.remove(yielding)


def age(row: Row, now: datetime) -> str:
    """As kubectl prints it; empty where it is not known."""
    return human_duration(now - row.created) if row.created and now != UNKNOWN_TIME else ""


_KIND = ListColumn("KIND", 7, lambda row, _: kind_word(row.ref.kind), role="dim", order="kind")
_NAMESPACE = ListColumn(
    "NAMESPACE",
    24,
    lambda row, _: visible(row.ref.namespace, 60),
    fits=True,
    ends=True,
    narrow=13,
    role="dim",
    order="namespace",
)
_NAME = ListColumn("NAME", 0, lambda row, _: visible(row.ref.name, 253), ends=True, order="name")
_READY = ListColumn("READY", 5, lambda row, _: row.ready, right=True, order="ready")
_RESTARTS = ListColumn(
    "RESTARTS",
    8,
    lambda row, _: str(row.restarts) if row.ready else "",
    right=True,
    yields=2,
    role="dim",
    order="restarts",
)
_AGE = ListColumn("AGE", 6, age, right=True, yields=1, ages=True, role="faint", order="age")
_CAUSE = ListColumn(
    "CAUSE", 40, lambda row, _: visible(row.cause, 80), fits=True, ends=True, narrow=18, gives=True, order="cause"
)
_STATUS = ListColumn("STATUS", 24, lambda row, _: visible(row.status, 80), narrow=12, fits=True, order="status")
_IP = ListColumn("IP", 39, lambda row, _: visible(row.ip, 45), yields=5, fits=True, order="ip")
_NODE = ListColumn("NODE", 20, lambda row, _: visible(row.node, 60), yields=4, fits=True, ends=True, order="node")
_IMAGES = ListColumn("IMAGES", 40, lambda row, _: visible(row.images, 200), yields=6, order="images")
_WHERE = ListColumn("NAMESPACE", 24, _NAMESPACE.text, yields=1, fits=True, ends=True, role="dim", order="namespace")
_EVENT = (
    ListColumn("LAST SEEN", 9, age, right=True, ages=True, order="age"),
    ListColumn("TYPE", 7, lambda row, _: visible(row.ready, 20), yields=2, order="ready"),
    ListColumn("REASON", 24, lambda row, _: visible(row.node, 60), fits=True, narrow=12, order="node"),
    ListColumn("OBJECT", 40, lambda row, _: visible(row.images, 253), fits=True, ends=True, narrow=16, order="images"),
    ListColumn("COUNT", 5, lambda row, _: str(row.restarts), right=True, yields=3, order="restarts"),
    ListColumn("MESSAGE", 0, lambda row, _: visible(row.status, 300), least=24, order="status"),
)
_CURRENT = ListColumn("", 10, lambda row, _: visible(row.status, 20))


INCIDENT_COLUMNS = (
    ListColumn("KIND", 0, lambda row, _: row.ref.kind),
    _WHERE,
    _NAME,
    ListColumn("CODE", 6, lambda row, _: visible(row.ready, 20)),
    _AGE,
    ListColumn("SUMMARY", 0, lambda row, _: visible(row.status, 1000)),
)
"""Of the incidents in a file; on the screen they have a form of their own."""


def sorted_by(columns: tuple[ListColumn, ...], order: str) -> tuple[ListColumn, ...]:
    """The columns with an arrow in the title of the one that the rows are sorted by, which stays in sight."""
    arrow = UPWARDS if order.startswith(BACKWARDS) else DOWNWARDS
    return tuple(
        replace(
            column,
            title=f"{column.title}{arrow}",
            width=column.width and max(column.width, len(column.title) + 1),
            yields=0,
        )
        if column.order and column.order == order.removeprefix(BACKWARDS)
        else column
        for column in columns
    )


def columns_of(view: View, *, wide: bool = False, usage: Columns = (), printed: Columns = ()) -> tuple[ListColumn, ...]:
    """The columns of a view; `wide` adds nodes and images. usage, printed: those that the server computes, but for what the
    list has anyway. Incidents have none: see `widgets/incident_form.py`."""
    if view.kind == "Finding":
        return ()
    if view.kind == "Context":
        return (_NAME, _CURRENT)
    if view.kind == "Event":
        return _EVENT if view.namespace else (replace(_WHERE, yields=4), *_EVENT)
    where = () if view.namespace or not _namespaced(view.kind) else (_NAMESPACE,)
    images = (_IMAGES,) if wide else ()
    if not view.kind:
        status = (_STATUS,) if wide else ()
        return (_KIND, *where, _NAME, _READY, _RESTARTS, *usage, _AGE, *status, _CAUSE, *images)
    if view.kind == "Pod":
        extra = (_IP, _NODE, _IMAGES) if wide else ()
        return (*where, _NAME, _READY, _STATUS, _RESTARTS, *usage, _AGE, *extra, _CAUSE)
    workload = view.kind in WITH_IMAGES
    own = (*where, _NAME, *((_READY,) if workload else ()), replace(_STATUS, hollow=bool(printed)))
    titles = {column.title for column in (*own, *(images if workload else ()))}
    beside = tuple(column for column in printed if column.title not in titles)
    return (*own, *beside, *usage, _AGE, *(images if workload else ()), _CAUSE)


def chosen_columns(columns: Columns, titles: Sequence[str], *, others: bool = False) -> Columns:
    """The columns of these titles, in their order; others: and then the others. The name stays where it is not among them:
    each list needs one. None is left out before those after it."""
    by_title = {column.title: column for column in reversed(columns)}
    wanted = titles if "NAME" in titles else ("NAME", *titles)
    rest = [column.title for column in columns] if others else []
    found = [by_title[title] for title in dict.fromkeys((*wanted, *rest)) if title in by_title]
    return tuple(
        column if not column.width else replace(column, yields=1 + place, hollow=False)
        for place, column in enumerate(found)
    )


def _namespaced(kind: str) -> bool:
    row = kind_named(kind)
    return row is None or row.namespaced
