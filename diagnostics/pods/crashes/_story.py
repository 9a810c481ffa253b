"""The cause that a log states for a run that failed."""

from __future__ import annotations

import msgspec

from kubedoctor.findings import Command, Evidence, Fix, Ref
from kubedoctor.replay.logs.reading import LogCause


class Story(msgspec.Struct, frozen=True):
    """The cause that a log states. `text`: a clause, empty if the log shows no cause. `last_words`: a clause with the last
    line of a log that shows none."""

    text: str = ""
    cause: LogCause | None = None
    because_of: tuple[Ref, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    fixes: tuple[Fix, ...] = ()
    commands: tuple[Command, ...] = ()
    last_words: str = ""
