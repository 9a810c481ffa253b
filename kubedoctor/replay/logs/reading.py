"""Reads from the last lines of a program's log which line states why it ended, and what the line states."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Final

import msgspec

from kubedoctor.cluster.grammar.patterns import compiled_later
from kubedoctor.replay.logs import talk
from kubedoctor.replay.logs.continued import (
    goes_on,
    host_of_record,
    listed_lines,
    subject_below,
    subject_of_trace,
)
from kubedoctor.replay.logs.families import weights
from kubedoctor.replay.logs.families.known import KnownFault
from kubedoctor.replay.logs.families.names import dns_answered, dns_silent
from kubedoctor.replay.logs.faults import LogFault
from kubedoctor.replay.logs.judged.lines import JudgedLine, is_progress, judged_lines, known_in, skeleton
from kubedoctor.replay.logs.levels import Level
from kubedoctor.replay.logs.log_lines import parse_line
from kubedoctor.replay.logs.runtimes.versions import stating_lines
from kubedoctor.replay.logs.subjects import address

LINES_READ: Final = 60
LINES_OF_THE_END: Final = 6
MOST_BELOW: Final = 2
WORKED_ON: Final = 3
"""So many lines of information between two faults show that the program got over the first."""
_FILLS_A_CACHE: Final = compiled_later(r"[Ff]ailed to (?:list|watch) (?:[^\s:]+, Kind=|\*?(?:\w+\.)*)(?P<kind>\w+)")
"""What a reflector of client-go writes."""
TOLD_TO_STOP: Final = frozenset({0, 130, 143})
"""Exit codes of a program that ended on purpose."""


class LogCause(msgspec.Struct, frozen=True):
    """The line that decides, and by what it was chosen.

    index: its position in the lines. subject: what it names (host, path, variable, ...); may be empty.
    level: as the program wrote it, or as it follows from the trace that the line is part of.
    lines_after: how many lines with text follow it. pattern: the words that are known. trouble: see `Pattern`.
    dns_silent, dns_answered: of a name that was not resolved, whether the DNS server answered.
    below: positions of the lines that go on with what it says, nearest first.
    """

    fault: LogFault
    index: int
    subject: str = ""
    level: Level = Level.UNSTATED
    lines_after: int = 0
    pattern: str = ""
    trouble: str = ""
    dns_silent: bool = False
    dns_answered: bool = False
    below: tuple[int, ...] = ()


class _Candidate(msgspec.Struct, frozen=True):
    seen: JudgedLine
    match: KnownFault | None
    weight: float


def read_log(lines: Sequence[str], exit_code: int | None = None) -> LogCause | None:
    """The line that states why the program ended; None where no line does.

    exit_code: of the run that wrote the lines, where known.
    """
    return _read(tuple(lines), exit_code)


@lru_cache(maxsize=64)
def _read(lines: tuple[str, ...], exit_code: int | None) -> LogCause | None:
    first = max(0, len(lines) - LINES_READ)
    seen = judged_lines(lines, first)
    candidates = [candidate for line in seen if (candidate := _candidate(line, seen, exit_code)) is not None]
    if not candidates:
        return None
    heaviest = max(candidate.weight for candidate in candidates)
    equal = [candidate for candidate in candidates if candidate.weight == heaviest]
    best = equal[-1] if equal[-1].match is None else _original(equal, seen)
    chosen = _why_unsynced(best, candidates)
    return cause_of_line(chosen.seen, chosen.match, seen)


def _why_unsynced(best: _Candidate, candidates: Sequence[_Candidate]) -> _Candidate:
    """Where the best only says that caches did not sync: the newest complaint of what fills them, about its kind where it
    names one."""
    if best.match is None or best.match.fault is not LogFault.CACHE_SYNC:
        return best
    kind = best.match.subject if best.match.subject[:1].isupper() else ""
    for candidate in reversed(candidates):
        filled = _FILLS_A_CACHE.search(candidate.seen.line.message)
        says_why = candidate.match is not None and candidate.match.fault is not LogFault.CACHE_SYNC
        if filled and says_why and candidate.seen.index < best.seen.index and kind in ("", filled["kind"]):
            return candidate
    return best


def line_about(lines: Sequence[str], names: Callable[[str], bool]) -> int | None:
    """The newest line that complains or waits, and names what is asked for, unless success or another error follow."""
    for line in reversed(judged_lines(lines, max(0, len(lines) - LINES_READ))):
        message = line.line.message
        waits = line.level >= Level.WARNING or talk.is_waiting(message) or talk.reports_failure(message)
        if waits and names(line.line.text):
            return line.index
        aside = not line.own or talk.is_generic(message) or talk.is_consequence(message, line.line.text)
        if (line.level >= Level.ERROR and not aside) or (is_progress(line) and talk.is_success(message)):
            return None
    return None


def last_words(lines: Sequence[str]) -> LogCause | None:
    """Without a cause, after a failure: the last line that is neither information nor part of a trace."""
    seen = judged_lines(lines, max(0, len(lines) - LINES_READ))
    own = [line for line in seen if line.own and line.level not in (Level.INFO, Level.DEBUG)]
    if any(talk.stopped_from_outside(line.line.text) for line in own[-LINES_OF_THE_END:]):
        return None
    return LogCause(LogFault.UNKNOWN, own[-1].index, "", own[-1].level) if own else None


def tidy_end(lines: Sequence[str], exit_code: int | None = None) -> LogFault | None:
    """Without a cause: DONE or KILLED_TIDILY where the last lines or the exit code say so."""
    last = [parse_line(line) for line in lines[-LINES_OF_THE_END:]]
    if exit_code in (130, 143) or any(talk.stopped_from_outside(line.text) for line in last):
        return LogFault.KILLED_TIDILY
    if exit_code == 0 or any(talk.is_done(line.message) for line in last):
        return LogFault.DONE
    return None


def states_a_cause(lines: Sequence[str], exit_code: int | None = None) -> bool:
    """Whether a line states a fault that is known."""
    cause = read_log(lines, exit_code)
    return cause is not None and cause.fault is not LogFault.UNKNOWN


def _original(equal: Sequence[_Candidate], seen: Sequence[JudgedLine]) -> _Candidate:
    """Of the lines that state known faults equally gravely, the first since the program last worked; in its trace, the
    deepest cause.

    The later lines follow from it: the next try, another thread, what was built on it. Of repetitions, the newest, as
    of different complaints without a level.
    """
    burst = [equal[-1]]
    for candidate in reversed(equal[:-1]):
        between = [
            line for line in seen if candidate.seen.index < line.index < burst[0].seen.index and is_progress(line)
        ]
        if len(between) >= WORKED_ON or any(talk.is_success(line.line.message) for line in between):
            break
        if candidate.seen.level >= Level.ERROR or _fault(candidate) is _fault(equal[-1]):
            burst.insert(0, candidate)
    original = burst[0]
    if original.seen.exception:
        original = [c for c in burst if c.seen.exception and _one_trace(seen, original.seen.index, c.seen.index)][-1]
    same, subject = skeleton(original.seen.line.text), original.match.subject if original.match else ""
    return [c for c in burst if skeleton(c.seen.line.text) == same and c.match and c.match.subject == subject][-1]


def _fault(candidate: _Candidate) -> LogFault:
    return candidate.match.fault if candidate.match is not None else LogFault.UNKNOWN


def _one_trace(seen: Sequence[JudgedLine], start: int, end: int) -> bool:
    """Nothing but calls and causes stands between two lines."""
    between = (line for line in seen if start < line.index <= end)
    return all(
        line.line.level is Level.UNSTATED and (line.exception or line.line.indented or not line.own) for line in between
    )


def cause_of_line(line: JudgedLine, match: KnownFault | None, seen: Sequence[JudgedLine]) -> LogCause:
    """What a line states: its subject, where it does not name one itself, is looked for in the lines below it."""
    best, index = _Candidate(line, match, 0), line.index
    after = sum(1 for line in seen if line.index > index and line.line.text.strip())
    if best.match is None:
        return LogCause(LogFault.UNKNOWN, index, "", best.seen.level, after, below=_below(best.seen, seen))
    message = best.seen.line.message
    unresolved = best.match.fault is LogFault.NAME_NOT_RESOLVED
    below = _below(best.seen, seen)
    texts, at = [line.line.text for line in seen], seen.index(best.seen)
    return LogCause(
        best.match.fault,
        index,
        best.match.subject
        or _subject_below(best, below, seen)
        or subject_of_trace(_fault(best), texts, at)
        or host_of_record(_fault(best), texts, at),
        best.seen.level,
        after,
        best.match.pattern.needle,
        best.match.pattern.trouble,
        dns_silent=unresolved and dns_silent(message),
        dns_answered=unresolved and dns_answered(message),
        below=below,
    )


def _subject_below(best: _Candidate, below: tuple[int, ...], seen: Sequence[JudgedLine]) -> str:
    fault = _fault(best)
    if fault in (LogFault.CONNECTION_REFUSED, LogFault.CONNECTION_TIMEOUT):
        return address(" ".join(line.line.text.strip() for line in seen if line.index in below))
    return subject_below(fault, [line.line.text for line in seen if line.index > best.seen.index])


def _below(best: JudgedLine, seen: Sequence[JudgedLine]) -> tuple[int, ...]:
    """The nearest lines that go on with what a line says: its record's other lines, or an exception below it."""
    texts, at = [line.line.text for line in seen], seen.index(best)
    if stated := (*listed_lines(texts, at), *stating_lines(texts, at)):
        return tuple(seen[place].index for place in stated[:MOST_BELOW])
    found: list[int] = []
    for line in () if best.line.structured else seen[seen.index(best) + 1 :]:
        text = line.line.text
        if not text.strip() or line.line.time or (line.line.level is not Level.UNSTATED and not line.exception):
            break
        if line.exception or (line.own and goes_on(text)):
            found.append(line.index)
        elif line.own:
            break
        if len(found) == MOST_BELOW:
            break
    return tuple(found)


