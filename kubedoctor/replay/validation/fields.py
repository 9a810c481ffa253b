"""A place in an object that is validated, and what is wrong there (`apimachinery/pkg/util/validation/field`, v1.37)."""

from __future__ import annotations

import enum
import json
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import msgspec

Path = tuple[str | int, ...]
"""Field names and positions in lists, from the top of the object."""


class FieldFault(enum.Enum):
    """What is wrong. UNKNOWN, DUPLICATE_KEY, TYPE: while the text is decoded, before any validation. VERSION: the kind is
    not served."""

    REQUIRED = "Required value"
    INVALID = "Invalid value"
    UNSUPPORTED = "Unsupported value"
    DUPLICATE = "Duplicate value"
    FORBIDDEN = "Forbidden"
    TOO_LONG = "Too long"
    TOO_MANY = "Too many"
    UNKNOWN = "unknown field"
    DUPLICATE_KEY = "duplicate key"
    TYPE = "wrong type"
    VERSION = "not served"


class FieldViolation(msgspec.Struct, frozen=True):
    """Why the API server refuses an object. says: its words after the path. nearest: the name that was probably meant."""

    path: Path
    fault: FieldFault
    says: str
    nearest: str = ""

    @property
    def text(self) -> str:
        """As the API server prints it: `spec.ports[0].port: Required value`."""
        where = path_text(self.path)
        if self.fault is FieldFault.UNKNOWN:
            return f'unknown field "{where}"'
        return f"{where}: {self.says}" if where else self.says


def path_text(path: Path) -> str:
    """`spec.containers[0].env`; keys with other characters in brackets."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        elif part.replace("_", "").isalnum():
            text += f".{part}" if text else part
        else:
            text += f"[{part}]"
    return text


class Field:
    """A value with its path; what is wrong with it goes to `sink`. Missing values are None, values of wrong types were named
    before and count as empty."""

    __slots__ = ("path", "sink", "value")

    def __init__(self, value: Any, path: Path, sink: Callable[[FieldViolation], None]) -> None:
        self.value, self.path, self.sink = value, path, sink

    def __getitem__(self, key: str) -> Field:
        value = self.value.get(key) if isinstance(self.value, dict) else None
        return Field(value, (*self.path, key), self.sink)

    def __bool__(self) -> bool:
        return self.value not in (None, "", 0, False) and not (isinstance(self.value, dict | list) and not self.value)

    @property
    def given(self) -> bool:
        """Whether it is there, empty or not."""
        return self.value is not None

    @property
    def text(self) -> str:
        return self.value if isinstance(self.value, str) else ""

    @property
    def number(self) -> int | None:
        return self.value if isinstance(self.value, int) and not isinstance(self.value, bool) else None

    def each(self) -> Iterator[Field]:
        """The members of a list."""
        for place, value in enumerate(self.value if isinstance(self.value, list) else ()):
            yield Field(value, (*self.path, place), self.sink)

    def entries(self) -> Iterator[tuple[str, Field]]:
        """The entries of a map."""
        for key, value in (self.value if isinstance(self.value, dict) else {}).items():
            yield str(key), Field(value, (*self.path, str(key)), self.sink)

    def has(self, key: str) -> bool:
        """Whether a map has a key, though without a value."""
        return isinstance(self.value, dict) and key in self.value

    @property
    def given_keys(self) -> tuple[str, ...]:
        """The keys of a map that have a value."""
        return tuple(key for key, field in self.entries() if field.given)

    def _say(self, fault: FieldFault, says: str) -> None:
        self.sink(FieldViolation(self.path, fault, says))

    def required(self, why: str = "") -> None:
        self._say(FieldFault.REQUIRED, f"Required value: {why}" if why else "Required value")

    def invalid(self, why: str) -> None:
        self._say(FieldFault.INVALID, f"Invalid value: {_shown(self.value)}: {why}")

    def unsupported(self, allowed: Iterable[str]) -> None:
        listed = ", ".join(f'"{word}"' for word in allowed)
        self._say(FieldFault.UNSUPPORTED, f"Unsupported value: {_shown(self.value)}: supported values: {listed}")

    def duplicate(self) -> None:
        self._say(FieldFault.DUPLICATE, f"Duplicate value: {_shown(self.value)}")

    def forbidden(self, why: str) -> None:
        self._say(FieldFault.FORBIDDEN, f"Forbidden: {why}")

    def too_long(self, most: int) -> None:
        self._say(FieldFault.TOO_LONG, f"Too long: may not be more than {most} bytes")

    def too_many(self, most: int) -> None:
        self._say(FieldFault.TOO_MANY, f"Too many: must have at most {most} items")

    # Rules that many fields share

    def one_of(self, allowed: Iterable[str], *, needed: bool = False) -> None:
        """needed: whether the API server fills in no default."""
        words = tuple(allowed)
        if not self.text:
            if needed:
                self.required()
        elif self.text not in words:
            self.unsupported(words)

    def at_least(self, least: int) -> None:
        if self.number is not None and self.number < least:
            bound = "or equal to 0" if least == 0 else f"or equal to {least}"
            self.invalid(f"must be greater than {bound}")

    def must(self, problems: Iterable[str]) -> None:
        """Each problem is what the value must be and is not."""
        for why in problems:
            self.invalid(why)

    def unlike(self, seen: set[Any]) -> None:
        """Its value is that of no field before it."""
        if self.given and not isinstance(self.value, dict | list):
            if self.value in seen:
                self.duplicate()
            seen.add(self.value)


def _shown(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)
