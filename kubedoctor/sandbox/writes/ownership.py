"""Who set which field: `managedFields`, server-side apply and its conflicts (`structured-merge-diff`, `apiserver/pkg/endpoints/
handlers/fieldmanager`, v1.37).

A set of fields is a tree as `fieldsV1` writes it: `f:NAME` for a field, `k:{…}` for the element of a list with keys, `v:…` for
an element of a set, `.` for the place itself.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Final

from kubedoctor.cluster.patching import Place, merge_key
from kubedoctor.sandbox.exchange import FailureStatus, Object

Fields = dict[str, Any]
"""A set of fields, as a tree."""

_SELF: Final = "."
_PROTOCOL: Final = "protocol"
_NEVER: Final = frozenset({"apiVersion", "kind"})
_OF_SERVER: Final = frozenset(
    {
        "name",
        "namespace",
        "uid",
        "resourceVersion",
        "generation",
        "creationTimestamp",
        "deletionTimestamp",
        "deletionGracePeriodSeconds",
        "managedFields",
        "generateName",
        "selfLink",
    }
)
_NOT_ASSOCIATIVE: Final = frozenset({"variables"})


def fields_of(obj: Object) -> Fields:
    """All fields that an object sets, without those of the server."""
    data = {name: value for name, value in obj.items() if name not in _NEVER}
    if isinstance(metadata := data.get("metadata"), dict):
        data["metadata"] = {name: value for name, value in metadata.items() if name not in _OF_SERVER}
    return {name: tree for name, tree in _map_fields(data, ()).items() if tree or name != "f:metadata"}


def _map_fields(data: Object, place: Place) -> Fields:
    return {f"f:{name}": _value_fields(value, (*place, name)) for name, value in data.items()}


def _value_fields(value: Any, place: Place) -> Fields:
    if isinstance(value, dict) and value:
        return _map_fields(value, place)
    if isinstance(value, list) and value and (keys := _keys(value, place)):
        return {
            _key_of(element, keys): {_SELF: {}, **_map_fields(element, place)}
            for element in value
            if isinstance(element, dict)
        }
    return {}


def _keys(elements: list[Any], place: Place) -> tuple[str, ...]:
    """The fields that identify an element (`x-kubernetes-list-map-keys`); none for a list that is owned as a whole."""
    key = merge_key(place) if place[-1] not in _NOT_ASSOCIATIVE else ""
    if not key or not all(isinstance(each, dict) and key in each for each in elements):
        return ()
    if place[-1] == "ports":
        return (key, _PROTOCOL)
    return ("topologyKey", "whenUnsatisfiable") if key == "topologyKey" else (key,)


def _key_of(element: Object, keys: tuple[str, ...]) -> str:
    named = {key: element.get(key, "TCP" if key == _PROTOCOL else None) for key in keys}
    return "k:" + json.dumps(named, separators=(",", ":"))


def union(one: Fields, other: Fields) -> Fields:
    """What either has."""
    result = dict(one)
    for name, tree in other.items():
        result[name] = union(result[name], tree) if name in result else tree
    return result


def without(one: Fields, other: Fields) -> Fields:
    """What the first has and the second has not, leaf by leaf."""
    result: Fields = {}
    for name, tree in one.items():
        if name not in other:
            result[name] = tree
        elif tree and (left := without(tree, other[name])) and set(left) != {_SELF}:
            result[name] = left
    return result


def common(one: Fields, other: Fields) -> Fields:
    """What both have, leaf by leaf."""
    result: Fields = {}
    for name, tree in one.items():
        if name not in other or name == _SELF:
            continue
        if not _leaves(tree) or not _leaves(other[name]):
            result[name] = {}
        elif shared := common(tree, other[name]):
            result[name] = shared
    return result


def _leaves(tree: Fields) -> bool:
    return any(name != _SELF for name in tree)


def changed(before: Object, after: Object) -> Fields:
    """The fields of the second that the first has not, or has with another value."""
    return _changed(before, after, fields_of(after))


def _changed(before: Any, after: Any, tree: Fields) -> Fields:
    result: Fields = {}
    for name, subtree in tree.items():
        if name == _SELF:
            continue
        old, new = _child(before, name), _child(after, name)
        if _leaves(subtree) and type(old) is type(new):
            if differing := _changed(old, new, subtree):
                result[name] = differing
        elif old != new:
            result[name] = subtree
    return result


def _child(value: Any, name: str) -> Any:
    if name.startswith("f:"):
        return value.get(name.removeprefix("f:")) if isinstance(value, dict) else None
    return element_at(value, name)


def element_at(value: Any, name: str) -> Object | None:
    """The element of a list that `k:{…}` names."""
    named = json.loads(name.removeprefix("k:"))
    for element in value if isinstance(value, list) else ():
        if isinstance(element, dict) and _key_of(element, tuple(named)) == name:
            return element
    return None


def paths(tree: Fields, start: str = "") -> Iterator[str]:
    """The leaves as the API server prints them: `.spec.replicas`, `.spec.containers[name="app"].image`."""
    for name, subtree in tree.items():
        if name == _SELF:
            continue
        if name.startswith("f:"):
            path = f"{start}.{name.removeprefix('f:')}"
        else:
            named = json.loads(name.removeprefix("k:"))
            path = start + "[" + ",".join(f"{key}={json.dumps(value)}" for key, value in named.items()) + "]"
        if _leaves(subtree):
            yield from paths(subtree, path)
        else:
            yield path


def conflict(found: list[tuple[str, str, Fields]]) -> FailureStatus:
    """409 of server-side apply. found: manager, its verb on which API version, the fields."""
    causes, lines = [], []
    for manager, how, tree in found:
        for path in paths(tree):
            causes.append(
                {"reason": "FieldManagerConflict", "message": f'conflict with "{manager}" {how}', "field": path}
            )
            lines.append((f'conflict with "{manager}" {how}', path))
    told = f"Apply failed with {len(lines)} conflict{'s' if len(lines) > 1 else ''}: "
    by_manager: dict[str, list[str]] = {}
    for who, path in lines:
        by_manager.setdefault(who.replace("conflict with", "conflicts with", 1), []).append(path)
    if len(lines) == 1:
        told += f"{lines[0][0]}: {lines[0][1]}"
    else:
        told += "\n".join("\n- ".join((f"{who}:", *fields)) for who, fields in by_manager.items())
    return FailureStatus(409, "Conflict", told, {"causes": causes})