def _candidate(seen: JudgedLine, everything: Sequence[JudgedLine], exit_code: int | None) -> _Candidate | None:
    """A line that may state the cause, and how much speaks for it."""
    if not seen.own or seen.level is Level.DEBUG:
        return None
    match = known_in(seen.line)
    level = seen.level
    if match is not None and match.pattern.at_any_level:
        level = max(level, Level.ERROR)
    message = seen.line.message
    if match is None:
        if talk.stopped_from_outside(seen.line.text):
            return None
        if level <= Level.WARNING and not (level is Level.UNSTATED and talk.reports_failure(message)):
            return None
        specificity = weights.GENERIC if talk.is_generic(message) else weights.UNKNOWN
    else:
        specificity = weights.WEAK if match.pattern.weak else weights.KNOWN
        if match.fault is LogFault.PANIC and level is Level.FATAL:
            specificity -= weights.AFTER_ANOTHER
    weight = weights.LEVELS[level] + specificity
    if level is Level.INFO and (exit_code in TOLD_TO_STOP or exit_code is None):
        return None
    if level <= Level.WARNING and talk.is_optional(message):
        if level is not Level.UNSTATED or match is None or exit_code is None or exit_code in TOLD_TO_STOP:
            return None
        weight += weights.LIVED_THROUGH
    if level is Level.UNSTATED and seen.line.text.split(":", 1)[0] in weights.TOOLS:
        weight += weights.TOOL
    if match is not None and exit_code in weights.EXPECTED.get(match.fault, ()):
        weight += weights.EXPECTED_END
    if level is Level.WARNING and match is not None and not match.pattern.weak and _repeats(seen, everything):
        weight += weights.REPEATED
    lived = _lived_through(seen, match, level, everything, exit_code)
    if lived is None:
        return None
    return _Candidate(seen, match, weight + lived)


