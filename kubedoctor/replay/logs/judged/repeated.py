"""What a program that runs fails at repeatedly, up to the end of its log."""

from __future__ import annotations

import itertools
import re
import statistics
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Final

import msgspec

from kubedoctor.cluster.grammar.patterns import compiled_later
from kubedoctor.replay.logs import talk
from kubedoctor.replay.logs.families.known import KnownFault
from kubedoctor.replay.logs.faults import LogFault
from kubedoctor.replay.logs.judged.clients import is_about_a_client, is_of_a_page
from kubedoctor.replay.logs.judged.lines import JudgedLine, judged_lines, known_in, skeleton
from kubedoctor.replay.logs.judged.retries import gave_up_never, is_success_after_a_try, succeeded_units, units
from kubedoctor.replay.logs.judged.times import moment_of
from kubedoctor.replay.logs.levels import Level
from kubedoctor.replay.logs.reading import LINES_READ, LogCause, cause_of_line

FEWEST: Final = 3
FEWEST_WITHOUT_TIMES: Final = 5
FEWEST_OF_WARNINGS: Final = 5
SHORTEST: Final = timedelta(minutes=1)
"""What fails for less may be a start, or an update of what the program asks."""
PATIENCE: Final = timedelta(minutes=2)
LONGEST_PATIENCE: Final = timedelta(hours=1)
INTERVALS: Final = 3
"""So many of its usual intervals without the failure show that it is over."""

_NEVER_LASTING: Final = frozenset(
    {
        *(LogFault.UNKNOWN, LogFault.DONE, LogFault.KILLED_TIDILY),
        *(LogFault.PANIC, LogFault.CONNECTION_RESET, LogFault.LEADER_ELECTION, LogFault.BAD_FLAG),
    }
)
"""A request may fail by a defect, a peer may hang up, a replica may wait for its lease: the program works on."""
_WARNED_OF: Final = frozenset(
    {
        *(LogFault.CONNECTION_REFUSED, LogFault.CONNECTION_TIMEOUT, LogFault.NAME_NOT_RESOLVED),
        *(LogFault.API_FORBIDDEN, LogFault.NOT_AUTHORIZED),
        *(LogFault.DEPENDENCY_SCHEMA, LogFault.LICENCE),
    }
)
"""Libraries that try for ever write these as warnings, as runners of jobs do with what a job fails at."""
_NOT_WRITTEN: Final = frozenset({LogFault.PERMISSION_FILE, LogFault.READ_ONLY, LogFault.NO_SPACE})
_TRIES_AGAIN: Final = compiled_later(
    r"\b(?:try(?:ing)? again|will (?:be )?retr(?:y|ied)|retrying|re-?connecting|next (?:try|attempt|retry))\b",
    re.IGNORECASE,
)
_THERE_ALREADY: Final = "already exists"
_SEVERAL: Final = {LogFault.CONNECTION_TIMEOUT: 5}
"""A single server may be slow now and then."""
_RETURNED: Final = compiled_later(
    r"\b(?:re-?connected|connected|re-?established|recovered|restored|resumed|back online|logged in|authenticated|in sync|synced"
    r"|(?:retry|retries|attempt\w*)\b.*\bsucceeded|succeeded (?:after|on|at)|acquired)\b"
)


class RepeatedFailure(msgspec.Struct, frozen=True):
    """A failure that is known, with its newest line. times: how often the log has it since it last succeeded. first, last:
    when, where the log says so."""

    cause: LogCause
    times: int
    first: datetime | None = None
    last: datetime | None = None


class _Failure(msgspec.Struct, frozen=True):
    line: JudgedLine
    match: KnownFault
    at: datetime | None


def still_failing(lines: Sequence[str], now: datetime, *, truncated: bool = False) -> RepeatedFailure | None:
    """The failure that the program repeats up to the end of its log; None where none is known, it is over, or too rare."""
    seen = judged_lines(lines, 0)
    moments = _moments(seen, now)
    groups: dict[tuple[LogFault, str], list[_Failure]] = {}
    for failure in _without_those_that_worked_later(list(_failures(seen, moments)), seen):
        groups.setdefault((failure.match.fault, skeleton(failure.match.subject)), []).append(failure)
    found = [
        (len(once), group)
        for group in groups.values()
        if (once := _once_each(_since_success(group, seen)))
        and _lasts(once, seen, now, truncated=truncated)
        and not gave_up_never([failure.line for failure in once], seen)
    ]
    if not found:
        return None
    times, group = max(found, key=_weight)
    since = _since_success(group, seen)
    newest = since[-1]
    return RepeatedFailure(cause_of_line(newest.line, newest.match, seen), times, since[0].at, newest.at)


def _weight(found: tuple[int, list[_Failure]]) -> tuple[int, bool, int, int]:
    """What is there more often, then what its wording itself names something in, decides."""
    times, group = found
    newest = group[-1]
    return times, "(?P<subject>" in newest.match.pattern.expression, newest.line.level, newest.line.index


def repeated_error(lines: Sequence[str]) -> LogCause | None:
    """Of a program that runs without being ready: the error that it keeps writing, a known one before others."""
    seen = judged_lines(lines, max(0, len(lines) - LINES_READ))
    errors = [line for line in seen if line.own and line.level >= Level.ERROR]
    groups: dict[str, list[JudgedLine]] = {}
    for line in errors:
        groups.setdefault(skeleton(line.line.text), []).append(line)
    found = [(group[-1], known_in(group[-1].line), len(group)) for group in groups.values() if len(group) > 1]
    found = [one for one in found if one[1] is not None or not talk.is_generic(one[0].line.message)]
    best = max(found, key=lambda one: (one[1] is not None, one[2]), default=None)
    return cause_of_line(best[0], best[1], seen) if best is not None else None


