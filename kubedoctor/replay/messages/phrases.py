"""Tables of phrases: what a message must contain to be of a class."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from typing import Final, NamedTuple

from kubedoctor.cluster.grammar.patterns import compiled_later
from kubedoctor.replay.messages.classes import Culprit, MessageClass
from kubedoctor.replay.messages.message import Message


class Phrase(NamedTuple):
    """A pattern (upper and lower case alike, a space is any white space) that makes a message one of a class. `reason`:
    a pattern for the whole reason, if only some reasons count."""

    message_class: MessageClass
    fault: Culprit
    pattern: str
    reason: str = ""


class Area(NamedTuple):
    """The phrases of an area, the most specific first, and what a message of it means that has none of them."""

    name: str
    phrases: tuple[Phrase, ...]
    otherwise: tuple[MessageClass, Culprit] | None = None


class Match(NamedTuple):
    """The phrase that a message has. `start`: where it begins; None without a phrase."""

    message_class: MessageClass
    fault: Culprit
    start: int | None
    values: dict[str, str]


_SILENT: Final = compiled_later(
    r'\b(?P<noun>(?:image|reference|volume|container|pod|sandbox|StorageClass|release|chart|name|alias)s? \\?")(?P<name>[^"\\]+)'
    r"|/var/lib/kubelet/pods/[^\s:\"]+|Mounting command: .*?Output:|Refer to the mount\.\w+\(8\).*",
    re.DOTALL,
)
"""Names that users choose, and what `mount` was called with: words in them have no meaning."""


def _without_names(text: str) -> str:
    """The text with these blanked; every position stays."""
    return _SILENT.sub(lambda found: (found["noun"] or "").ljust(len(found[0]), "_"), text)


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    """Compiled when an area is read first: most runs read few of them."""
    return re.compile(pattern.replace(" ?", r"\s*").replace(" ", r"\s+"), re.IGNORECASE | re.DOTALL)


def first_phrase(message: Message, phrases: Iterable[Phrase]) -> Match | None:
    """The first phrase that is found in the message."""
    text = _without_names(message.text)
    for message_class, fault, pattern, reason in phrases:
        if reason and not _compiled(reason).fullmatch(message.reason):
            continue
        if match := _compiled(pattern).search(text):
            values = {
                name: message.text[match.start(name) : match.end(name)] for name in match.re.groupindex if match[name]
            }
            return Match(message_class, fault, match.start(), values)
    return None
