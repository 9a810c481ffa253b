"""The kind of a message, by the first pattern that is found in it."""

from __future__ import annotations

import re
from typing import Generic, TypeVar

from kubedoctor.cluster.grammar.patterns import compiled_later

KindT = TypeVar("KindT")


class MessageKinds(Generic[KindT]):
    """Kinds with their patterns, upper and lower case alike. Messages quote URLs and names, so the most specific patterns
    come first."""

    def __init__(self, *kinds: tuple[KindT, str]) -> None:
        self._kinds = tuple((kind, compiled_later(text, re.IGNORECASE)) for kind, text in kinds)

    def of(self, message: str) -> KindT | None:
        """None where no pattern is found."""
        return next((kind for kind, pattern in self._kinds if pattern.search(message)), None)
