"""The columns of `kubectl get`: as the server prints them, and for recordings by the same rules."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import partial
from itertools import islice
from typing import Any, Final

from kubedoctor.cluster.grammar.quantities import amount_of
from kubedoctor.cluster.kinds.references import custom_kind_name
from kubedoctor.cluster.kinds.resources import kind_named
from kubedoctor.collect.computed.printed import MOST_PRINTED, Printed, PrintedColumn, printed_from
from kubedoctor.collect.recordable import Recordable
from kubedoctor.collect.source import ReadableCluster
from kubedoctor.tui.columns import ListColumn, visible
from kubedoctor.tui.rows import Row, View

OWN: Final = frozenset({"", "Finding", "Context", "Event", "Pod"})
"""Lists that have their own columns, which say as much."""
MOST_CELLS: Final = 40
FIRST_TO_YIELD, WIDE_TO_YIELD = 7, 50
_LAST: Final = "\x7f"
NO_CELL: Final = (math.inf, _LAST)
"""The sort key of an empty cell."""
_AGE: Final = re.compile(r"(?:(\d+)y)?(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?")
_SECONDS: Final = (31_536_000, 86_400, 3_600, 60, 1)


def is_printed(view: View) -> bool:
    """Whether a list has columns of the server beside its own."""
    return view.kind not in OWN


class PrintedColumns:
    """The columns of one list. An object that was added since has no cells yet. is_whole: whether all others have."""

    def __init__(self, printed: Printed) -> None:
        self._cells = printed.cells
        self.is_whole = printed.is_whole
        self._ages = [column.is_age for column in printed.columns]
        self.columns = tuple(
            ListColumn(
                column.name.upper(),
                MOST_CELLS,
                partial(self._text, place),
                right=column.number,
                fits=True,
                hollow=True,
                yields=(WIDE_TO_YIELD if column.wide else FIRST_TO_YIELD) + place,
                order=f"column {column.name.upper()}",
            )
            for place, column in enumerate(printed.columns)
        )
        self.wide = tuple(column.wide for column in printed.columns)

    def _text(self, place: int, row: Row, _now: datetime) -> str:
        cells = self._cells.get((row.ref.namespace, row.ref.name))
        return visible(cells[place], 120) if cells is not None else ""

    def order(self, place: int, row: Row) -> tuple[float, str]:
        """The sort key: numbers, amounts and ages by their value, before all other texts."""
        cells = self._cells.get((row.ref.namespace, row.ref.name))
        text = cells[place] if cells is not None else ""
        value = seconds_of(text) if self._ages[place] else _amount(text)
        return (math.inf, text or _LAST) if value is None else (value, "")


def seconds_of(age: str) -> float | None:
    """Of an age as kubectl writes it, such as `2d3h`; None for other texts."""
    found = _AGE.fullmatch(age) if age else None
    if found is None:
        return None
    return float(sum(int(number or 0) * unit for number, unit in zip(found.groups(), _SECONDS, strict=True)))


def _amount(text: str) -> float | None:
    amount = amount_of(text.removesuffix("%"))
    return float(amount.milli_value()) if amount is not None else None


def recorded_table(source: ReadableCluster, kind: str, namespace: str, now: datetime) -> Printed:
    """The list of a recording as a server would print it: by the printers of Kubernetes, and of a custom resource by the
    JSON paths of its definition."""
    from kubedoctor.sandbox.resources import Resources
    from kubedoctor.sandbox.tables import table

    documents = _documents(source, kind, namespace)
    objects = list(islice(documents, MOST_PRINTED))
    if not objects:
        return Printed()
    resources = Resources()
    if kind_named(kind) is None:
        for definition in _documents(source, "CustomResourceDefinition", ""):
            if _defines(definition, kind):
                resources.define(definition)
    try:
        resource = resources.of(objects[0])
        return printed_from(table(resource, objects, now))._replace(is_whole=next(documents, None) is None)
    except (KeyError, TypeError, ValueError):  # a definition or an object that no API server would accept
        return Printed()


def own_table(source: ReadableCluster, kind: str, namespace: str, paths: Mapping[str, str]) -> Printed:
    """Columns by JSON paths, of the whole objects without secret values. paths: by title."""
    from kubedoctor.sandbox.tables.custom import values

    cells: dict[tuple[str, str], tuple[str, ...]] = {}
    documents = _documents(source, kind, namespace)
    for document in islice(documents, MOST_PRINTED):
        meta = document["metadata"]
        texts = (" ".join(_written(value) for value in values(document, path)) for path in paths.values())
        cells[meta.get("namespace") or "", meta.get("name") or ""] = tuple(texts)
    return Printed(tuple(PrintedColumn(title) for title in paths), cells, is_whole=next(documents, None) is None)


def _written(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))


def _documents(source: ReadableCluster, kind: str, namespace: str) -> Iterator[dict[str, Any]]:
    for _, obj in source.recordable((kind,), namespace):
        if isinstance(obj, Recordable):
            document = json.loads(obj.body)
            if isinstance(document.get("metadata"), dict):
                yield document


def _defines(definition: Mapping[str, Any], kind: str) -> bool:
    spec = definition.get("spec") or {}
    names = spec.get("names") or {}
    return custom_kind_name(str(names.get("kind", "")), str(spec.get("group", ""))) == kind
