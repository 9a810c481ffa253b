"""YAML with the place of every value, as `sigs.k8s.io/yaml` reads it: YAML 1.1, without its sexagesimal numbers and times."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

import yaml

from kubedoctor.cluster.manifests import FileDocument, Path, Place

MOST_VALUES: Final = 2_000_000
"""Of one document: aliases that expand to more are no manifest."""
DEEPEST: Final = 200
_TRUE: Final = frozenset(("true", "yes", "on", "y"))
_FALSE: Final = frozenset(("false", "no", "off", "n"))
_NULL: Final = frozenset(("", "~", "null"))
_INTEGER: Final = re.compile(r"[-+]?(0[xX][0-9a-fA-F_]+|0[oO]?[0-7_]+|0[bB][01_]+|[0-9][0-9_]*)")
_FLOAT: Final = re.compile(r"[-+]?(\.[0-9]+|[0-9][0-9_]*(\.[0-9_]*)?)([eE][-+]?[0-9]+)?")
_BINARY: Final = "tag:yaml.org,2002:binary"
_STRING: Final = "tag:yaml.org,2002:str"
_MERGE: Final = "<<"


class NodeProblem(ValueError):
    """Why a document cannot be read, with the place."""

    def __init__(self, place: Place, why: str) -> None:
        super().__init__(why)
        self.place, self.why = place, why


def documents(text: str, file: str, first_line: int = 0) -> Iterator[FileDocument]:
    """The documents of one part of a file that holds at least one; those without content are left out. first_line: lines
    before the text. Raises NodeProblem."""
    loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    reader = loader(text)
    try:
        while reader.check_node():
            node = reader.get_node()
            if node is not None:
                yield _Document(file, first_line).read(node)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = Place(file, first_line + (mark.line if mark else 0) + 1, (mark.column if mark else 0) + 1)
        raise NodeProblem(place, " ".join(filter(None, (error.context, error.problem)))) from None
    except yaml.YAMLError as error:
        raise NodeProblem(Place(file, first_line + 1, 1), " ".join(str(error).split())) from None
    finally:
        reader.dispose()


class _Document:
    """One document while it is read."""

    def __init__(self, file: str, first_line: int) -> None:
        self._file, self._first = file, first_line
        self.places: dict[Path, Place] = {}
        self.doubles: list[tuple[Path, Place]] = []
        self._count = 0

    def read(self, node: Any) -> FileDocument:
        value = self._value(node, ())
        place = self._place(node)
        if value is None:
            return FileDocument(place, {})
        if not isinstance(value, dict):
            raise NodeProblem(place, "is no object: a mapping with apiVersion and kind is expected")
        return FileDocument(place, value, self.places, tuple(self.doubles))

    def _place(self, node: Any) -> Place:
        mark = node.start_mark
        return Place(self._file, self._first + mark.line + 1, mark.column + 1)

    def _value(self, node: Any, path: Path) -> Any:
        self._count += 1
        if self._count > MOST_VALUES or len(path) > DEEPEST:
            raise NodeProblem(self._place(node), "aliases or nesting make it too large")
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, path)
        if isinstance(node, yaml.SequenceNode):
            items = []
            for place, item in enumerate(node.value):
                self.places[(*path, place)] = self._place(item)
                items.append(self._value(item, (*path, place)))
            return items
        return self._scalar(node)

    def _mapping(self, node: Any, path: Path) -> dict[str, Any]:
        found: dict[str, Any] = {}
        merged: dict[str, Any] = {}
        for key_node, value_node in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                raise NodeProblem(self._place(key_node), "a key must be text")
            key = key_node.value
            if key == _MERGE and not key_node.style:
                merged |= self._merged(value_node, path)
                continue
            inner = (*path, key)
            if key in found:
                self.doubles.append((inner, self._place(key_node)))
            else:
                self.places[inner] = self._place(key_node)
            found[key] = self._value(value_node, inner)
        return {**merged, **found} if merged else found

    def _merged(self, node: Any, path: Path) -> dict[str, Any]:
        nodes = node.value if isinstance(node, yaml.SequenceNode) else [node]
        merged: dict[str, Any] = {}
        for item in reversed(nodes):
            value = self._value(item, path)
            merged |= value if isinstance(value, dict) else {}
        return merged

    def _scalar(self, node: Any) -> Any:
        text: str = node.value
        if node.style or node.tag == _BINARY:
            return text
        if (
            node.tag == _STRING
            and not (_FLOAT.fullmatch(text) or _INTEGER.fullmatch(text))
            and text.lower() not in ("y", "n")
        ):
            return text
        lowered = text.lower()
        if text == "~" or (lowered in _NULL and text in ("", "null", "Null", "NULL")):
            return None
        if lowered in _TRUE:
            return True
        if lowered in _FALSE:
            return False
        if _INTEGER.fullmatch(text):
            return _integer(text)
        if _FLOAT.fullmatch(text):
            number = float(text.replace("_", ""))
            return int(number) if number.is_integer() and abs(number) < 1 << 53 else number
        return text


def _integer(text: str) -> int | str:
    plain = text.replace("_", "")
    sign = -1 if plain.startswith("-") else 1
    digits = plain.lstrip("+-")
    try:
        if digits[:2] in ("0x", "0X", "0o", "0O", "0b", "0B"):
            return sign * int(digits, 0)
        if len(digits) > 1 and digits.startswith("0"):
            return sign * int(digits, 8)
        return sign * int(digits) if len(digits) < 40 else text
    except ValueError:
        return text
