"""Patches applied to plain data: merge (RFC 7386), JSON (RFC 6902), and strategic merge by names of containers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from kubedoctor.cluster.changes import Path, Step

_BY_NAME: Final = frozenset(
    {"containers", "initContainers", "ephemeralContainers", "volumes", "env", "imagePullSecrets"}
)
"""Lists whose merge key is `name` (`k8s.io/api/core/v1`, patchMergeKey, v1.37)."""
_BY_OTHER: Final = {"volumeMounts": "mountPath", "ports": "containerPort", "hostAliases": "ip"}
_ORDERS: Final = ("$setElementOrder", "$retainKeys")


class PatchError(ValueError):
    """The patch does not fit the object."""


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


def strategically_merged(data: Any, patch: Any, field: str = "") -> Any:
    """A strategic merge patch: lists with a merge key are merged by it, other lists are replaced."""
    if isinstance(patch, list):
        key = "name" if field in _BY_NAME else _BY_OTHER.get(field, "")
        return _list_merged(data or [], patch, key) if key else patch
    if not isinstance(patch, dict):
        return patch
    if patch.get("$patch") == "replace":
        return {name: value for name, value in patch.items() if name != "$patch"}
    result = dict(data) if isinstance(data, dict) else {}
    for name, value in patch.items():
        if value is None:
            result.pop(name, None)
        elif not name.startswith(_ORDERS):
            result[name] = strategically_merged(result.get(name), value, name)
    return result


def _list_merged(data: list[Any], patch: list[Any], key: str) -> list[Any]:
    result = list(data)
    for item in patch:
        place = next((index for index, own in enumerate(result) if own.get(key) == item.get(key)), None)
        if item.get("$patch") == "delete":
            result = [own for own in result if own.get(key) != item.get(key)]
        elif place is None:
            result.append(item)
        else:
            result[place] = strategically_merged(result[place], item)
    return result


def json_patched(data: Any, patch: Any) -> Any:
    """A JSON patch with add, replace, remove and test. Raises PatchError."""
    from copy import deepcopy

    result = deepcopy(data)
    for operation in patch:
        parts = [part.replace("~1", "/").replace("~0", "~") for part in str(operation.get("path", "")).split("/")[1:]]
        if not parts:
            raise PatchError("a path is missing")
        *way, last = parts
        place = result
        try:
            for part in way:
                place = place[int(part)] if isinstance(place, list) else place[part]
            _operate(place, last, operation)
        except (KeyError, IndexError, TypeError, ValueError):
            raise PatchError(f"no {operation.get('path')}") from None
    return result


def _operate(place: Any, last: str, operation: dict[str, Any]) -> None:
    what, value = operation.get("op"), operation.get("value")
    if isinstance(place, list):
        index = len(place) if last == "-" else int(last)
        if what == "add":
            place.insert(index, value)
        elif what == "replace":
            place[index] = value
        elif what == "remove":
            del place[index]
    elif what in ("add", "replace"):
        place[last] = value
    elif what == "remove":
        del place[last]


def changed_fields(before: Any, after: Any, path: Path = (), deep: int = 2) -> tuple[Step, ...]:
    """Steps that make the second of the first: whole values, at most `deep` names below the top."""
    return tuple(_changed(before, after, path, deep))


def _changed(before: Any, after: Any, path: Path, deep: int) -> Iterator[Step]:
    for name in dict.fromkeys((*before, *after)):
        if name not in after:
            yield Step((*path, name), remove=True)
        elif name not in before or before[name] != after[name]:
            if deep > 1 and isinstance(before.get(name), dict) and isinstance(after[name], dict):
                yield from _changed(before[name], after[name], (*path, name), deep - 1)
            else:
                yield Step((*path, name), after[name])
