"""Heap sizes in a container's settings: the flags of Java and Node.js."""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec

from kubedoctor.cluster.grammar.quantities import QuantityError, parse_quantity
from kubedoctor.cluster.kinds.containers import Container

_HEAP = re.compile(r"-Xmx(\d+)([kKmMgG])|--max[-_]old[-_]space[-_]size[= ](\d+)")
_PERCENTAGE = re.compile(r"-XX:MaxRAMPercentage=[\d.]+")
_UNITS = {"k": 2**10, "m": 2**20, "g": 2**30}
_VARIABLES = frozenset({"JAVA_OPTS", "JAVA_TOOL_OPTIONS", "JDK_JAVA_OPTIONS", "NODE_OPTIONS"})


class HeapSetting(msgspec.Struct, frozen=True):
    """A flag that limits a heap, and the field of the container that holds it."""

    flag: str
    field: str


def heap_setting(container: Container) -> HeapSetting | None:
    """The first flag that limits the heap; a percentage of the memory limit counts too."""
    for field, word in _settings(container):
        match = _HEAP.search(word) or _PERCENTAGE.search(word)
        if match is not None:
            return HeapSetting(match.group(0), field)
    return None


def _settings(container: Container) -> Iterator[tuple[str, str]]:
    for field in ("command", "args"):
        for word in getattr(container, field) or ():
            yield field, word
    for variable in container.env or ():
        if variable.name in _VARIABLES:
            yield f"env[name={variable.name}].value", variable.value


def heap_over(container: Container, limit: str) -> str:
    """The flag that sets a heap as large as the memory limit, a quantity, or larger; empty if there is none."""
    try:
        allowed = parse_quantity(limit).value()
    except QuantityError:
        return ""
    matches = (match for _, word in _settings(container) if (match := _HEAP.search(word)) is not None)
    return next((match.group(0) for match in matches if _size(match) >= allowed), "")


def _size(flag: re.Match[str]) -> int:
    """In bytes. Node counts in MiB."""
    java, unit, node = flag.groups()
    return int(java) * _UNITS[unit.lower()] if java else int(node) * _UNITS["m"]
