"""What etcd and the API server say where nothing can be stored (`server/etcdserver/errors`, `api/v3rpc/rpctypes`, etcd v3.6)."""

from __future__ import annotations

import enum
import re
from typing import Final


class StoreTrouble(enum.Enum):
    """Why etcd takes no writes."""

    NO_SPACE = enum.auto()
    CORRUPT = enum.auto()
    NO_LEADER = enum.auto()
    DISK = enum.auto()


_WORDS: Final = (
    (StoreTrouble.NO_SPACE, re.compile(r"database space exceeded|alarm:? ?\"?NOSPACE|\bNOSPACE\b")),
    (StoreTrouble.CORRUPT, re.compile(r"etcdserver: corrupt cluster|alarm:? ?\"?CORRUPT|\bCORRUPT\b")),
    (StoreTrouble.DISK, re.compile(r"(?:wal|snap|db|member).*no space left on device")),
    (StoreTrouble.NO_LEADER, re.compile(r"etcdserver: (?:no leader|leader changed)|lost leader|has no leader")),
)
_DISARMED: Final = re.compile(r"disarm", re.IGNORECASE)


def store_trouble(line: str) -> StoreTrouble | None:
    """What a line of a log or a message says of it; None where it tells nothing, or that an alarm is over."""
    if _DISARMED.search(line):
        return None
    return next((trouble for trouble, words in _WORDS if words.search(line)), None)