def _moments(seen: Sequence[JudgedLine], now: datetime) -> dict[int, datetime | None]:
    """By the index of a line, when it was written: the lines of a trace with the line above them."""
    moments: dict[int, datetime | None] = {}
    at: datetime | None = None
    for line in seen:
        at = moment_of(line.line.time, now) or at if line.line.time else at
        moments[line.index] = at
    return moments


def _failures(seen: Sequence[JudgedLine], moments: dict[int, datetime | None]) -> Iterator[_Failure]:
    of_client = hidden = False
    for line in seen:
        if line.line.level is not Level.UNSTATED:
            hidden = line.line.level is Level.DEBUG
        if hidden or not line.own or line.level in (Level.DEBUG, Level.INFO):
            continue
        message = line.line.message
        if line.level is Level.UNSTATED and not talk.reports_failure(message):
            continue
        match = known_in(line.line)
        if match is None or match.pattern.weak or match.fault in _NEVER_LASTING:
            continue
        if line.level is Level.WARNING and not _counts_as_warning(line, match):
            continue
        if line.level <= Level.WARNING and (talk.is_optional(message) or _THERE_ALREADY in message):
            continue
        of_client = is_about_a_client(line.line.text, match) or (of_client and not line.line.time)
        if not of_client:
            yield _Failure(line, match, moments[line.index])


def _counts_as_warning(line: JudgedLine, match: KnownFault) -> bool:
    """PHP calls it a warning that a file was not written; a client that a server refuses says that it tries again."""
    if match.fault is LogFault.CREDENTIALS and _TRIES_AGAIN.search(line.line.message):
        return True
    return match.fault in _WARNED_OF or (match.fault in _NOT_WRITTEN and is_of_a_page(line.line.text))


def _without_those_that_worked_later(failures: Sequence[_Failure], seen: Sequence[JudgedLine]) -> list[_Failure]:
    """Without the tries before the one that succeeded: it is of the nearest failure above it, or of one that names the same
    unit of work."""
    ended = succeeded_units(seen)
    later = {
        index for success in seen if is_success_after_a_try(success) for index in _nearest_above(success, failures)
    }
    return [
        failure
        for failure in failures
        if failure.line.index not in later
        and not any(ended.get(unit, -1) > failure.line.index for unit in units(failure.line))
    ]


def _nearest_above(success: JudgedLine, failures: Sequence[_Failure]) -> Iterator[int]:
    """The newest failure above, and those before it of the same kind and subject."""
    above = [failure for failure in failures if failure.line.index < success.index]
    for failure in above:
        newest = above[-1].match
        if (failure.match.fault, failure.match.subject) == (newest.fault, newest.subject):
            yield failure.line.index


def _since_success(group: Sequence[_Failure], seen: Sequence[JudgedLine]) -> list[_Failure]:
    """The failures after the last line that tells of a success of the same."""
    first = group[0].line.index
    name = group[-1].match.subject.rpartition(":")[0] or group[-1].match.subject
    last = max((line.index for line in seen if line.index > first and _is_success_of(line, name)), default=-1)
    return [failure for failure in group if failure.line.index > last]


def _is_success_of(line: JudgedLine, name: str) -> bool:
    if not line.own or line.level >= Level.WARNING or not talk.is_success(line.line.message):
        return False
    text = line.line.text.lower()
    return (len(name) > 2 and name.lower() in text) or _RETURNED.search(text) is not None


def _once_each(group: Sequence[_Failure]) -> list[_Failure]:
    """One of the lines of each record: those of one second, or of several wordings the one that is there most often."""
    if any(failure.at is not None for failure in group):
        return list({failure.at: failure for failure in group}.values())
    wordings: dict[str, list[_Failure]] = {}
    for failure in group:
        wordings.setdefault(skeleton(failure.line.line.text), []).append(failure)
    return max(wordings.values(), key=len, default=[])


def _lasts(once: Sequence[_Failure], seen: Sequence[JudgedLine], now: datetime, *, truncated: bool) -> bool:
    newest = once[-1]
    fewest = max(FEWEST, _SEVERAL.get(newest.match.fault, 0))
    if newest.line.level is Level.WARNING:
        fewest = max(fewest, FEWEST_OF_WARNINGS)
    times = [failure.at for failure in once if failure.at is not None]
    if len(times) < len(once):
        return len(once) >= max(fewest, FEWEST_WITHOUT_TIMES) and _reaches_the_end(once, seen)
    intervals = [(later - earlier).total_seconds() for earlier, later in itertools.pairwise(times)]
    if len(times) < fewest or not intervals:
        return False
    usual = timedelta(seconds=statistics.median(intervals))
    patience = min(max(INTERVALS * usual, PATIENCE), LONGEST_PATIENCE)
    long_enough = times[-1] - times[0] >= SHORTEST or (truncated and once[0].line.index <= len(seen) // len(once))
    return long_enough and now - times[-1] <= patience


def _reaches_the_end(once: Sequence[_Failure], seen: Sequence[JudgedLine]) -> bool:
    """Without times: not more lines follow the newest than ever stood between two of them."""
    places = [failure.line.index for failure in once]
    apart = max((later - earlier for earlier, later in itertools.pairwise(places)), default=0)
    return seen[-1].index - places[-1] <= apart
