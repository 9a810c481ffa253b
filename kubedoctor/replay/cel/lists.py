"""Functions of lists (`apiserver/pkg/cel/library/lists.go`, `cel-go/ext/{lists,sets}.go`)."""

from __future__ import annotations

import itertools
from typing import Any


def is_sorted(items: list[Any]) -> bool:
    """In ascending order."""
    return all(one <= other for one, other in itertools.pairwise(items))


def total(items: list[Any]) -> Any:
    """Of numbers; 0 of none."""
    return sum(items)


def index_of(items: list[Any], wanted: Any) -> int:
    """-1 where it is not there."""
    return next((place for place, item in enumerate(items) if _same(item, wanted)), -1)


def last_index_of(items: list[Any], wanted: Any) -> int:
    """-1 where it is not there."""
    return next((place for place in range(len(items) - 1, -1, -1) if _same(items[place], wanted)), -1)


def _same(one: Any, other: Any) -> bool:
    """True is not 1."""
    return isinstance(one, bool) == isinstance(other, bool) and bool(one == other)


def part(items: list[Any], start: int, end: int) -> list[Any]:
    """Raises ValueError out of bounds."""
    if not 0 <= start <= end <= len(items):
        raise ValueError("slice is out of range")
    return items[start:end]


def ordered(items: list[Any]) -> list[Any]:
    """Ascending."""
    return sorted(items)


def distinct(items: list[Any]) -> list[Any]:
    """The first of each."""
    found: list[Any] = []
    for item in items:
        if index_of(found, item) < 0:
            found.append(item)
    return found


def flat(items: list[Any], depth: int = 1) -> list[Any]:
    """Lists in the list, so many levels deep."""
    if depth < 0:
        raise ValueError("depth must be non-negative")
    found: list[Any] = []
    for item in items:
        found += flat(item, depth - 1) if isinstance(item, list) and depth else [item]
    return found


def counted_up(end: int) -> list[int]:
    """From 0 on."""
    return list(range(end))


def contains(items: list[Any], others: list[Any]) -> bool:
    """Whether all of the others are among the items."""
    return all(index_of(items, other) >= 0 for other in others)


def equivalent(items: list[Any], others: list[Any]) -> bool:
    """Whether both are one set."""
    return contains(items, others) and contains(others, items)


def intersects(items: list[Any], others: list[Any]) -> bool:
    """Whether they share one."""
    return any(index_of(items, other) >= 0 for other in others)
