"""How much speaks for a line of a log as the cause: its level, how well its words are known, and what comes after it."""

from __future__ import annotations

from typing import Final

from kubedoctor.replay.logs.faults import LogFault
from kubedoctor.replay.logs.levels import Level

LEVELS: Final = {
    Level.FATAL: 3.0,
    Level.ERROR: 2.5,
    Level.UNSTATED: 2.0,
    Level.WARNING: 0.9,
    Level.INFO: -0.6,
    Level.DEBUG: -9.0,
}
KNOWN, WEAK, UNKNOWN, GENERIC = 3.0, 1.8, 1.5, 0.0
AFTER_ANOTHER: Final = 0.6
"""A panic often follows an error that the program did not handle: then the error decides."""
TOOLS: Final = (
    "chown", "chmod", "mkdir", "touch", "cat", "ls", "cp", "mv", "rm", "ln", "id", "tee", "find", "grep", "sed", "awk", "test", "install",
)  # fmt: skip
TOOL: Final = -1.05
"""What a tool says weighs a little more than a warning."""
REPEATED: Final = 0.5
"""Of a warning, more than a panic or an unknown error that follows it."""
OFTEN: Final = 3
LIVED_THROUGH: Final = -2.0
EXPECTED: Final = {
    LogFault.IMAGE_ARCHITECTURE: {1, 126, 255},
    LogFault.MISSING_LIBRARY: {127},
    LogFault.MISSING_FILE: {127, 2},
    LogFault.PERMISSION_FILE: {126},
    LogFault.UNSUPPORTED_CPU: {132},
    LogFault.HEAP: {134, 137, 3},
    LogFault.PANIC: {139, 134},
    LogFault.KERNEL_SETTING: {78},
    LogFault.BAD_FLAG: {2, 64},
}
EXPECTED_END: Final = 0.3
