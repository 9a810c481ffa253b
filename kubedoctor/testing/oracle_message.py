"""The oracle's mode `message`: what a component's message says, in the form of the shared conformance rows."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import msgspec

from kubedoctor.replay.messages.message import Message
from kubedoctor.replay.messages.reader import read_message


class _Context(msgspec.Struct, rename="camel"):
    age: str = ""
    count: int | None = None
    pod_ready: bool | None = None


class _Request(msgspec.Struct):
    message: str
    kind: str = ""
    component: str = ""
    reason: str = ""
    type: str = ""
    condition: str = ""
    context: _Context = msgspec.field(default_factory=_Context)


_REQUEST = msgspec.json.Decoder(_Request)
_AGE = re.compile(r"(\d+)([dhms])")
_UNITS = {"d": "days", "h": "hours", "m": "minutes", "s": "seconds"}


def answer_message(request: bytes | msgspec.Raw) -> dict[str, Any]:
    """`{class, fault_of, deciding, values}`; empty where nothing is known of such a message."""
    asked = _REQUEST.decode(request)
    condition, _, status = asked.condition.partition("=")
    reading = read_message(
        Message(
            text=asked.message,
            reason=asked.reason,
            kind=asked.kind,
            component=asked.component,
            type=asked.type,
            condition=condition,
            status=status,
            age=_age(asked.context.age),
            count=asked.context.count,
            pod_ready=asked.context.pod_ready,
        )
    )
    if reading is None:
        return {}
    return {
        "class": reading.message_class.value,
        "fault_of": reading.fault.value,
        "deciding": reading.deciding,
        "values": dict(reading.values),
    }


def _age(text: str) -> timedelta | None:
    """An age as kubectl writes it: `2d`, `3h20m`."""
    parts = _AGE.findall(text)
    return timedelta(**{_UNITS[unit]: int(number) for number, unit in parts}) if parts else None
