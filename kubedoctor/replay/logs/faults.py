"""The kinds of fault that a log line can state, and the patterns that tell them."""

from __future__ import annotations

import enum
import re
from collections.abc import Callable
from functools import cached_property
from typing import Final

import msgspec


class LogFault(enum.Enum):
    """The kind of fault that a line states.

    DONE, KILLED_TIDILY: no fault, the program ended on purpose. UNKNOWN: an error that no pattern knows.
    """

    MISSING_VARIABLE = "missing-variable"
    BAD_SETTING = "bad-setting"
    BAD_FLAG = "bad-flag"
    MISSING_FILE = "missing-file"
    PERMISSION_FILE = "permission-file"
    PERMISSION_PORT = "permission-port"
    ADDRESS_IN_USE = "address-in-use"
    CONNECTION_REFUSED = "connection-refused"
    CONNECTION_RESET = "connection-reset"
    CONNECTION_TIMEOUT = "connection-timeout"
    NAME_NOT_RESOLVED = "name-not-resolved"
    TLS = "tls"
    CREDENTIALS = "credentials"
    NOT_AUTHORIZED = "not-authorized"
    API_FORBIDDEN = "api-forbidden"
    API_BUSY = "api-busy"
    RESOURCE_NOT_SERVED = "resource-not-served"
    WEBHOOK = "webhook"
    CACHE_SYNC = "cache-sync"
    LEADER_ELECTION = "leader-election"
    HEAP = "heap"
    PANIC = "stack-or-panic"
    DEPENDENCY_SCHEMA = "dependency-schema"
    DATA_DIRECTORY = "data-directory"
    KERNEL_SETTING = "kernel-setting"
    NO_SPACE = "no-space"
    READ_ONLY = "read-only"
    LICENCE = "licence"
    IMAGE_ARCHITECTURE = "image-architecture"
    MISSING_LIBRARY = "missing-library"
    UNSUPPORTED_CPU = "unsupported-cpu"
    DONE = "done"
    KILLED_TIDILY = "killed-tidily"
    UNKNOWN = "unknown"


Subject = Callable[[str], str]


def no_subject(_: str) -> str:
    """For lines that name nothing."""
    return ""


class Pattern(msgspec.Struct, frozen=True, dict=True):
    """Wording that states a fault.

    needle: text in lower case that the line must contain; it keeps the expressions off most lines.
    expression: what must match besides, without regard to case; its group `subject` names the subject.
    weak: the same words are common in consequences, so that any other pattern goes before it.
    at_any_level: the words decide even where the program writes them as information.
    trouble: what is known by this wording, whatever the message names.
    """

    needle: str
    expression: str = ""
    weak: bool = False
    at_any_level: bool = False
    subject: Subject | None = None
    trouble: str = ""

    @cached_property
    def compiled(self) -> re.Pattern[str] | None:
        return re.compile(self.expression, re.IGNORECASE | re.DOTALL) if self.expression else None

    def subject_in(self, message: str, lower: str, otherwise: Subject) -> str | None:
        """The subject in a message; empty where it names none, None where the pattern does not match."""
        if self.needle not in lower:
            return None
        match = self.compiled.search(message) if self.compiled is not None else None
        if self.compiled is not None and match is None:
            return None
        subject = (match.groupdict().get("subject") if match is not None else "") or ""
        return (subject or self.trouble or (self.subject or otherwise)(message)).lstrip(_BEFORE).rstrip(_AFTER)


_AFTER: Final = " \t\"'`.,;()<>"
_BEFORE: Final = _AFTER.replace(".", "")
"""The name of a file may begin with dots."""


class PatternFamily(msgspec.Struct, frozen=True):
    """The patterns of one kind of fault, and how its subject is found where a pattern does not capture it."""

    fault: LogFault
    patterns: tuple[Pattern, ...]
    subject: Subject = no_subject
