"""Resource amounts such as `1500m` and `1.5Gi`, exactly (`apimachinery/pkg/api/resource`, v1.37)."""

from __future__ import annotations

from functools import lru_cache
from typing import Final, Literal

from kubedoctor.cluster.grammar.patterns import compiled_later

Format = Literal["DecimalSI", "BinarySI", "DecimalExponent"]

_NANO: Final = 10**9
_LARGEST_BINARY: Final = ((1 << 63) - 1) * _NANO
_LONGEST: Final = 1000
"""More digits than this, and higher exponents, are refused; upstream would compute with them."""

_DECIMAL: Final = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_BINARY: Final = {"Ki": 10, "Mi": 20, "Gi": 30, "Ti": 40, "Pi": 50, "Ei": 60}
_DECIMAL_SUFFIX: Final = {exponent: suffix for suffix, exponent in _DECIMAL.items()}
_BINARY_SUFFIX: Final = ("", *_BINARY)

_QUANTITY: Final = compiled_later(r"([+-]?)([0-9]*)(?:\.([0-9]*))?([eEinumkKMGTP]*[-+]?[0-9]*)")
_EXPONENT: Final = compiled_later(r"[eE]([-+]?[0-9]{1,18})")


class QuantityError(ValueError):
    """A text that is not an amount; the text of the error is a sentence for a person."""


