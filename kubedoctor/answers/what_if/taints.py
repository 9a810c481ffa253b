"""The taints of a node after `kubectl taint`."""

from __future__ import annotations

from typing import Any, Final

from kubedoctor.answers.what_if.words import UnreadChange
from kubedoctor.cluster.kinds.references import Ref

_EFFECTS: Final = ("NoSchedule", "PreferNoSchedule", "NoExecute")


def is_taint(word: str) -> bool:
    """Whether a word of `kubectl taint` is a taint, not a node."""
    return ":" in word or "=" in word or word.endswith("-")


def tainted(taints: list[dict[str, Any]], spec: str, about: Ref) -> list[dict[str, Any]]:
    """The taints after `KEY[=VALUE]:EFFECT`, or `KEY[:EFFECT]-`. Raises UnreadChange."""
    label, _, effect = spec.removesuffix("-").partition(":")
    key, equals, value = label.partition("=")
    if spec.endswith("-"):
        left = [taint for taint in taints if taint.get("key") != key or (effect and taint.get("effect") != effect)]
        if left == taints:
            raise UnreadChange(f"{about.title} has no taint {spec[:-1]}")
        return left
    if effect not in _EFFECTS:
        raise UnreadChange(f"{effect or spec!r} is no effect of a taint: {', '.join(_EFFECTS)}")
    left = [taint for taint in taints if (taint.get("key"), taint.get("effect")) != (key, effect)]
    return [*left, {"key": key, **({"value": value} if equals else {}), "effect": effect}]
