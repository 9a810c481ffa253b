"""What the kubelet reports about its machine in events of the node (`pkg/kubelet/events/event.go`, v1.37)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from kubedoctor.cluster.kinds.core import Event

REBOOTED: Final = "Rebooted"
SYSTEM_OOM: Final = "SystemOOM"
_STARTING: Final = "Starting"
_READS_THE_LOG: Final = timedelta(seconds=15)
_BOOT: Final = re.compile(r"boot id: ([\w-]+)")
_VICTIM: Final = re.compile(r"victim process: (?P<name>[^,]*), pid: (?P<pid>\d+)")


class Victim(NamedTuple):
    """The process that the kernel killed."""

    name: str
    pid: int

    def __str__(self) -> str:
        return f"{self.name or 'a process'} (pid {self.pid})"


def seen_anew(event: Event, events: Iterable[Event]) -> datetime | None:
    """When it was last seen other than by a kubelet that had just started, of the events of its node; None where it was
    not: such a kubelet reads the kernel's log from its beginning, and reports kills of long ago as if they were new."""
    starts = [other.seen_at for other in events if other.reason == _STARTING and other.seen_at is not None]
    for at in (event.seen_at, event.first_timestamp):
        if at is not None and not any(timedelta() <= at - start <= _READS_THE_LOG for start in starts):
            return at
    return None


def victim_named(message: str) -> Victim | None:
    """The process in a message of SystemOOM; None where the kubelet did not know it (`System OOM encountered`)."""
    found = _VICTIM.search(message)
    return Victim(found["name"].strip(), int(found["pid"])) if found else None


def boot_named(message: str) -> str:
    """The boot id in a message of Rebooted (`Node worker-a has been rebooted, boot id: …`); empty if none is there."""
    found = _BOOT.search(message)
    return found[1] if found else ""
