"""Questions of the oracle as typed objects."""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec

from kubedoctor.cluster.kinds.meta import KubernetesObject
from kubedoctor.cluster.seen.decoding import convert_object, decode_object

Answer = dict[str, Any]
T = TypeVar("T", bound=KubernetesObject)


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
    result = convert_object(struct.__name__, data)
    for obj in result.objects:
        if isinstance(obj, struct) and not result.problems:
            return obj
    raise BadRequest(f"bad request: {'; '.join(result.problems)}")
