"""Tries that fail before a later one succeeds: the program works, however often its log has them.

A success is one of the failed call where it says that it came after another try, where it names the same unit of work
(`run=7000`, a request, a job), or where the tries never reach the last that is allowed and work is reported in between.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from kubedoctor.cluster.grammar.patterns import compiled_later
from kubedoctor.replay.logs import talk
from kubedoctor.replay.logs.judged.lines import JudgedLine, is_progress
from kubedoctor.replay.logs.levels import Level

_TRY: Final = r"(?:re-?tr(?:y|ies)|attempts?|tries|try|backoffs?)"
_WORKED: Final = (
    r"(?:succeed(?:ed|s)|success(?:ful|fully)?|ok|okay|completed|done|worked|passed|recovered|finished|delivered|sent)"
)
_AFTER_A_TRY: Final = compiled_later(
    rf"\b{_WORKED}\b[^.;]{{0,40}}?\b(?:after|on|at|in|with|upon)\b[^.;]{{0,25}}?\b{_TRY}\b"
    rf"|\b{_TRY}\b[ #:=]*(?:\d+(?: ?(?:/|of) ?\d+)?)?[ ,:()-]*(?:has |was |is )?{_WORKED}\b"
    rf"|\b{_WORKED} {_TRY}\b",
    re.IGNORECASE,
)
_NOTHING_FAILED: Final = compiled_later(
    r"[\"']?\b(?:fail\w*|err(?:or)?s?|retr(?:y|ies)|attempts?|dropped|skipped)[\"']?\s*[:=]\s*[\"']?0\b"
    r"|\b(?:0|no|without(?: any)?) (?:errors?|fail\w*|retries)\b|[\"']?\berr(?:or)?[\"']?\s*[:=]\s*(?:null|nil|<nil>|None|\"\")",
    re.IGNORECASE,
)
_FAILED: Final = compiled_later(
    r"\b(?:fail\w*|errors?|not|never|un(?:able|successful\w*)|giv(?:e|ing|en) up|gave up|exhausted|exceeded|cannot|could not|if|until|when"
    r"|aborted|partial\w*|incomplete)\b|n't\b",
    re.IGNORECASE,
)
_COUNT: Final = r"[\"']?[ #]*[:=]?[ #]*[\"']?(?P<{0}>\d+)"
_NUMBERED: Final = compiled_later(
    rf"\b(?:re-?try(?:ing)?|attempt|try)(?:[_ ]?(?:number|num|no|count)\b\.?)?{_COUNT.format('number')}[\"']?"
    r"(?: ?(?:/|of|out of) ?(?P<most>\d+))?|\b(?P<ordinal>\d+)(?:st|nd|rd|th) (?:attempt|try|retry)\b",
    re.IGNORECASE,
)
_MOST: Final = compiled_later(
    rf"\bmax(?:imum)?(?:[_ ]?(?:attempts?|tries|retries|retry))?{_COUNT.format('most')}\b", re.IGNORECASE
)
_LEFT: Final = compiled_later(
    r"Retry\(total=(?P<total>\d+)|\b(?P<left>\d+) (?:more )?(?:retries|attempts|tries) (?:left|remain\w*)"
    r"|\b(?:retries|attempts|tries)[_ ](?:left|remaining)[\"']?[ :=]+(?P<rest>\d+)",
    re.IGNORECASE,
)
_UNIT: Final = compiled_later(
    r"[\"']?\b(?P<key>run|job|batch|task|request|cycle|order|message|"
    r"(?:run|job|batch|task|req(?:uest)?|cycle|order|message|msg|trace|correlation|operation|sync|execution)[_-]?id|jid)"
    r"[\"']?[:=] ?[\"']?(?P<value>(?:[\w.:-]*[\w-])?\d(?:[\w.:-]*\w)?)",
    re.IGNORECASE,
)


class _Try(NamedTuple):
    """How many tries are left after it."""

    number: int
    left: int


def succeeded_units(seen: Sequence[JudgedLine]) -> dict[tuple[str, str], int]:
    """By a unit of work, the index of the last line that says that it succeeded."""
    return {unit: line.index for line in seen if _reports_success(line) for unit in units(line)}


def units(line: JudgedLine) -> Iterator[tuple[str, str]]:
    """The units of work that a line names."""
    for match in _UNIT.finditer(line.line.text):
        yield match["key"].lower(), match["value"]


def is_success_after_a_try(line: JudgedLine) -> bool:
    """The line says that something worked at another try."""
    match = _AFTER_A_TRY.search(line.line.message) if line.own and line.level < Level.WARNING else None
    return match is not None and _FAILED.search(_without_zeros(line.line.message)) is None


def gave_up_never(tries: Sequence[JudgedLine], seen: Sequence[JudgedLine]) -> bool:
    """Whether the failures are numbered tries of which none was the last, and work was done after each series."""
    numbered = [one for line in tries if (one := _try_of(line)) is not None and one.left > 1]
    if not tries or len(numbered) < len(tries):
        return False
    firsts = [place for place in range(1, len(tries)) if numbered[place].number <= numbered[place - 1].number]
    worked = [line.index for line in seen if _reports_success(line)]
    return bool(firsts) and all(
        any(tries[first - 1].index < index < tries[first].index for index in worked) for first in firsts
    )


def _try_of(line: JudgedLine) -> _Try | None:
    text = line.line.text
    if (match := _LEFT.search(text)) is not None:
        left = int(next(value for value in match.groups() if value is not None))
        return _Try(-left, left)
    match = _NUMBERED.search(text)
    most = _MOST.search(text)
    if match is None or not (match["most"] or most):
        return None
    number = int(match["number"] or match["ordinal"])
    return _Try(number, int(match["most"] or (most["most"] if most else 0)) - number)


def _without_zeros(message: str) -> str:
    return _NOTHING_FAILED.sub("", message)


def _reports_success(line: JudgedLine) -> bool:
    message = _without_zeros(line.line.message)
    if not is_progress(line) and not is_success_after_a_try(line):
        return False
    return (talk.is_success(message) or talk.is_done(message)) and _FAILED.search(message) is None
