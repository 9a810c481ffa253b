"""A message of a component with what is known about its circumstances, and what it says."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

import msgspec

from kubedoctor.replay.messages.classes import Culprit, MessageClass


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """`kind`: of the object that carries it. `component`: an event's source, a condition's controller. `type`: of an
    event. `condition`, `status`: of a condition. `age`: since it was last seen. `pod_ready`: whether all containers of
    the pod are ready now. What is unknown is empty or None: the message is then taken as fresh and still true."""

    text: str
    reason: str = ""
    kind: str = ""
    component: str = ""
    type: str = ""
    condition: str = ""
    status: str = ""
    age: timedelta | None = None
    count: int | None = None
    pod_ready: bool | None = None


class MessageReading(msgspec.Struct, frozen=True):
    """What a message says. `deciding`: the message without the wrappers in front, up to its end. `values`: the names
    and numbers in it. `known`: whether a phrase decided, and not only the reason."""

    message_class: MessageClass
    fault: Culprit
    deciding: str
    values: Mapping[str, str]
    known: bool = True