def _repeats(seen: JudgedLine, everything: Sequence[JudgedLine]) -> bool:
    """Whether the line is the last of several that say the same: what a program complains of until it gives up."""
    wording = skeleton(seen.line.message)
    same = [line.index for line in everything if skeleton(line.line.message) == wording]
    return len(same) >= weights.OFTEN and same[-1] == seen.index


_ENDURING: Final = frozenset({LogFault.HEAP, LogFault.PANIC, LogFault.IMAGE_ARCHITECTURE, LogFault.UNSUPPORTED_CPU})
"""What no program recovers from."""


def _lived_through(
    seen: JudgedLine, match: KnownFault | None, level: Level, everything: Sequence[JudgedLine], exit_code: int | None
) -> float | None:
    """What the later lines take off the weight of a line; None where they show that the program went on."""
    on_purpose = exit_code is None or exit_code in TOLD_TO_STOP
    if on_purpose and match is None and any(talk.stopped_from_outside(line.line.text) for line in everything):
        return None
    if match is not None and match.fault in _ENDURING:
        return 0.0
    later = [line for line in everything if line.index > seen.index]
    if level is Level.FATAL:
        # A database writes it of one connection too.
        went_on = on_purpose and any(is_progress(line) and talk.is_success(line.line.message) for line in later)
        return None if went_on else 0.0
    if on_purpose and any(
        talk.stopped_from_outside(line.line.text)
        for line in everything
        if line.index < seen.index and line.level < Level.ERROR
    ):
        return None
    progress = [line for line in later if is_progress(line)]
    success = [line for line in progress if talk.is_success(line.line.message)]
    if success and (on_purpose or level in (Level.INFO, Level.WARNING) or talk.is_waiting(seen.line.message)):
        return None
    if success:
        return weights.LIVED_THROUGH
    if progress and on_purpose:
        return None
    return 0.0
