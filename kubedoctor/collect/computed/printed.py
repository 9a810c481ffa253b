"""Lists as the server prints them: the columns of `kubectl get`, for every resource (`Table` of `meta.k8s.io/v1`)."""

from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Any, Final, NamedTuple

import msgspec

from kubedoctor.cluster.grammar.redaction import REDACTED, looks_secret, redact_text
from kubedoctor.collect.connecting.transport import Transport
from kubedoctor.collect.live.answers import ApiRefusal
from kubedoctor.collect.live.expected import check_kind
from kubedoctor.collect.live.listing import CHUNK, ServedResource

AS_TABLE: Final = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"
MOST_PRINTED: Final = 10_000
"""Rows. Of longer lists the cells of the others are not read."""
IsSecret = Callable[[str, str], bool]
"""Whether a namespace has a Secret of this name."""
_NUMBERS: Final = ("integer", "number")


class PrintedColumn(NamedTuple):
    """wide: shown where there is room for it, as by `-o wide`. is_age: its texts are such as `2d3h`."""

    name: str
    wide: bool = False
    number: bool = False
    is_age: bool = False


class Printed(NamedTuple):
    """The columns after the name, and the cells by namespace and name. is_whole: whether every object has its cells."""

    columns: tuple[PrintedColumn, ...] = ()
    cells: Mapping[tuple[str, str], tuple[str, ...]] = MappingProxyType({})
    is_whole: bool = True


class _Column(msgspec.Struct, frozen=True):
    name: str = ""
    type: str = ""
    format: str = ""
    priority: int = 0


class _Meta(msgspec.Struct, frozen=True):
    name: str = ""
    namespace: str = ""


class _Object(msgspec.Struct, frozen=True):
    metadata: _Meta = _Meta()


class _Row(msgspec.Struct, frozen=True):
    cells: tuple[Any, ...] | None = None
    object: _Object | None = None


class _ListMeta(msgspec.Struct, frozen=True, rename={"next": "continue"}):
    next: str = ""


class _Table(msgspec.Struct, frozen=True, rename="camel"):
    metadata: _ListMeta = _ListMeta()
    column_definitions: tuple[_Column, ...] | None = None
    rows: tuple[_Row, ...] | None = None


_TABLE: Final = msgspec.json.Decoder(_Table)
_AGE: Final = "Age"
_AGES: Final = ("Duration", "First Seen", "Last Schedule", "Last Seen", "RequestedDuration")


def read_printed(transport: Transport, resource: ServedResource, namespace: str, is_secret: IsSecret) -> Printed:
    """The list of a resource as the server prints it, chunk by chunk, without secrets. Raises ApiRefusal and
    SourceProblem."""
    path = resource.path(namespace if resource.row.namespaced else "")
    columns: tuple[_Column, ...] = ()
    rows: list[_Row] = []
    more = ""
    while True:
        query = {"limit": str(CHUNK), "includeObject": "Metadata", **({"continue": more} if more else {})}
        body = transport.get(path, query, accept=AS_TABLE)
        check_kind(body, "Table")
        try:
            table = _TABLE.decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise ApiRefusal(
                0, "Unreadable", f"the table of {resource.row.resource} cannot be decoded ({error})"
            ) from None
        columns = columns or table.column_definitions or ()
        rows += table.rows or ()
        more = table.metadata.next
        if not more or len(rows) >= MOST_PRINTED:
            return _printed(columns, rows, is_secret, is_whole=not more)


def printed_from(table: Mapping[str, Any]) -> Printed:
    """The same of a Table document that was made here, of objects without secrets."""
    found = msgspec.convert(table, _Table)
    return _printed(found.column_definitions or (), found.rows or (), lambda _namespace, _text: True, is_whole=True)


def _printed(columns: Iterable[_Column], rows: Iterable[_Row], is_secret: IsSecret, *, is_whole: bool) -> Printed:
    """Without the name and the age, which every list has anyway."""
    known = list(enumerate(columns))
    name = next((place for place, column in known if column.format == "name" or column.name == "Name"), -1)
    kept = [(place, column) for place, column in known if place != name and column.name != _AGE]
    cells = {
        (row.object.metadata.namespace, row.object.metadata.name): tuple(
            _shown(column.name, _text(row.cells[place]), row.object.metadata.namespace, is_secret)
            if place < len(row.cells)
            else ""
            for place, column in kept
        )
        for row in rows
        if row.object is not None and row.cells is not None
    }
    shown = tuple(
        PrintedColumn(column.name, column.priority > 0, column.type in _NUMBERS, _is_age(column)) for _, column in kept
    )
    return Printed(shown, cells, is_whole)


def _shown(column: str, text: str, namespace: str, is_secret: IsSecret) -> str:
    """A cell of a custom column may be any text of its object: of a column such as `Secret`, only the name of one is
    shown."""
    if text and looks_secret(column) and not is_secret(namespace, text):
        return REDACTED
    return redact_text(text)


def _is_age(column: _Column) -> bool:
    """Kubernetes' own columns of ages are strings (`pkg/printers/internalversion`, v1.37)."""
    return column.type == "date" or column.name in _AGES


def _text(cell: Any) -> str:
    """As kubectl writes it."""
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return str(cell).lower()
    if isinstance(cell, str):
        return cell
    if isinstance(cell, int | float):
        return str(cell)
    return msgspec.json.encode(cell).decode()