class Quantity:
    """An exact amount: immutable, hashable and ordered by size, independent of its unit."""

    __slots__ = ("_nanos", "format")

    format: Format
    """How `str()` writes it: with k and M, with Ki and Mi, or with e3 and e6."""

    def __init__(self, nanos: int = 0, format: Format = "DecimalSI") -> None:
        self._nanos = nanos
        self.format = format

    @staticmethod
    def parse(text: str) -> Quantity:
        """Reads what the API server reads; raises QuantityError."""
        return parse_quantity(text)

    @classmethod
    def of(cls, value: int, format: Format = "DecimalSI") -> Quantity:
        """An amount of whole units, such as bytes."""
        return cls(value * _NANO, format)

    @classmethod
    def of_milli(cls, milli: int) -> Quantity:
        """An amount of thousandths, such as those of a processor."""
        return cls(milli * 1_000_000)

    @property
    def nanos(self) -> int:
        """In billionths, exactly."""
        return self._nanos

    def value(self) -> int:
        """In whole units, rounded away from zero.

        Upstream's integers overflow outside 64 bits, and are wrong for some negative amounts; these are not.
        """
        return _rounded_up(self._nanos, _NANO)

    def milli_value(self) -> int:
        """In thousandths, rounded away from zero."""
        return _rounded_up(self._nanos, 1_000_000)

    @property
    def is_zero(self) -> bool:
        """Whether the amount is zero."""
        return not self._nanos

    def __str__(self) -> str:
        """The canonical form: the largest unit that leaves no fraction."""
        if not self._nanos:
            return "0"
        if self.format == "BinarySI" and abs(self._nanos) >= 1024 * _NANO and not self._nanos % _NANO:
            number, times = _without_factors(self._nanos // _NANO, 1024, len(_BINARY))
            return f"{number}{_BINARY_SUFFIX[times]}"
        zeros = 27 if self.format != "DecimalExponent" else 2 * _LONGEST
        number, times = _without_factors(self._nanos, 1000, zeros // 3)
        exponent = 3 * times - 9
        if self.format == "DecimalExponent":
            return f"{number}e{exponent}" if exponent else str(number)
        return f"{number}{_DECIMAL_SUFFIX[exponent]}"

    def __repr__(self) -> str:
        return f"Quantity({str(self)!r})"

    def __add__(self, other: Quantity) -> Quantity:
        return Quantity(self._nanos + other._nanos, self.format if self._nanos else other.format)

    def __sub__(self, other: Quantity) -> Quantity:
        return Quantity(self._nanos - other._nanos, self.format if self._nanos else other.format)

    def __eq__(self, other: object) -> bool:
        return self._nanos == other._nanos if isinstance(other, Quantity) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._nanos)

    def __lt__(self, other: Quantity) -> bool:
        return self._nanos < other._nanos

    def __le__(self, other: Quantity) -> bool:
        return self._nanos <= other._nanos

    def __gt__(self, other: Quantity) -> bool:
        return self._nanos > other._nanos

    def __ge__(self, other: Quantity) -> bool:
        return self._nanos >= other._nanos


def _rounded_up(amount: int, unit: int) -> int:
    return -(-amount // unit) if amount > 0 else amount // unit


def _without_factors(number: int, factor: int, limit: int) -> tuple[int, int]:
    times = 0
    while times < limit and not number % factor:
        number //= factor
        times += 1
    return number, times


@lru_cache(maxsize=65536)
def parse_quantity(text: str) -> Quantity:
    """Reads what the API server reads (`resource.ParseQuantity`); raises QuantityError.

    As there, some units without a number (`Ki`, `m`) and a lone sign or point are zero.
    Fractions of a billionth are rounded away from zero, and amounts in binary units end at 2^63 - 1.
    """
    parts = _QUANTITY.fullmatch(text) if text else None
    if parts is None:
        raise QuantityError(f"{text!r} is not an amount: write a number and a unit, for example 250m, 0.5 or 128Mi.")
    sign, whole, fraction, suffix = parts.groups(default="")
    digits = whole.lstrip("0") + fraction
    if len(digits) > _LONGEST:
        raise QuantityError(f"An amount of {len(digits)} digits is too long.")
    number = int(digits or "0")
    bare = not whole + fraction
    if suffix in _BINARY:
        if bare and _BINARY[suffix] >= 50:
            raise QuantityError(f"{text!r} is not an amount: the number is missing.")
        form: Format = "BinarySI"
        nanos = _rounded_up((number << _BINARY[suffix]) * _NANO, 10 ** len(fraction))
        nanos = min(nanos, _LARGEST_BINARY)
        if 0 < nanos < _NANO:
            form = "DecimalSI"
    else:
        exponent, form = _decimal_exponent(text, suffix)
        shift = exponent - len(fraction) + 9
        if bare and shift < 0:
            raise QuantityError(f"{text!r} is not an amount: the number is missing.")
        if number and shift > _LONGEST:
            raise QuantityError(f"{text!r} is too large.")
        nanos = _shifted(number, shift)
    return Quantity(-nanos if sign == "-" else nanos, form)


def amount_of(text: str | None) -> Quantity | None:
    """As `parse_quantity`; None where there is no text, or none that is an amount."""
    try:
        return parse_quantity(text) if text else None
    except QuantityError:
        return None


def bytes_of(text: str | None) -> int:
    """As `amount_of`, in bytes; 0 where there is none."""
    amount = amount_of(text)
    return amount.value() if amount is not None else 0


def _decimal_exponent(text: str, suffix: str) -> tuple[int, Format]:
    scale = _DECIMAL.get(suffix)
    if scale is not None:
        return scale, "DecimalSI"
    power = _EXPONENT.fullmatch(suffix)
    if power is None:
        raise QuantityError(
            f"{text!r} is not an amount: {suffix!r} is not a unit. "
            "Units are n, u, m, k, M, G, T, P, E and Ki, Mi, Gi, Ti, Pi, Ei."
        )
    return int(power[1]), "DecimalExponent"


def _shifted(number: int, shift: int) -> int:
    """The number times ten to the power of `shift`, rounded up; a power below any digit leaves 1."""
    if shift >= 0:
        return number * 10**shift if number else 0
    return _rounded_up(number, 10 ** min(-shift, _LONGEST + 1))


def format_bytes(n: int) -> str:
    """For reading, rounded to one decimal: `256Mi`, `1.5Gi`; exact amounts are written by Quantity."""
    if abs(n) >> 100:  # larger than a float can hold
        return f"{'-' if n < 0 else ''}{abs(n) >> 60}Ei"
    amount = float(abs(n))
    unit = 0
    while unit < len(_BINARY) and round(amount, 1) >= 1024:
        amount /= 1024
        unit += 1
    number = f"{amount:.1f}".removesuffix(".0")
    return f"{'-' if n < 0 else ''}{number}{_BINARY_SUFFIX[unit]}"


def format_milli(n: int) -> str:
    """Thousandths, exactly and as short as people write them: `250m`, `1.5`, `2`."""
    if n % 1000 == 0:
        return str(n // 1000)
    if abs(n) > 1000 and n % 100 == 0:
        return f"{'-' if n < 0 else ''}{abs(n) // 1000}.{abs(n) % 1000 // 100}"
    return f"{n}m"
