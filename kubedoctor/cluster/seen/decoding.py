"""Decodes answers of the API server and files into structs: strictly where possible, leaving out bad fields where
necessary.

A list that does not decode as a whole is decoded item by item; in an item, nulls count as absent fields
and a field of a wrong type is left out. Everything that was left out is listed in `problems`. A number where a quantity
belongs is that quantity, as for the API server; where other text belongs it is read as text, and said.
"""

import threading
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any, Generic, TypeVar

import msgspec

from kubedoctor.cluster.grammar.patterns import compiled_later
from kubedoctor.cluster.grammar.text import visible, with_article
from kubedoctor.cluster.kinds.meta import CustomResource, KubernetesObject
from kubedoctor.cluster.kinds.objects import struct_for
from kubedoctor.cluster.kinds.references import custom_kind_name
from kubedoctor.cluster.kinds.resources import kind_named
from kubedoctor.cluster.seen.mending import has_marks, is_mark, marked, without_marks, without_nulls

T = TypeVar("T", bound=KubernetesObject)
MOST_MENDS = 20  # An item with more wrong fields than this is not an object of that kind.
MOST_QUANTITIES = 1000
_QUANTITIES = frozenset(
    [
        "limits",
        "requests",
        "capacity",
        "allocatable",
        "allocatedResources",
        "overhead",
        "usage",
        "hard",
        "used",
        "max",
        "min",
        "default",
        "defaultRequest",
        "maxLimitRequestRatio",
        "sizeLimit",
    ]
)
"""Fields of quantities, and of maps of them (`resource.Quantity` in k8s.io/api, v1.37), which may be JSON numbers."""


