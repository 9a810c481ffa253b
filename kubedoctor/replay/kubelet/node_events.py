"""What the kubelet reports about its machine in events of the node (`pkg/kubelet/events/event.go`, v1.37)."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

REBOOTED: Final = "Rebooted"
SYSTEM_OOM: Final = "SystemOOM"
_BOOT: Final = re.compile(r"boot id: ([\w-]+)")
_VICTIM: Final = re.compile(r"victim process: (?P<name>[^,]*), pid: (?P<pid>\d+)")


class Victim(NamedTuple):
    """The process that the kernel killed."""

    name: str
    pid: int

    def __str__(self) -> str:
        return f"{self.name or 'a process'} (pid {self.pid})"


def victim_named(message: str) -> Victim | None:
    """The process in a message of SystemOOM; None where the kubelet did not know it (`System OOM encountered`)."""
    found = _VICTIM.search(message)
    return Victim(found["name"].strip(), int(found["pid"])) if found else None


def boot_named(message: str) -> str:
    """The boot id in a message of Rebooted (`Node worker-a has been rebooted, boot id: …`); empty if none is there."""
    found = _BOOT.search(message)
    return found[1] if found else ""
