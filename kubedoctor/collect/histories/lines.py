"""The lines of such a file: JSON, one after the other, so that a file that was cut off is whole up to its last line.

The first is a `Start`; then come `BaseObject`s, and then `Happened`s in the order of time.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

import msgspec

from kubedoctor.cluster.history.object_changes import ObjectChange
from kubedoctor.cluster.history.ring import IncidentMark

SCHEMA: Final = "kubedoctor.dev/history/v1"
OPENING: Final = b'{"schema":"kubedoctor.dev/history/'


class RecordedListing(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is known of a kind, in a namespace or (empty) in all. state: `whole`, `refused` or `part`."""

    kind: str
    namespace: str = ""
    state: str = "whole"
    why: str = ""


class Start(msgspec.Struct, frozen=True):
    """`at`: when the watch began."""

    schema: str
    at: datetime
    context: str = ""
    kubernetes: str = ""
    namespace: str = ""
    listings: tuple[RecordedListing, ...] = ()
    problems: tuple[str, ...] = ()


class BaseObject(msgspec.Struct, frozen=True, omit_defaults=True):
    """An object as it was at the start; `kind` as a Ref spells it."""

    kind: str
    object: msgspec.Raw
    names_only: bool = False


class Happened(msgspec.Struct, frozen=True, omit_defaults=True):
    """One of: a change of the object `about` (kind, namespace, name); an incident that began or ended; a kind that was lost
    sight of, and why, or seen again; or without any of these that the watch went on."""

    at: datetime
    about: tuple[str, str, str] | None = None
    change: ObjectChange | None = None
    mark: IncidentMark | None = None
    lost: str = ""
    why: str = ""
    back: str = ""


class AnyLine(msgspec.Struct, frozen=True):
    """A line of either kind."""

    kind: str = ""
    object: msgspec.Raw = msgspec.Raw(b"")
    names_only: bool = False
    at: datetime | None = None
    about: tuple[str, str, str] | None = None
    change: ObjectChange | None = None
    mark: IncidentMark | None = None
    lost: str = ""
    why: str = ""
    back: str = ""


START: Final = msgspec.json.Decoder(Start)
LINE: Final = msgspec.json.Decoder(AnyLine)
ENCODER: Final = msgspec.json.Encoder()


def encoded(line: Any) -> bytes:
    """A line with its end."""
    return ENCODER.encode(line) + b"\n"
