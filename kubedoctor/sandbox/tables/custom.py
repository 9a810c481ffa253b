"""How custom resources are printed: `additionalPrinterColumns` and the JSON paths that they name.

Source: `apiextensions-apiserver/pkg/registry/customresource/tableconvertor`, v1.37.
"""

from __future__ import annotations

import json
import re
from datetime import datetime
from typing import Any

from kubedoctor.sandbox.exchange import Object
from kubedoctor.sandbox.resources import PrinterColumn
from kubedoctor.sandbox.tables.ages import age
from kubedoctor.sandbox.tables.printing import Cells, name

_STEP = re.compile(
    r"""\.(?P<field>(?:\\.|[^.\[\\])+)        # .name, dots in it escaped
      | \['(?P<quoted>[^']+)'\]               # ['name']
      | \[(?P<index>-?\d+|\*)\]               # [0], [*]
      | \[\?\(@\.(?P<key>[\w.]+)\s*==\s*["'](?P<value>[^"']*)["']\)\]   # [?(@.type=="Ready")]
    """,
    re.VERBOSE,
)


def definitions(columns: tuple[PrinterColumn, ...]) -> list[Object]:
    """The `columnDefinitions` of the Table."""
    head = {"name": "Name", "type": "string", "format": "name", "description": "", "priority": 0}
    return [
        head,
        *(
            {
                "name": column.name,
                "type": column.type,
                "format": column.format,
                "description": column.description,
                "priority": column.priority,
            }
            for column in columns
        ),
    ]


def cells(obj: Object, columns: tuple[PrinterColumn, ...], now: datetime) -> Cells:
    """One row; an absent value is null, which kubectl leaves empty."""
    return [name(obj), *(_cell(obj, column, now) for column in columns)]


def _cell(obj: Object, column: PrinterColumn, now: datetime) -> Any:
    results = values(obj, column.json_path)
    if not results:
        return None
    if column.type == "string":
        return " ".join(
            value if isinstance(value, str) else json.dumps(value, separators=(",", ":")) for value in results
        )
    value = results[0]
    if column.type == "date":
        return age(value, now) if isinstance(value, str) else None
    if column.type == "boolean":
        return value if isinstance(value, bool) else None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return int(value) if column.type == "integer" else value


def values(obj: object, path: str) -> list[Any]:
    """The values at a JSON path, without nulls and unreadable ones."""
    path = path.strip().removeprefix("{").removesuffix("}").removeprefix("$")
    results: list[Any] = [obj]
    position = 0
    while position < len(path):
        step = _STEP.match(path, position)
        if step is None:
            return []
        position = step.end()
        results = [value for parent in results for value in _stepped(parent, step) if value is not None]
    return results


def _stepped(value: Any, step: re.Match[str]) -> list[Any]:
    field = step["quoted"] or step["field"]
    if field is not None:
        return [value.get(field.replace("\\", ""))] if isinstance(value, dict) else []
    if step["index"] == "*":
        return list(value.values()) if isinstance(value, dict) else list(value) if isinstance(value, list) else []
    if not isinstance(value, list):
        return []
    if step["index"] is not None:
        index = int(step["index"])
        return [value[index]] if -len(value) <= index < len(value) else []
    return [item for item in value if values(item, f".{step['key']}") == [step["value"]]]
