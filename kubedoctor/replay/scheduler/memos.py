"""Results that are computed once for a state of the cluster and cached with it, each kind with its own type."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, Protocol, TypeVar

KeyT = TypeVar("KeyT")
ValueT = TypeVar("ValueT")


class Remembers(Protocol):
    """An object that caches results about itself."""

    memos: dict[Memo[Any, Any], dict[Any, Any]]


class Memo(Generic[KeyT, ValueT]):
    """One kind of cached results, by key. Declared as a constant by the module that computes them; each holder has its
    own results."""

    __slots__ = ()

    def of(self, holder: Remembers) -> dict[KeyT, ValueT]:
        """All results about the holder so far; may be added to."""
        memo: dict[KeyT, ValueT] | None = holder.memos.get(self)
        if memo is None:
            memo = holder.memos[self] = {}
        return memo

    def kept(self, holder: Remembers, key: KeyT, work_out: Callable[[], ValueT]) -> ValueT:
        """The result for the key, computed the first time."""
        memo = self.of(holder)
        if key not in memo:
            memo[key] = work_out()
        return memo[key]
