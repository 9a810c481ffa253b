"""Steps as the body of `kubectl patch`: a merge patch where possible, a strategic merge patch by container names where
that is enough, else a JSON patch (RFC 7386, strategic merge, RFC 6902)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from kubedoctor.cluster.changes import Path, Step, apply_steps, as_manifest, in_order
from kubedoctor.cluster.kinds.meta import CustomResource, KubernetesObject
from kubedoctor.findings.commands.lines import json_text

_CONTAINERS: Final = ("containers", "initContainers")
_ABSENT: Final = ("", 0, None)
"""The values of a typed object where the API server's object may lack the field."""


def patch_words(steps: Sequence[Step], item: KubernetesObject | None) -> list[str]:
    """`--type=merge`, `-p` and the body; empty where the object must be known and is not, or lacks the path."""
    data = as_manifest(item) if item is not None else None
    if all(_is_plain(step.path) for step in steps):
        return ["--type=merge", "-p", json_text(_merge(steps, data))]
    if data is None:
        return []
    if not isinstance(item, CustomResource) and all(_names_container(step, data) for step in steps):
        return ["-p", json_text(_by_name(steps, data))]
    return ["--type=json", "-p", json_text(_operations(steps, data))]


def _is_plain(path: Path) -> bool:
    """Whether the path leads through maps only."""
    return all(isinstance(part, str) and part != "-" for part in path)


def _merge(steps: Sequence[Step], data: Any) -> Any:
    """The value in a merge patch: a map that replaces another has nulls for the keys that only the old one has."""
    body: dict[str, Any] = {}
    for step in steps:
        value = None if step.remove else _replacing(step.value, _at(data, step.path))
        body = apply_steps(body, (Step(step.path, value),))
    return body


def _replacing(value: Any, before: Any) -> Any:
    if not isinstance(value, dict) or not isinstance(before, dict):
        return value
    changed = {key: _replacing(inner, before.get(key)) for key, inner in value.items()}
    return {**changed, **{key: None for key in before if key not in value}}


def _at(data: Any, path: Path) -> Any:
    """The value at a path; None where there is none."""
    for part in path:
        if isinstance(part, int):
            data = data[part] if isinstance(data, list) and part < len(data) else None
        else:
            data = data.get(part) if isinstance(data, dict) else None
    return data


def _container_at(path: Path) -> int | None:
    """The index in the path of a container's position."""
    for index in range(1, len(path) - 1):
        if path[index - 1] in _CONTAINERS and isinstance(path[index], int):
            return index
    return None


def _names_container(step: Step, data: Any) -> bool:
    """Whether the step sets a single value of a container, or a value outside lists: lists are merged by rules of their
    own."""
    index = _container_at(step.path)
    if isinstance(step.value, dict | list) or not (step.remove or step.value is not None):
        return False
    if index is None:
        return _is_plain(step.path)
    container = _at(data, step.path[: index + 1])
    return (
        _is_plain(step.path[:index]) and _is_plain(step.path[index + 1 :]) and bool(container and container.get("name"))
    )


def _by_name(steps: Sequence[Step], data: Any) -> Any:
    body: dict[str, Any] = {}
    for step in steps:
        value = None if step.remove else step.value
        index = _container_at(step.path)
        if index is None:
            body = apply_steps(body, (Step(step.path, value),))
            continue
        name = _at(data, step.path[: index + 1])["name"]
        listed = _at(body, step.path[:index]) or []
        position = next((number for number, container in enumerate(listed) if container["name"] == name), len(listed))
        if position == len(listed):
            body = apply_steps(body, (Step((*step.path[:index], "-"), {"name": name}),))
        body = apply_steps(body, (Step((*step.path[:index], position, *step.path[index + 1 :]), value),))
    return body


def _operations(steps: Sequence[Step], data: Any) -> list[dict[str, Any]]:
    operations = []
    for step in in_order(steps):
        operations.append(_operation(step, data))
        data = apply_steps(data, (step,))
    return operations


def _operation(step: Step, data: Any) -> dict[str, Any]:
    """A JSON patch does not create parents: the first missing parent is added with its content."""
    path: list[str | int] = []
    for position, part in enumerate(step.path):
        path.append(part)
        exists = part in data if isinstance(data, dict) else isinstance(part, int) and part < len(data)
        if part == "-" or not exists:
            value = step.value
            for missing in reversed(step.path[position + 1 :]):
                value = [value] if missing == "-" else {missing: value}
            return {"op": "add", "path": _pointer(path), "value": value}
        data = data[part]
    if step.remove:
        return {"op": "remove", "path": _pointer(path)}
    return {"op": "add" if data in _ABSENT else "replace", "path": _pointer(path), "value": step.value}


def _pointer(path: Sequence[str | int]) -> str:
    return "".join(f"/{str(part).replace('~', '~0').replace('/', '~1')}" for part in path)
