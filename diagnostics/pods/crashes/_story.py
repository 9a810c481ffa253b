"""What a log tells about a run that failed."""

from __future__ import annotations

from dataclasses import dataclass

from kubedoctor.findings import Command, Evidence, Fix, Ref
from kubedoctor.replay.logs.log_lines import LogSign


@dataclass(frozen=True)
class Story:
    """What the log of an end tells. `text`: a clause, empty if the log tells nothing."""

    text: str = ""
    sign: LogSign | None = None
    because_of: tuple[Ref, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    fixes: tuple[Fix, ...] = ()
    commands: tuple[Command, ...] = ()
