"""What differs between two objects, as the steps of a change."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from kubedoctor.cluster.changes import Path, Step


def changed_fields(before: Any, after: Any, path: Path = (), deep: int = 2) -> tuple[Step, ...]:
    """Steps that make the second of the first: whole values, at most `deep` names below the top."""
    return tuple(_changed(before, after, path, deep))


def _changed(before: Any, after: Any, path: Path, deep: int) -> Iterator[Step]:
    for name in dict.fromkeys((*before, *after)):
        if name not in after:
            yield Step((*path, name), remove=True)
        elif name not in before or before[name] != after[name]:
            if deep > 1 and isinstance(before.get(name), dict) and isinstance(after[name], dict):
                yield from _changed(before[name], after[name], (*path, name), deep - 1)
            else:
                yield Step((*path, name), after[name])
