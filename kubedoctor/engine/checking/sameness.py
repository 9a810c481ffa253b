"""Whether applying a template would change the one that is there: fields that a file leaves out keep what the API server filled
in (`kubectl apply` removes only what an earlier apply had set)."""

from __future__ import annotations

from typing import Any

from kubedoctor.cluster.changes import as_manifest
from kubedoctor.cluster.grammar.quantities import amount_of
from kubedoctor.cluster.kinds.pods import PodTemplate

_SPELLED = frozenset(("requests", "limits", "sizeLimit"))
"""Quantities, which have several spellings."""


def leaves_as_is(new: PodTemplate | None, old: PodTemplate | None) -> bool:
    """new: as the file has it. old: as the API server returns it."""
    if new is None or old is None:
        return new is old
    return _within(as_manifest(new), as_manifest(old), "")


def _within(new: Any, old: Any, key: str) -> bool:
    if isinstance(new, dict) and isinstance(old, dict):
        inner = key if key in _SPELLED else ""
        return all(_within(value, old.get(name), inner or name) for name, value in new.items())
    if isinstance(new, list) and isinstance(old, list):
        return len(new) == len(old) and all(_within(one, other, key) for one, other in zip(new, old, strict=True))
    if new == old or (old is None and new in ("", [], {}, 0, False)):
        return True
    if key in _SPELLED and isinstance(new, str) and isinstance(old, str):
        return amount_of(new) == amount_of(old)
    return False
