"""PostgreSQL's archive_command that fails: what the command itself wrote says why."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from diagnostics.pods.crashes._story import Story
from kubedoctor.cluster import visible, visible_end
from kubedoctor.findings import Fix
from kubedoctor.replay.logs.families.troubles import ARCHIVE_COMMAND
from kubedoctor.replay.logs.log_lines import parse_line
from kubedoctor.replay.logs.reading import LogCause, read_log

LONGEST: Final = 200
LONGEST_COMMAND: Final = 100
LINES_OF_THE_COMMAND: Final = 12
_OF_THE_SERVER: Final = re.compile(r"\[\d+(?:-\d+)?\].* (?:LOG|DETAIL|WARNING|ERROR|FATAL|HINT|STATEMENT):  ")
_COMMAND: Final = re.compile(r"failed archive command was: (?P<command>.+)", re.IGNORECASE)
_STANZA: Final = re.compile(r"--stanza[= ](?P<name>[\w.-]+)")
_NO_STANZA: Final = re.compile(r"archive\.info|stanza-create")
_GROWS: Final = "until then its volume fills with WAL (pg_wal)"


def archive_fails(lines: Sequence[str], cause: LogCause) -> Story | None:
    """None where the line is about something else."""
    match = _COMMAND.search(lines[cause.index]) if cause.trouble == ARCHIVE_COMMAND else None
    if match is None:
        return None
    command = match["command"].strip()
    output = _output_above(lines, cause.index)
    why = _reason(output)
    text = f"its archive_command fails: {why or visible(command, LONGEST_COMMAND)}"
    stanza = _STANZA.search(command)
    if stanza is not None and _NO_STANZA.search(" ".join(output)):
        text = f"its archive_command fails, as the pgBackRest repository has no stanza {stanza['name']}: {why}"
        make = f"If the repository is new or was emptied, create the stanza (pgbackrest --stanza={stanza['name']} stanza-create)"
        return Story(text, fixes=(Fix(f"{make} and make a full backup; {_GROWS}"),))
    fix = f"Correct what this command reports: {visible(command, LONGEST_COMMAND)}; {_GROWS}"
    return Story(text, fixes=(Fix(fix),))


def _output_above(lines: Sequence[str], index: int) -> list[str]:
    """What the command wrote: the lines above those of the server."""
    found: list[str] = []
    for line in reversed(lines[max(0, index - LINES_OF_THE_COMMAND) : index]):
        if _OF_THE_SERVER.search(line):
            if found:
                break
        elif line.strip():
            found.insert(0, line)
    return found


def _reason(output: Sequence[str]) -> str:
    cause = read_log(output, 1)
    if cause is None:
        return ""
    return visible_end(" ".join(parse_line(output[cause.index]).message.split()), LONGEST).rstrip(".:")
