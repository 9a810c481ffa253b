"""A node whose disk is read-only: the same words wherever it shows."""

from __future__ import annotations

import re
from typing import Final

DISK_READ_ONLY: Final = "the disk of {node} is read-only"
REPAIR_DISK: Final = "Drain {node}, check its disk, and restart or replace the machine"
_READ_ONLY: Final = re.compile(r"read-only file ?system", re.IGNORECASE)


def says_read_only(message: str) -> bool:
    """Whether a message of a component of the node blames a read-only file system."""
    return _READ_ONLY.search(message) is not None
