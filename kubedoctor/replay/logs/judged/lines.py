"""The lines of a log, each with the level that it has by itself or by the trace that it is part of."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec

from kubedoctor.cluster.grammar.patterns import compiled_later
from kubedoctor.replay.logs import talk, traces
from kubedoctor.replay.logs.continued import block_lines, whole_message
from kubedoctor.replay.logs.families.known import KnownFault, known_fault
from kubedoctor.replay.logs.levels import Level
from kubedoctor.replay.logs.log_lines import LogLine, parse_line

_DIGITS: Final = compiled_later(r"\d+")


class JudgedLine(msgspec.Struct, frozen=True):
    """A line with what is known of it. `own`: it may state a cause."""

    index: int
    line: LogLine
    level: Level
    own: bool
    exception: bool = False


def judged_lines(lines: Sequence[str], first: int) -> list[JudgedLine]:
    """Each line with its level: a trace has the level of the line that it belongs to."""
    found: list[JudgedLine] = []
    heading, usage, after_rust, source, end_of_block = Level.UNSTATED, False, False, False, 0
    printed = False
    for index in range(first, len(lines)):
        line = parse_line(lines[index])
        if block := block_lines(lines, index):
            line = msgspec.structs.replace(line, message=whole_message(lines, index), structured=True)
            end_of_block = index + block
        text = line.text
        blank = not text.strip()
        frame = not line.structured and (traces.is_frame(text) or (source and line.indented))
        if printed and traces.is_property(text) and known_fault(text) is None:
            line, frame = msgspec.structs.replace(line, level=Level.UNSTATED), True
        exception = not frame and not line.structured and traces.is_exception(text)
        printed = traces.opens_an_object(text) or (printed and line.indented)
        usage = talk.is_usage(text) or (usage and (blank or line.indented or text.startswith("-")))
        level = line.level
        if level is not Level.UNSTATED and not (exception and line.indented):
            heading = level
        elif blank or frame:
            level = heading
        elif after_rust:
            level = heading = Level.FATAL
        elif exception and traces.is_uncaught(text):
            level = heading = traces.level_of_exception(text)
        elif line.indented or exception:
            # Something else may write an exception between the lines of information.
            level = heading if heading >= Level.WARNING or (line.indented and not exception) else Level.UNSTATED
            if exception and level is Level.UNSTATED:
                level = heading = traces.level_of_exception(text)
        else:
            level = heading = Level.UNSTATED
        after_rust, source = traces.names_no_message(text), traces.shows_source_next(text)
        own = not (blank or frame or usage or after_rust or (index < end_of_block and not block)) and talk.has_words(
            line.message
        )
        own = own and not talk.is_consequence(line.message, text)
        found.append(JudgedLine(index, line, level, own, exception))
    return found


def known_in(line: LogLine) -> KnownFault | None:
    """By the message; by the whole line where that says more."""
    match = known_fault(line.message)
    if line.structured or (match is not None and not match.pattern.weak):
        return match
    whole = known_fault(line.text)
    return whole if whole is not None and (match is None or not whole.pattern.weak) else match


def skeleton(text: str) -> str:
    return _DIGITS.sub("#", text)


def is_progress(seen: JudgedLine) -> bool:
    """The program works on: it informs of something other than its end or another try."""
    line = seen.line
    if not seen.own or talk.is_supervisor(line.text):
        return False
    if seen.level is Level.INFO:
        return not (talk.is_shutting_down(line.message) or talk.is_waiting(line.message) or known_fault(line.message))
    return seen.level is Level.UNSTATED and not line.indented and talk.is_success(line.message)
