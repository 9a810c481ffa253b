"""Evidence: a value read from an object at a path that people know from `kubectl -o jsonpath`."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache, lru_cache
from typing import Any

import msgspec

from kubedoctor.cluster.grammar.patterns import compiled_later
from kubedoctor.cluster.kinds.meta import KubernetesObject
from kubedoctor.cluster.kinds.references import Ref, ref


class UnknownPath(LookupError):
    """A path that no struct has: a mistake in a diagnostic."""


class EmptyQuote(LookupError):
    """A path that leads to nothing in this object: a finding never quotes an empty value."""


class Evidence(msgspec.Struct, frozen=True):
    """A fact: the object, the path, its value, and what it shows (may be empty).

    Made by `quote` and `quote_line` only. `value` is plain data (text, number, boolean, list, map).
    """

    object: Ref
    path: str
    value: Any
    shows: str = ""

    @property
    def text(self) -> str:
        """The value on one line."""
        if isinstance(self.value, str):
            return self.value
        if isinstance(self.value, Mapping) and all(isinstance(v, str | int) for v in self.value.values()):
            return ", ".join(f"{key}={value}" for key, value in self.value.items())
        return msgspec.json.encode(self.value, order="sorted").decode()


_STEP = compiled_later(r"(?:^|\.)([A-Za-z0-9_]+)|\[([^\]]+)\]")


def quote(obj: KubernetesObject, path: str, shows: str = "") -> Evidence:
    """Read the value at a path: `status.containerStatuses[name=app].restartCount`, `metadata.labels[app]`, `rules[0]`;
    of a text of several lines one of them, `data.status[line 12]`.

    Raises UnknownPath for a path that the kind does not have, EmptyQuote where the value is empty.
    """
    value = read_path(obj, path)
    if _is_empty(value):
        raise EmptyQuote(f"{ref(obj)} has no value at {path}")
    return Evidence(ref(obj), path, _plain(value, defaulted=obj.metadata.creation_timestamp is not None), shows)


_ALWAYS_WRITTEN = frozenset({"exitCode", "ready", "restartCount"})
"""Fields that an object has even where they are zero (without `omitempty` in k8s.io/api, v1.37)."""


def _plain(value: Any, *, defaulted: bool) -> Any:
    """Plain data with lists for tuples, and of structs only fields that the object has. `defaulted`: an API server has
    filled in its defaults (`protocol: TCP`); a manifest lacks them."""
    if isinstance(value, msgspec.Struct):
        return {
            written: _plain(member, defaulted=defaulted)
            for written, field in _fields(type(value)).items()
            if (member := getattr(value, field.name)) is not None
            and (written in _ALWAYS_WRITTEN or member != _default(field) or (defaulted and member))
        }
    if isinstance(value, Mapping):
        return {key: _plain(item, defaulted=defaulted) for key, item in value.items() if item is not None}
    if isinstance(value, list | tuple):
        return [_plain(item, defaulted=defaulted) for item in value]
    return msgspec.to_builtins(value)


def _default(field: msgspec.structs.FieldInfo) -> Any:
    factory = field.default_factory
    return field.default if factory is msgspec.NODEFAULT else factory()


def has_path(obj: KubernetesObject, path: str) -> bool:
    """Whether the path has a value, so that it can be quoted."""
    try:
        return not _is_empty(read_path(obj, path))
    except EmptyQuote:
        return False


def read_path(obj: Any, path: str) -> Any:
    """The value at a path; see `quote`."""
    value = obj
    for name, index in _steps(path):
        if value is None or (value is not obj and _is_empty(value)):
            raise EmptyQuote(f"no value at {path}")
        value = _member(value, name, path) if name else _element(value, index, path)
    return value


def _is_empty(value: Any) -> bool:
    """A part with nothing but defaults is not in the object."""
    if isinstance(value, msgspec.Struct):
        return bool(value == _unset(type(value)))
    return value is None or value == "" or value == () or value == {}


@cache
def _unset(struct: type[msgspec.Struct]) -> msgspec.Struct:
    return struct()


@lru_cache(maxsize=4096)
def _steps(path: str) -> tuple[tuple[str, str], ...]:
    steps = []
    position = 0
    for match in _STEP.finditer(path):
        if match.start() != position:
            break
        position = match.end()
        steps.append((match.group(1) or "", match.group(2) or ""))
    if position != len(path) or not steps:
        raise UnknownPath(f"{path!r} is not a path")
    return tuple(steps)


@cache
def _fields(struct: type[msgspec.Struct]) -> dict[str, msgspec.structs.FieldInfo]:
    """By the name in JSON; cached, because each look at the annotations leaves cycles for the collector of garbage."""
    return {field.encode_name: field for field in msgspec.structs.fields(struct)}


def _member(value: Any, name: str, path: str) -> Any:
    if isinstance(value, msgspec.Struct):
        field = _fields(type(value)).get(name)
        if field is None:
            raise UnknownPath(f"{type(value).__name__} has no field {name} (in {path})")
        return getattr(value, field.name)
    if isinstance(value, dict):
        return value.get(name)
    raise UnknownPath(f"{name} of a plain value (in {path})")


def _element(value: Any, index: str, path: str) -> Any:
    if isinstance(value, dict):
        return value.get(index)
    if isinstance(value, str) and index.startswith("line "):
        number = index.removeprefix("line ")
        lines = value.splitlines()
        return lines[int(number) - 1].strip() if number.isdigit() and 0 < int(number) <= len(lines) else None
    if not isinstance(value, list | tuple):
        raise UnknownPath(f"[{index}] of a value that is not a list (in {path})")
    if index.isdigit():
        return value[int(index)] if int(index) < len(value) else None
    key, equals, expected = index.partition("=")
    if not equals:
        raise UnknownPath(f"[{index}] is neither a number nor name=value (in {path})")
    return next((item for item in value if str(_member(item, key, path)) == expected), None)
