"""Heap sizes in a container's settings: the flags of Java and Node.js."""

from __future__ import annotations

import re

from kubedoctor.cluster.grammar.quantities import QuantityError, parse_quantity
from kubedoctor.cluster.kinds.containers import Container

_HEAP = re.compile(r"-Xmx(\d+)([kKmMgG])|--max[-_]old[-_]space[-_]size[= ](\d+)")
_UNITS = {"k": 2**10, "m": 2**20, "g": 2**30}
_VARIABLES = frozenset({"JAVA_OPTS", "JAVA_TOOL_OPTIONS", "NODE_OPTIONS"})


def heap_over(container: Container, limit: str) -> str:
    """The flag that sets a heap as large as the memory limit, a quantity, or larger; empty if there is none."""
    try:
        allowed = parse_quantity(limit).value()
    except QuantityError:
        return ""
    words = [*(container.command or ()), *(container.args or ())]
    words += [variable.value for variable in container.env or () if variable.name in _VARIABLES]
    matches = (match for word in words if (match := _HEAP.search(word)) is not None)
    return next((match.group(0) for match in matches if _size(match) >= allowed), "")


def _size(flag: re.Match[str]) -> int:
    """In bytes. Node counts in MiB."""
    java, unit, node = flag.groups()
    return int(java) * _UNITS[unit.lower()] if java else int(node) * _UNITS["m"]
