"""Questions of the oracle as typed objects."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

import msgspec

from kubedoctor.cluster.kinds.meta import KubernetesObject
from kubedoctor.cluster.kinds.references import kind_name
from kubedoctor.cluster.seen.decoding import convert_object, decode_object

Answer = dict[str, Any]
T = TypeVar("T", bound=KubernetesObject)


class State:
    """Objects as a request names them, typed when they are asked for; others and those of unknown kinds stay unread.
    `settings`: what else stands beside them in a request of mode `cluster`."""

    def __init__(self, objects: Iterable[Mapping[str, Any]] = (), settings: Mapping[str, Any] | None = None) -> None:
        self._raw: dict[str, list[Mapping[str, Any]]] = {}
        for obj in objects:
            self._raw.setdefault(str(obj.get("kind", "")), []).append(obj)
        self._typed: dict[type[KubernetesObject], tuple[Any, ...]] = {}
        self.settings = settings or {}

    def of(self, struct: type[T]) -> tuple[T, ...]:
        """The objects of a kind; raises BadRequest for one that cannot be read."""
        if struct not in self._typed:
            self._typed[struct] = tuple(converted(struct, obj) for obj in self._raw.get(struct.__name__, ()))
        return self._typed[struct]


class BadRequest(ValueError):
    """A request that cannot be answered; the text is for the answer's `error`."""


def decoded(kind: str, raw: msgspec.Raw) -> KubernetesObject:
    """An object from JSON; raises BadRequest."""
    result = decode_object(kind, raw)
    if result.problems:
        raise BadRequest(f"bad request: {result.problems[0]}")
    return result.objects[0]


def converted(struct: type[T], data: Any) -> T:
    """An object from plain data; raises BadRequest."""
    result = convert_object(kind_name(struct), data)
    for obj in result.objects:
        if isinstance(obj, struct) and not result.problems:
            return obj
    raise BadRequest(f"bad request: {'; '.join(result.problems)}")