class ListMeta(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    resource_version: str = ""
    continue_: str = msgspec.field(default="", name="continue")
    remaining_item_count: int | None = None


class _List(msgspec.Struct, Generic[T], frozen=True):
    items: tuple[T, ...] | None = None
    metadata: ListMeta | None = None
    kind: Any = None
    api_version: Any = msgspec.field(default=None, name="apiVersion")


class _RawList(msgspec.Struct, frozen=True):
    items: tuple[msgspec.Raw, ...] | None = None
    metadata: ListMeta | None = None
    kind: Any = None
    api_version: Any = msgspec.field(default=None, name="apiVersion")


class Decoded(msgspec.Struct, frozen=True):
    """Objects of one kind. `continue_token` is empty at the end of a list; `kind` and `api_version` are the list's own,
    unchanged. `remaining`: how many objects the rest of the list has, as far as the server counts them."""

    objects: tuple[KubernetesObject, ...]
    continue_token: str = ""
    resource_version: str = ""
    problems: tuple[str, ...] = ()
    kind: Any = None
    api_version: Any = None
    remaining: int = 0


class Unreadable(ValueError):
    """Not JSON, or JSON of another shape than a Kubernetes object or list."""


class _Named(KubernetesObject, tag=False):
    """An object of any kind without its content."""

    kind: Any = None


# Two decoders built at the same time in two threads share unfinished type descriptions, and msgspec crashes.
_MAKING = threading.Lock()


@cache
def _list_decoder(struct: type[KubernetesObject]) -> msgspec.json.Decoder[Any]:
    with _MAKING:
        return msgspec.json.Decoder(_List[struct])  # type: ignore[valid-type]  # the struct is chosen at run time


@cache
def _object_decoder(struct: type[KubernetesObject]) -> msgspec.json.Decoder[Any]:
    with _MAKING:
        return msgspec.json.Decoder(struct)


@cache
def _items_decoder(struct: type[KubernetesObject]) -> msgspec.json.Decoder[Any]:
    with _MAKING:
        return msgspec.json.Decoder(tuple[struct, ...])  # type: ignore[valid-type]  # the struct is chosen at run time


_RAW_LIST = msgspec.json.Decoder(_RawList)


def decode_list(kind: str, body: bytes, *, names_only: bool = False) -> Decoded:
    """Decode a list of one kind, as LIST returns it; items may lack `kind`. `names_only`: keep metadata alone.

    Raises Unreadable if the body is no list at all (truncated JSON, HTML from a proxy).
    """
    try:
        whole = _list_decoder(_Named if names_only else struct_for(kind)).decode(body)
        meta = whole.metadata or ListMeta()
        objects, problems = _of_kind(kind, whole.items or ())
        return _part(objects, meta, problems, whole.kind, whole.api_version)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raw = _raw_list(body)
    read: list[KubernetesObject] = []
    lost: list[str] = []
    for item in raw.items or ():
        try:
            whole = bytes(item)
            decoded_item = (
                convert_object(kind, plain_json(whole), names_only=names_only)
                if has_marks(whole)
                else decode_object(kind, whole, names_only=names_only)
            )
        except Unreadable as error:
            lost.append(f"{kind}: an item cannot be decoded; ignored ({error})")
            continue
        read.extend(decoded_item.objects)
        lost.extend(decoded_item.problems)
    meta = raw.metadata or ListMeta()
    return _part(tuple(read), meta, tuple(lost), raw.kind, raw.api_version)


def _part(
    objects: tuple[KubernetesObject, ...], meta: ListMeta, problems: tuple[str, ...], kind: Any, api_version: Any
) -> Decoded:
    left = max(meta.remaining_item_count or 0, 0)
    return Decoded(objects, meta.continue_, meta.resource_version, problems, kind, api_version, left)


def decode_object(kind: str, body: bytes | msgspec.Raw, *, names_only: bool = False) -> Decoded:
    """Decode one object of a known kind: one object or none, and what was left out. Raises Unreadable."""
    try:
        read = _object_decoder(_Named if names_only else struct_for(kind)).decode(body)
        objects, problems = _of_kind(kind, (read,))
        return Decoded(objects, problems=problems)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return convert_object(kind, plain_json(bytes(body)), names_only=names_only)


def _of_kind(kind: str, objects: tuple[KubernetesObject, ...]) -> tuple[tuple[KubernetesObject, ...], tuple[str, ...]]:
    """The objects without those of another kind, each of which is a problem. Structs of a kind refuse others already."""
    if not objects or not isinstance(objects[0], CustomResource | _Named):
        return objects, ()
    kept: list[KubernetesObject] = []
    problems: list[str] = []
    for obj in objects:
        if isinstance(obj, CustomResource | _Named) and _is_other(kind, obj.kind):
            problems.append(_of_another_kind(kind, obj.kind, obj.metadata.namespace, obj.metadata.name))
        else:
            kept.append(struct_for(kind)(metadata=obj.metadata) if isinstance(obj, _Named) else obj)
    return tuple(kept), tuple(problems)


def _is_other(kind: str, stated: object) -> bool:
    return isinstance(stated, str) and stated not in ("", "PartialObjectMetadata", kind, kind.partition(".")[0])


def _of_another_kind(kind: str, other: str, namespace: str, name: str) -> str:
    return f"{_named(kind, namespace, name)}: the object is {with_article(visible(other, 100))}; ignored"


def decode_exact(kind: str, body: bytes | memoryview) -> KubernetesObject | None:
    """The object, where nothing of it has to be mended; else None."""
    try:
        obj: KubernetesObject = _object_decoder(struct_for(kind)).decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return obj


def decode_items(struct: type[KubernetesObject], body: bytes) -> tuple[KubernetesObject, ...] | None:
    """The objects of an array, where nothing of them has to be mended; else None."""
    try:
        items: tuple[KubernetesObject, ...] = _items_decoder(struct).decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return items


def plain_json(body: bytes) -> Any:
    """JSON as plain data, with marks where a value cannot be read. Raises Unreadable."""
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        pass
    try:
        return msgspec.json.decode(marked(body))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Unreadable(str(error)) from None


def mended_json(body: bytes) -> Any:
    """An object as plain data without managedFields, nulls and values that cannot be read. Raises Unreadable."""
    try:
        if not has_marks(body):
            data = msgspec.json.decode(body)
            if isinstance(data, dict) and isinstance(metadata := data.get("metadata"), dict):
                metadata.pop("managedFields", None)  # often half of the object
            return without_nulls(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        pass
    return without_marks(plain_json(body), [])


def _raw_list(body: bytes) -> _RawList:
    try:
        return _RAW_LIST.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        pass
    try:
        return _RAW_LIST.decode(marked(body))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Unreadable(str(error)) from None


def convert_object(kind: str, data: Any, *, names_only: bool = False) -> Decoded:
    """Like decode_object, from data that is already decoded (YAML)."""
    if not isinstance(data, dict):
        return Decoded((), problems=(f"{kind}: an item is {_type_name(data)}, not an object; ignored",))
    struct = _Named if names_only else struct_for(kind)
    lost: list[str] = []
    mended = without_marks(data, lost)
    stated = mended.get("kind")
    if stated == "":
        del mended["kind"]
    elif _is_other(kind, stated) or (stated == "PartialObjectMetadata" and not names_only):
        return Decoded((), problems=(_of_another_kind(kind, str(stated), *_names(mended)),))
    left_out = [f"{_title(kind, mended)}: {clause.lstrip('.')}" for clause in lost]
    quantities = 0
    while len(left_out) < MOST_MENDS + len(lost) and quantities < MOST_QUANTITIES:
        try:
            objects, _ = _of_kind(kind, (msgspec.convert(mended, struct),))
            return Decoded(objects, problems=tuple(left_out))
        except msgspec.ValidationError as error:
            mend = _mend(mended, error)
            if mend is None:
                break
            if mend.clause:
                left_out.append(f"{_title(kind, mended)}: {mend.path} {mend.clause}")
            else:
                quantities += 1
    return Decoded((), problems=(f"{_title(kind, mended)}: cannot be decoded; ignored",))


def kind_of_data(data: Mapping[str, Any]) -> str:
    """The kind of an object as a Ref spells it, from its `kind` and `apiVersion`; empty if it has no kind."""
    kind, version = data.get("kind"), data.get("apiVersion")
    if not isinstance(kind, str) or not kind or is_mark(kind):
        return ""
    version = None if is_mark(version) else version
    group = version.rpartition("/")[0] if isinstance(version, str) else ""
    row = kind_named(kind)
    return kind if row and (row.group == group or not version) else custom_kind_name(kind, group)


def by_kind(items: Iterable[Any]) -> tuple[dict[str, list[dict[str, Any]]], list[str]]:
    """Sort objects of mixed kinds; also returns which items were not objects."""
    sorted_items: dict[str, list[dict[str, Any]]] = {}
    problems = []
    for index, item in enumerate(items):
        kind = kind_of_data(item) if isinstance(item, dict) else ""
        if kind:
            sorted_items.setdefault(kind, []).append(item)
        else:
            problems.append(f"item {index} has no kind; ignored")
    return sorted_items, problems


def _title(kind: str, data: Mapping[str, Any]) -> str:
    return _named(kind, *_names(data))


def _names(data: Mapping[str, Any]) -> tuple[str, str]:
    """The namespace and the name, as far as they are there."""
    meta = data.get("metadata")
    meta = meta if isinstance(meta, dict) else {}
    namespace, name = (str(meta.get(key) or "") for key in ("namespace", "name"))
    return namespace, name


def _named(kind: str, namespace: str, name: str) -> str:
    return " ".join((kind, "/".join(filter(None, (namespace, name))))).strip()


def _reason(error: msgspec.ValidationError) -> str:
    return str(error).partition(" - at ")[0]


def _type_name(value: Any) -> str:
    return {str: "text", list: "a list", dict: "an object", type(None): "null", bool: "a boolean"}.get(
        type(value), "a number"
    )


_STEP = compiled_later(r"\.([^.\[\]]+)|\[(\d+|\.\.\.)\]")


class _Mend(msgspec.Struct, frozen=True):
    """The path of a value that was mended, and what was done to it; no clause where nothing was wrong with it."""

    path: str
    clause: str


def _mend(data: Any, error: msgspec.ValidationError) -> _Mend | None:
    """Remove the value that an error names, or turn it into text; None if it cannot be found."""
    message = str(error)
    path = message.partition(" - at `$")[2].rstrip("`")
    if not path:
        return None
    parent: Any = None
    key: Any = None
    value = data
    walked = ""
    for step in _STEP.finditer(path):
        name, index = step.groups()
        if index == "...":
            return _mend_map(value, walked, _reason(error))
        parent, key = value, (name if name is not None else int(index))
        try:
            value = parent[key]
        except (KeyError, IndexError, TypeError):
            return None
        walked += step.group()
    if parent is None:
        return None
    if _is_number(value) and message.startswith("Expected `str"):
        parent[key] = str(value)
        return _Mend(walked.lstrip("."), "" if key in _QUANTITIES else "is a number; read as text")
    del parent[key]
    return _Mend(walked.lstrip("."), f"cannot be decoded and is ignored ({_reason(error)})")


def _mend_map(values: Any, walked: str, reason: str) -> _Mend | None:
    """A map whose values must all be text: numbers and booleans become text, other values are left out."""
    if not isinstance(values, dict):
        return None
    wrong = [key for key, value in values.items() if not isinstance(value, str)]
    if not wrong:
        return None
    path = walked.lstrip(".")
    lost = [key for key in wrong if not isinstance(values[key], bool | int | float)]
    if all(_is_number(values[key]) for key in wrong) and path.rpartition(".")[2] in _QUANTITIES:
        clause = ""
    elif lost:
        clause = f"cannot be decoded and is ignored ({reason})"
    else:
        clause = "is not text; read as text"
    for key in wrong:
        value = values.pop(key) if key in lost else values[key]
        if key not in lost:
            values[key] = str(value).lower() if isinstance(value, bool) else str(value)
    return _Mend(f"{path}[{', '.join(wrong)}]", clause)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
