"""The parts of every printer: columns, cells, and the formats of fields in a cell."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from kubedoctor.cluster.grammar.selectors import SelectorError, selector_of
from kubedoctor.sandbox.exchange import Object
from kubedoctor.sandbox.tables.ages import age

NONE = "<none>"
UNSET = "<unset>"
UNKNOWN = "<unknown>"

Cells = list[Any]
Printed = Callable[[Object, datetime], Cells]


@dataclass(frozen=True, slots=True)
class Printer:
    """`columns` are comma-separated; `*` marks columns of `-o wide`, `:type` columns that are not strings.

    `cells` gives one value per column.
    """

    columns: str
    cells: Printed

    def definitions(self) -> list[Object]:
        """The `columnDefinitions` of the Table."""
        return [_definition(column.strip()) for column in self.columns.split(",")]


def _definition(text: str) -> Object:
    name, _, kind = text.rstrip("*").partition(":")
    return {
        "name": name,
        "type": kind or "string",
        "format": "name" if name == "Name" else "",
        "description": "",
        "priority": 1 if text.endswith("*") else 0,
    }


def at(obj: object, *path: str, default: Any = None) -> Any:
    """The value at a path, `default` where it is absent or null."""
    for name in path:
        obj = obj.get(name) if isinstance(obj, dict) else None
    return default if obj is None else obj


def name(obj: Object) -> str:
    """`metadata.name`."""
    return str(at(obj, "metadata", "name", default=""))


def created(obj: Object, now: datetime) -> str:
    """The Age column."""
    return age(at(obj, "metadata", "creationTimestamp"), now)


def joined(values: Iterable[object], empty: str = NONE) -> str:
    """Comma-separated, `empty` for nothing."""
    return ",".join(str(value) for value in values) or empty


def label_text(labels: Mapping[str, str] | None) -> str:
    """`labels.FormatLabels`."""
    return joined(f"{key}={value}" for key, value in sorted((labels or {}).items()))


@dataclass(frozen=True, slots=True)
class _Expression:
    key: str
    operator: str
    values: Sequence[str] | None


@dataclass(frozen=True, slots=True)
class _LabelSelector:
    match_labels: Mapping[str, str] | None
    match_expressions: Sequence[_Expression] | None


def selector_text(selector: Object | None) -> str:
    """`metav1.FormatLabelSelector` of a `LabelSelector`."""
    if selector is None:
        return NONE
    expressions = [
        _Expression(str(requirement.get("key", "")), str(requirement.get("operator", "")), requirement.get("values"))
        for requirement in selector.get("matchExpressions") or ()
    ]
    try:
        return selector_of(_LabelSelector(selector.get("matchLabels"), expressions)).text or NONE
    except SelectorError:
        return "<error>"


def containers(pod_spec: object) -> Cells:
    """The Containers and Images columns."""
    rows = at(pod_spec, "containers", default=[])
    return [
        joined((at(row, "name") for row in rows), ""),
        joined((at(row, "image", default="") for row in rows), ""),
    ]


def first_three(values: Sequence[str], empty: str) -> str:
    """`a,b,c + 2 more...`."""
    text = joined(values[:3], empty)
    return f"{text} + {len(values) - 3} more..." if len(values) > 3 else text
