"""Patches applied to plain data, as the API server applies them: merge (RFC 7386), JSON (RFC 6902), and strategic merge
(`apimachinery/pkg/util/strategicpatch/patch.go`, v1.37)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import deepcopy
from typing import Any, Final

Place = tuple[str, ...]
"""Names of fields from the top of the object, without the places in lists."""

_DIRECTIVE: Final = "$patch"
_ORDER: Final = "$setElementOrder/"
_DELETED: Final = "$deleteFromPrimitiveList/"
_RETAINED: Final = "$retainKeys"

_MERGE_KEYS: Final[Mapping[str, str]] = {
    "addresses": "type",
    "conditions": "type",
    "containers": "name",
    "env": "name",
    "ephemeralContainers": "name",
    "hostAliases": "ip",
    "imagePullSecrets": "name",
    "initContainers": "name",
    "matchConditions": "name",
    "ownerReferences": "uid",
    "podIPs": "ip",
    "resourceClaimStatuses": "name",
    "resourceClaims": "name",
    "schedulingGates": "name",
    "secrets": "name",
    "topologySpreadConstraints": "topologyKey",
    "variables": "name",
    "volumeDevices": "devicePath",
    "volumeMounts": "mountPath",
    "volumes": "name",
    "webhooks": "name",
}
"""Lists that are merged, and the field that identifies an element (`patchMergeKey` of `k8s.io/api`, v1.37)."""
_CONTAINERS: Final = frozenset({"containers", "initContainers", "ephemeralContainers"})
_PRIMITIVES: Final = frozenset({"finalizers", "podCIDRs", "volumesInUse"})
"""Merged lists of plain values."""


class PatchError(ValueError):
    """The patch does not fit the object."""


def merge_key(place: Place) -> str:
    """The field that identifies an element of a list; empty where a patch replaces the whole list."""
    if place[-1:] != ("ports",):
        return _MERGE_KEYS.get(place[-1], "") if place else ""
    if place == ("spec", "ports"):
        return "port"
    return "containerPort" if place[-2:-1] and place[-2] in _CONTAINERS else ""


def merged(data: Any, patch: Any) -> Any:
    """A merge patch: null removes."""
    if not isinstance(patch, dict):
        return patch
    result = dict(data) if isinstance(data, dict) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = merged(result.get(key), value)
    return result


def strategically_merged(data: Any, patch: Any, place: Place = ()) -> Any:
    """A strategic merge patch: lists with a merge key are merged by it, other lists are replaced; null removes.

    Raises PatchError for a list whose elements lack their key.
    """
    if isinstance(patch, list):
        return _list_merged(data if isinstance(data, list) else [], patch, place)
    if not isinstance(patch, dict):
        return patch
    directive = patch.get(_DIRECTIVE)
    if directive == "delete":
        return {}
    if directive == "replace":
        return _plain(patch)
    result = dict(data) if isinstance(data, dict) else {}
    if isinstance(retained := patch.get(_RETAINED), list):
        result = {name: value for name, value in result.items() if name in retained}
    for name, value in _plain(patch).items():
        if value is None:
            result.pop(name, None)
        else:
            result[name] = strategically_merged(result.get(name), value, (*place, name))
    return _with_list_directives(result, patch, place)


def _plain(patch: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a patch, without its directives."""
    return {name: value for name, value in patch.items() if not name.startswith("$")}


def _with_list_directives(result: dict[str, Any], patch: Mapping[str, Any], place: Place) -> dict[str, Any]:
    for directive, values in patch.items():
        if not isinstance(values, list):
            continue
        if directive.startswith(_DELETED):
            name = directive.removeprefix(_DELETED)
            if isinstance(own := result.get(name), list):
                result[name] = [value for value in own if value not in values]
        elif directive.startswith(_ORDER):
            name = directive.removeprefix(_ORDER)
            if isinstance(own := result.get(name), list):
                result[name] = _ordered(own, values, merge_key((*place, name)))
    return result


