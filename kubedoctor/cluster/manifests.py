"""Documents of files that were never applied, with the place of every value."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

import msgspec

Path = tuple[str | int, ...]

_STEP: Final = re.compile(r"(?:^|\.)([^.\[\]]+)|\[([^\]]*)\]")


class Place(msgspec.Struct, frozen=True, order=True):
    """Of a value in a file; the first line and the first column are 1."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


class PassedOver(msgspec.Struct, frozen=True):
    """A file that was not read as objects. what: its name, or of several. why: as a clause. line: what would be typed to check
    what it makes; empty where it makes nothing."""

    what: str
    why: str
    line: str = ""


class FileDocument(msgspec.Struct, frozen=True):
    """One object of a file. data: as the API server would get it. places: of the keys and items of `data`, by path. doubles:
    paths of keys that are there twice, with the place of the second. problem: why it cannot be read; then data is empty.
    partial: a kustomization completes it; it is never applied as it is."""

    place: Place
    data: Mapping[str, Any]
    places: Mapping[Path, Place] = msgspec.field(default_factory=dict)
    doubles: tuple[tuple[Path, Place], ...] = ()
    problem: str = ""
    partial: bool = False

    @property
    def name(self) -> str:
        """`deploy/web.yaml:12:1`; JSON may hold many objects on one line."""
        return str(self.place)

    def place_of(self, path: str) -> Place:
        """Of the value at a path in the API server's or kubectl's form (`spec.containers[name=app].image`), or of the
        nearest value around it."""
        return self.nearest(self._resolved(path))

    def has(self, path: str) -> bool:
        """Whether there is a value at a path of that form."""
        return len(self._resolved(path)) == len(list(_STEP.finditer(path))) and self._resolved(path) in self.places

    def nearest(self, path: Path) -> Place:
        """Of the value, or of the nearest one around it."""
        for double, place in self.doubles:
            if double == path:
                return place
        for length in range(len(path), 0, -1):
            if (place := self.places.get(path[:length])) is not None:  # type: ignore[assignment]  # None is told apart
                return place
        return self.place

    def _resolved(self, path: str) -> Path:
        """The part of a textual path that exists."""
        found: list[str | int] = []
        value: Any = self.data
        for match in _STEP.finditer(path):
            name, index = match.groups()
            step = name if name is not None else _index(index, value)
            if step is None:
                break
            found.append(step)
            value = _inner(value, step)
        return tuple(found)


def _inner(value: Any, step: str | int) -> Any:
    if isinstance(value, Mapping):
        return value.get(step)
    if isinstance(value, list) and isinstance(step, int) and 0 <= step < len(value):
        return value[step]
    return None


def _index(text: str, value: Any) -> str | int | None:
    """What brackets mean: a position, `name=app`, or the key of a map."""
    if isinstance(value, Mapping):
        return text
    if text.isdigit():
        return int(text)
    key, equals, wanted = text.partition("=")
    if equals and isinstance(value, list):
        return next((place for place, item in enumerate(value) if _has(item, key, wanted)), None)
    return None


def _has(item: Any, key: str, wanted: str) -> bool:
    return isinstance(item, Mapping) and str(item.get(key)) == wanted
