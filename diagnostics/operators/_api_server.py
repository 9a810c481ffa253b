"""What a status says: the API server's refusals, what an operator does not accept, the sentence that counts."""

from __future__ import annotations

import re
from typing import Final

from kubedoctor.cluster import CustomResource

_REFUSED: Final = re.compile(r'\S+ "[^"]*" is forbidden: ')
_INVALID: Final = re.compile(r'(?P<kind>[\w.-]+) \\?"(?P<name>[^"\\]*)\\?" is invalid: ')
"""Of the API server (`apimachinery/pkg/api/errors`, NewInvalid): which object it is about."""
_NEXT_SENTENCE: Final = re.compile(r"(?<=[.!]) (?=[A-Z])")
UNACCEPTED: Final = re.compile(
    r"\b[Uu]nsupported\b.{0,80}\b[vV]ersion|[vV]ersion\b.{0,60}\b(?:is not|isn't|not) supported|[Ss]upported versions are"
    r"|\bspec\.[\w.\[\]-]+: (?:Invalid value|Unsupported value|Required value|Forbidden)\b"
)
"""What operators write of a spec: Strimzi (`KafkaVersion.java`, 0.45), ECK, Percona, and those that use field errors."""


def is_refused(message: str, obj: CustomResource) -> bool:
    """Whether the API server refused another object, which the operator made out of this one."""
    if _REFUSED.search(message):
        return True
    invalid = _INVALID.search(message)
    return invalid is not None and (invalid["kind"].partition(".")[0], invalid["name"]) != (
        obj.kind.partition(".")[0],
        obj.name,
    )


def first_sentence(message: str) -> str:
    """On one line, without its full stop: what follows is where to read more."""
    return _NEXT_SENTENCE.split(" ".join(message.split()), maxsplit=1)[0].rstrip(".")
