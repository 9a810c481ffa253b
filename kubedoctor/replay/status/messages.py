"""What the controller of an object says about trouble in it: the messages of its status and its events, read."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Final

import msgspec

from kubedoctor.cluster.grammar.patterns import compiled_later
from kubedoctor.cluster.kinds.core import Event
from kubedoctor.cluster.kinds.meta import CustomResource
from kubedoctor.cluster.seen.quoting import has_path, quote
from kubedoctor.replay.logs.talk import is_generic
from kubedoctor.replay.messages.classes import MessageClass
from kubedoctor.replay.messages.message import Message, MessageReading
from kubedoctor.replay.messages.reader import read_message
from kubedoctor.replay.status.conditions import lasting_conditions
from kubedoctor.replay.status.extensions import bad_states
from kubedoctor.replay.status.stated import suspended

_VAGUE: Final = frozenset({
    MessageClass.SECRET_SYNC_FAILED,
    MessageClass.CERTIFICATE_NOT_RENEWED,
    MessageClass.DELIVERY_HEALTH_TIMEOUT,
    MessageClass.GATEWAY_NOT_PROGRAMMED,
})  # fmt: skip
"""Classes that say that it failed rather than why."""


_NO_CAUSE: Final = compiled_later(
    r"^(?:Failed (?:last )?sync attempt to \S+: )?(Failed to \w+ after \d+ attempt|one or more synchronization tasks(?!.*reason: )|Operation terminated|\w+ retries exhausted)",
    re.I,
)


_POINTS_ELSEWHERE: Final = compiled_later(r"(?:see|check|look at|inspect|consult|refer to)\b.{0,40}\blogs?\b", re.I)


def says_why(message: str) -> bool:
    """Whether a message says more than that something failed."""
    return bool(message.strip()) and not (
        is_generic(message) or _NO_CAUSE.search(message) or _POINTS_ELSEWHERE.search(message)
    )


class StatedTrouble(msgspec.Struct, frozen=True):
    """Trouble that a controller states of an object. `path`: of the condition or the state; `message_path`: of its
    message, or of the reason where it has none. `event`: the event that says it, then both paths are empty."""

    reading: MessageReading
    path: str = ""
    message_path: str = ""
    place: str = ""
    reason: str = ""
    event: Event | None = None

    @property
    def is_vague(self) -> bool:
        """It says that something failed, not why."""
        return (
            not self.reading.known
            or self.reading.message_class in _VAGUE
            or bool(_NO_CAUSE.search(self.reading.deciding))
        )


def stated_troubles(obj: CustomResource, events: Iterable[Event], now: datetime) -> tuple[StatedTrouble, ...]:
    """The trouble that the status states, with what its message means, the one that says why first; the newest Warning
    event counts where the status does not say why. Empty while a controller leaves the object alone."""
    if suspended(obj):
        return ()
    stated = [*_of_conditions(obj, now), *_of_states(obj, now)]
    if not stated:
        return ()
    if all(trouble.is_vague for trouble in stated):
        stated += _of_events(obj, events, now)
    return tuple(sorted(stated, key=lambda trouble: trouble.is_vague))


def _of_conditions(obj: CustomResource, now: datetime) -> Iterator[StatedTrouble]:
    for _, stated, _ in lasting_conditions(obj, now):
        reading = read_message(
            Message(
                text=stated.message, reason=stated.reason, kind=obj.kind, condition=stated.type, status=stated.status
            )
        )
        if reading is not None and not reading.message_class.is_healthy:
            field = "message" if stated.message else "reason" if stated.reason else "type"
            status = "status" if stated.status else "type"
            path = f"{stated.path}.{status}"
            yield StatedTrouble(reading, path, f"{stated.path}.{field}", stated.place, stated.reason)


def _of_states(obj: CustomResource, now: datetime) -> Iterator[StatedTrouble]:
    for state in bad_states(obj, now):
        message_path = next((path for path in state.explained if has_path(obj, path)), state.path)
        reading = read_message(Message(text=quote(obj, message_path).text, reason=state.word, kind=obj.kind))
        if reading is not None and not reading.message_class.is_healthy:
            yield StatedTrouble(reading, state.path, message_path)


def _of_events(obj: CustomResource, events: Iterable[Event], now: datetime) -> Iterator[StatedTrouble]:
    newest = next((event for event in reversed(tuple(events)) if event.type == "Warning" and event.message), None)
    if newest is None:
        return
    reading = read_message(Message(text=newest.message, reason=newest.reason, kind=obj.kind, type=newest.type))
    if reading is not None and reading.known and not reading.message_class.is_healthy:
        yield StatedTrouble(reading, reason=newest.reason, event=newest)
