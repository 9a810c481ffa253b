"""The one reader of what components write into events, conditions and container states."""

from __future__ import annotations

from kubedoctor.replay.messages.classes import Culprit, MessageClass
from kubedoctor.replay.messages.message import Message, MessageReading
from kubedoctor.replay.messages.passing import is_over
from kubedoctor.replay.messages.phrases import Area, Match, first_phrase
from kubedoctor.replay.messages.routes import areas_of
from kubedoctor.replay.messages.wrappers import deciding_words


def read_message(message: Message) -> MessageReading | None:
    """What a message says; None where no area knows its reason or phrase."""
    found = _found(message, areas_of(message))
    if found is None:
        return None
    message_class, fault = found.message_class, found.fault
    if not message_class.is_healthy and is_over(message, message_class):
        message_class, fault = MessageClass(f"{message_class.area}/healthy"), Culprit.NOTHING
    return MessageReading(
        message_class, fault, deciding_words(message.text, found.start), found.values, found.start is not None
    )


def _found(message: Message, areas: tuple[Area, ...]) -> Match | None:
    for area in areas:
        if match := first_phrase(message, area.phrases):
            return match
    otherwise = next((area.otherwise for area in reversed(areas) if area.otherwise), None)
    return Match(*otherwise, None, {}) if otherwise else None
