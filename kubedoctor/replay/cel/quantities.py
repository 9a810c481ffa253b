"""`quantity("500m")` (`apiserver/pkg/cel/library/quantity.go`, v1.37)."""

from __future__ import annotations

from typing import Any, Final

from kubedoctor.cluster.grammar.quantities import parse_quantity

KEY: Final = "kubernetes.quantity"
_NANO: Final = 10**9


def quantity(text: str) -> dict[str, str]:
    """Equal amounts are equal, however they are spelled."""
    return _made(parse_quantity(text).nanos)


def _made(nanos: int) -> dict[str, str]:
    return {KEY: str(nanos)}


def _amount(value: Any) -> int:
    """In billionths."""
    return value * _NANO if isinstance(value, int) else int(value[KEY])


def sign(value: Any) -> int:
    """-1, 0 or 1."""
    amount = _amount(value)
    return (amount > 0) - (amount < 0)


def is_integer(value: Any) -> bool:
    """Whether it is a whole number of 64 bits."""
    amount = _amount(value)
    return not amount % _NANO and -(2**63) <= amount // _NANO < 2**63


def as_integer(value: Any) -> int:
    """Raises ValueError for a fraction."""
    if not is_integer(value):
        raise ValueError("cannot convert value to integer")
    return _amount(value) // _NANO


def as_float(value: Any) -> float:
    """The nearest one."""
    return _amount(value) / _NANO


def add(one: Any, other: Any) -> dict[str, str]:
    """other: a quantity or a number."""
    return _made(_amount(one) + _amount(other))


def sub(one: Any, other: Any) -> dict[str, str]:
    """other: a quantity or a number."""
    return _made(_amount(one) - _amount(other))


def compare(one: Any, other: Any) -> int:
    """-1, 0 or 1."""
    left, right = _amount(one), _amount(other)
    return (left > right) - (left < right)


def is_less(one: Any, other: Any) -> bool:
    """Whether the first is smaller."""
    return compare(one, other) < 0


def is_greater(one: Any, other: Any) -> bool:
    """Whether the first is larger."""
    return compare(one, other) > 0