def _ordered(own: list[Any], wanted: Sequence[Any], key: str) -> list[Any]:
    """The elements in the order that is wanted; one that it does not name stays behind the one that it followed."""

    def name_of(element: Any) -> Any:
        return element.get(key) if key and isinstance(element, dict) else element

    ranks = {repr(name_of(element)): rank for rank, element in enumerate(wanted)}
    placed: list[tuple[int, int, Any]] = []
    rank = -1
    for number, element in enumerate(own):
        rank = ranks.get(repr(name_of(element)), rank)
        placed.append((rank, number, element))
    return [element for _, _, element in sorted(placed, key=lambda each: each[:2])]


def _list_merged(data: list[Any], patch: list[Any], place: Place) -> list[Any]:
    if place and place[-1] in _PRIMITIVES:
        return [*data, *(value for value in patch if value not in data)]
    key = merge_key(place)
    if not key:
        return patch
    if any(isinstance(item, dict) and item.get(_DIRECTIVE) == "replace" for item in patch):
        return [item for item in patch if _DIRECTIVE not in item]
    result = list(data)
    for item in patch:
        if not isinstance(item, dict) or key not in item:
            raise PatchError(f"an element of {place[-1]} has no {key}, by which it is found")
        index = next((i for i, own in enumerate(result) if own.get(key) == item[key]), None)
        if item.get(_DIRECTIVE) == "delete":
            result = [own for own in result if own.get(key) != item[key]]
        elif index is None:
            result.append(strategically_merged({}, item, place))
        else:
            result[index] = strategically_merged(result[index], item, place)
    return result


def json_patched(data: Any, patch: Any) -> Any:
    """A JSON patch. Raises PatchError where a path is not there, a test fails, or an operation is unknown."""
    result = deepcopy(data)
    if not isinstance(patch, list):
        raise PatchError("a JSON patch is a list of operations")
    for operation in patch:
        if not isinstance(operation, dict):
            raise PatchError("an operation of a JSON patch is an object")
        result = _operated(result, operation)
    return result


def _operated(data: Any, operation: Mapping[str, Any]) -> Any:
    what, path = operation.get("op"), str(operation.get("path", ""))
    if what in ("add", "replace", "test") and "value" not in operation:
        raise PatchError(f"{what} of {path or 'nothing'} has no value")
    try:
        if what == "test":
            if _found(data, path) != operation["value"]:
                raise PatchError(f"{path} has another value")
            return data
        if what == "remove":
            return _removed(data, path)
        if what == "replace":
            _found(data, path)
            return _added(_removed(data, path), path, deepcopy(operation["value"]))
        if what == "add":
            return _added(data, path, deepcopy(operation["value"]))
        if what in ("copy", "move"):
            moved = deepcopy(_found(data, str(operation.get("from", ""))))
            return _added(_removed(data, str(operation["from"])) if what == "move" else data, path, moved)
    except (KeyError, IndexError, TypeError, ValueError) as error:
        if isinstance(error, PatchError):
            raise
        raise PatchError(f"no {path}") from None
    raise PatchError(f"no operation of a JSON patch is called {what}")


def _parts(path: str) -> list[str]:
    if not path.startswith("/"):
        raise PatchError(f"the path {path or 'nothing'} of an operation does not begin with /")
    return [part.replace("~1", "/").replace("~0", "~") for part in path.split("/")[1:]]


def _found(data: Any, path: str) -> Any:
    for part in _parts(path):
        data = data[_position(part)] if isinstance(data, list) else data[part]
    return data


def _position(part: str) -> int:
    if not part.isdecimal():
        raise ValueError(part)
    return int(part)


def _added(data: Any, path: str, value: Any) -> Any:
    *way, last = _parts(path)
    place = _found(data, "/" + "/".join(_escaped(way))) if way else data
    if isinstance(place, list):
        index = len(place) if last == "-" else _position(last)
        if index > len(place):
            raise IndexError(last)
        place.insert(index, value)
    else:
        place[last] = value
    return data


def _removed(data: Any, path: str) -> Any:
    *way, last = _parts(path)
    place = _found(data, "/" + "/".join(_escaped(way))) if way else data
    del place[_position(last) if isinstance(place, list) else last]
    return data


def _escaped(parts: list[str]) -> list[str]:
    return [part.replace("~", "~0").replace("/", "~1") for part in parts]
