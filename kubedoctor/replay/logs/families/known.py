"""Which of the patterns of all families knows a message."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import msgspec

from kubedoctor.replay.logs.families import FAMILIES
from kubedoctor.replay.logs.faults import LogFault, Pattern


class KnownFault(msgspec.Struct, frozen=True):
    fault: LogFault
    pattern: Pattern
    subject: str


_BELOW_FILES: Final = frozenset({LogFault.TLS, LogFault.CREDENTIALS})
"""A certificate or password that cannot be read is a fault of its file."""
_FILE_ERRORS: Final = ("no such file or directory", "system library:fopen", "is a directory")


@lru_cache(maxsize=512)
def known_fault(message: str) -> KnownFault | None:
    """The first pattern that knows a message; those that are weak only where no other does."""
    lower = message.lower()
    weak: KnownFault | None = None
    for family in FAMILIES:
        for pattern in family.patterns:
            if (pattern.weak and weak is not None) or pattern.needle not in lower:
                continue
            if family.fault in _BELOW_FILES and any(words in lower for words in _FILE_ERRORS):
                break
            subject = pattern.subject_in(message, lower, family.subject)
            if subject is None:
                continue
            match = KnownFault(family.fault, pattern, subject)
            if not pattern.weak:
                return match
            weak = match
    return weak
