"""The difference between two versions of an object, as plain data that leads from each of them to the other."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec
from msgspec.structs import astuple

from kubedoctor.cluster.grammar.redaction import redact_text
from kubedoctor.cluster.kinds.meta import KubernetesObject

Place = tuple[str | int, ...]
"""Field names as in the API, keys and positions, from the top of the object. An element that has a name is `2=Ready`: its
position leads to it, its name is for people."""
_VERSION: Final = ("metadata", "resourceVersion")
"""Differs in every version and has no meaning."""


class FieldDifference(msgspec.Struct, frozen=True, gc=False, omit_defaults=True, rename=lambda name: name[0]):
    """`old` or `new` is unset where the field was added or removed. Names are short in JSON: thousands are kept."""

    path: Place
    old: Any = msgspec.UNSET
    new: Any = msgspec.UNSET


class ObjectChange(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """One change of one object. `added`, `removed`: the whole object, where it was created or deleted; of an addition in
    memory only that it was one is kept (`true`). names_only: no more than the metadata was read."""

    fields: tuple[FieldDifference, ...] = ()
    added: Any = msgspec.UNSET
    removed: Any = msgspec.UNSET
    names_only: bool = False


_DECODER: Final = msgspec.json.Decoder(ObjectChange)
_ENCODER: Final = msgspec.json.Encoder()


def encoded_change(
    before: KubernetesObject | None, after: KubernetesObject | None, *, names_only: bool = False, whole: bool = False
) -> bytes:
    """The change as JSON; empty where nothing but the version differs. The objects have no secrets, since decoding
    removes them; texts that changed are redacted again. whole: an addition keeps the object."""
    if before is None or after is None:
        added = (after if whole else True) if after is not None else msgspec.UNSET
        removed = before if before is not None else msgspec.UNSET
        return _ENCODER.encode(ObjectChange(added=added, removed=removed, names_only=names_only))
    found: list[FieldDifference] = []
    _differences(before, after, (), found)
    return _ENCODER.encode(ObjectChange(tuple(found), names_only=names_only)) if found else b""


def decoded_change(body: bytes | msgspec.Raw) -> ObjectChange:
    """The change of its JSON. Raises msgspec.DecodeError."""
    return _DECODER.decode(body)


def plain_object(obj: KubernetesObject) -> Any:
    """The object as plain data that may be changed."""
    return msgspec.json.decode(_ENCODER.encode(obj))


def undone(data: Any, change: ObjectChange) -> Any:
    """The object before a change, None where it did not exist; `data`, the object after it, is changed in place."""
    if change.removed is not msgspec.UNSET:
        return change.removed
    if change.added is not msgspec.UNSET:
        return None
    for difference in change.fields:
        _put(data, difference.path, difference.old)
    return data


def redone(data: Any, change: ObjectChange) -> Any:
    """The object after a change that was encoded whole, None where it was deleted; `data`, the object before it, is
    changed in place."""
    if change.removed is not msgspec.UNSET:
        return None
    if change.added is not msgspec.UNSET:
        return change.added
    for difference in change.fields:
        _put(data, difference.path, difference.new)
    return data


def _differences(before: Any, after: Any, path: Place, found: list[FieldDifference]) -> None:
    """Add what differs. Equal parts are skipped by whole: most of an object is equal, and often the same."""
    kind = type(after)
    if type(before) is not kind:
        found.append(FieldDifference(path, _clean(before), _clean(after)))
    elif isinstance(after, msgspec.Struct):
        for key, old, new in zip(_keys(kind), astuple(before), astuple(after), strict=True):
            if old is not new and old != new:
                below = (*path, key)
                if below != _VERSION:
                    _differences(old, new, below, found)
    elif isinstance(after, dict):
        for key in dict.fromkeys((*before, *after)):
            if key not in before:
                found.append(FieldDifference((*path, key), new=_clean(after[key])))
            elif key not in after:
                found.append(FieldDifference((*path, key), old=_clean(before[key])))
            elif before[key] != after[key]:
                _differences(before[key], after[key], (*path, key), found)
    elif isinstance(after, tuple | list) and len(before) == len(after):
        for number, (old, new) in enumerate(zip(before, after, strict=True)):
            if old is not new and old != new:
                _differences(old, new, (*path, _element(number, new)), found)
    else:
        found.append(FieldDifference(path, _clean(before), _clean(after)))


def _element(number: int, element: Any) -> str | int:
    name = getattr(element, "type", None) or getattr(element, "name", None)
    return f"{number}={name}" if isinstance(name, str) else number


def _keys(kind: type[msgspec.Struct]) -> tuple[str, ...]:
    """The names in the API of the fields of a struct."""
    return kind.__struct_encode_fields__


def _clean(value: Any) -> Any:
    return redact_text(value) if isinstance(value, str) else value


def _put(data: Any, path: Place, value: Any) -> None:
    """Set or remove what is at a path; what does not fit the path, as in a damaged file, stays as it is."""
    for part in path[:-1]:
        data = _below(data, part)
    last = path[-1] if path else ""
    if isinstance(data, dict):
        if value is msgspec.UNSET:
            data.pop(last, None)
        else:
            data[last] = value
    elif isinstance(data, list) and (index := _index(last)) < len(data) and value is not msgspec.UNSET:
        data[index] = value


def _below(data: Any, part: str | int) -> Any:
    if isinstance(data, list):
        index = _index(part)
        return data[index] if index < len(data) else None
    if isinstance(data, dict):
        if not isinstance(data.get(part), Mapping | list):
            data[part] = {}
        return data[part]
    return None


_NO_INDEX: Final = 1 << 40


def _index(part: str | int) -> int:
    number = str(part).partition("=")[0]
    return int(number) if number.isdecimal() else _NO_INDEX
