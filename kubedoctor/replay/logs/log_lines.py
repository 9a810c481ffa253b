"""One line of a log: its time, level, logger and message, in the forms that programs and their libraries write."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Final

import msgspec

from kubedoctor.cluster.grammar.patterns import compiled_later
from kubedoctor.replay.logs.levels import Level
from kubedoctor.replay.logs.plain import plain_parts
from kubedoctor.replay.logs.structured import structured_parts

LONGEST_LINE: Final = 4000

_COLOURS: Final = compiled_later(r"\x1b\[[0-9;?]*[ -/]*[@-~]|\x1b[()][A-B0-2]|[\x00-\x08\x0b-\x1f\x7f]")
_RUNTIME_PREFIX: Final = compiled_later(
    r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6,9}(?:Z|[+-]\d\d:\d\d)(?: (?:stdout|stderr) [FP])? (?=\S|\s*$)"
)
"""As `kubectl logs --timestamps` and the files of the container runtime begin each line."""
_COMPOSE_PREFIX: Final = compiled_later(r"^[\w.-]+\s+\| ")
_STREAM_PREFIX: Final = compiled_later(r"^(?:\S+ )?(?:app|heroku)\[[\w.]+\]: ")
_NO_PREFIX: Final = compiled_later(r"^[ *|/\\_.-]*\|")
_ERLANG_STRING: Final = compiled_later(r"<<((?:\d{1,3},)+\d{1,3})>>")
_ESCAPED_QUOTE: Final = compiled_later(r"\\+([\"'])")


class LogLine(msgspec.Struct, frozen=True):
    """A parsed line.

    text: the line without colours, carriage returns and the runtime's prefix; escaped quotes are plain quotes.
    message: what the program says, without time, level and logger; of JSON and logfmt, the message and its error.
    time: as written; empty where the line has none. logger: the logger, component or program; may be empty.
    structured: JSON or logfmt, read field by field.
    """

    text: str
    message: str
    level: Level = Level.UNSTATED
    time: str = ""
    logger: str = ""
    structured: bool = False

    @property
    def indented(self) -> bool:
        return self.text[:1] in (" ", "\t")


def time_of(raw: str) -> datetime | None:
    """When the line was written, as it states; None where it has no time or not the whole of it."""
    try:
        at = datetime.fromisoformat(parse_line(raw).time)
    except ValueError:
        return None
    return at if at.tzinfo is not None else at.replace(tzinfo=UTC)


def parse_line(raw: str) -> LogLine:
    """Parse one line; no input raises."""
    text = _COLOURS.sub(_kept, raw[:LONGEST_LINE].replace("\r", "")).rstrip()
    prefix = _RUNTIME_PREFIX.match(text)
    time = prefix.group(0).split(" ", 1)[0] if prefix else ""
    text = text[prefix.end() :] if prefix else text
    for outer in (_COMPOSE_PREFIX, _STREAM_PREFIX):
        match = outer.match(text)
        if match is not None and not _NO_PREFIX.match(text):
            text = text[match.end() :]
    text = _ERLANG_STRING.sub(_characters, text) if "<<" in text else text
    structured = structured_parts(text)
    plain_text = _ESCAPED_QUOTE.sub(r"\1", text)
    if structured is not None:
        message = _ESCAPED_QUOTE.sub(r"\1", structured.message)
        level = structured.level
        inner = plain_parts(message)
        if inner.time:
            # A supervisor passes on the lines of the program that it started, as information.
            message, level = inner.message, max(level, inner.level) if level > Level.INFO else inner.level
        return LogLine(plain_text, message, level, structured.time or time, structured.logger, True)
    parts = plain_parts(plain_text)
    return LogLine(plain_text, parts.message, parts.level, parts.time or time, parts.logger)


def _characters(match: re.Match[str]) -> str:
    """Erlang prints a string of text as the numbers of its characters."""
    codes = [int(code) for code in match[1].split(",")]
    return f'"{"".join(map(chr, codes))}"' if all(9 <= code < 256 for code in codes) else match[0]


def _kept(match: re.Match[str]) -> str:
    return "\t" if match.group(0) == "\t" else ""
