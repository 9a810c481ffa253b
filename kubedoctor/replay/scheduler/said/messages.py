"""Parses the scheduler's message about a pod that fits no node.

The form of Kubernetes 1.28 to 1.37: `pkg/scheduler/framework/types.go` (FitError). Each plugin declares the wordings of
its reasons.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

import msgspec

from kubedoctor.replay.scheduler import cycle, preemption, profile
from kubedoctor.replay.scheduler.framework import OTHER, Obstacle, Reason, Wording
from kubedoctor.replay.scheduler.plugins import scheduling_gates

GROUP: Final = Obstacle("group")
WORDINGS: Final = (
    Wording(r"waiting for minCount pods.*", GROUP),
    *scheduling_gates.WORDINGS,
    *cycle.WORDINGS,
    *preemption.WORDINGS,
)
"""The wordings of reasons that no filter plugin gives."""


class StatedPreemption(msgspec.Struct, frozen=True):
    """The preemption part of a message. `node` and `victims` where it found a node."""

    text: str
    node: str = ""
    victims: int = 0
    reasons: tuple[Reason, ...] = ()


class SchedulingMessage(msgspec.Struct, frozen=True):
    """A parsed message. `nodes` is None where it does not begin with `0/N nodes are available`: then the
    whole text is the one reason. `cut`: reasons are missing at the end, as in truncated events
    (`pkg/scheduler/schedule_one.go`, truncateMessage, v1.37)."""

    nodes: int | None
    reasons: tuple[Reason, ...]
    preemption: StatedPreemption | None = None
    rest: str = ""
    cut: bool = False


_SHORTEST_CUT: Final = 1000
_HEAD: Final = re.compile(r"\s*0/(\d+) nodes are available:\s*")
_HIDDEN: Final = re.compile(r"\{[^{}]*\}|\"[^\"]*\"|\[[^\[\]]*\]")
_NEXT: Final = re.compile(r", (?=\d+ )")
_ENTRY: Final = re.compile(r"(\d+) (.+)", re.DOTALL)
_PLACE: Final = re.compile(r"found a potential placement for pod on node (\S+), preempting (\d+) victims?")

_OTHERS: Final = tuple((re.compile(wording.pattern, re.DOTALL), wording.obstacle) for wording in WORDINGS)


def parse_message(text: str) -> SchedulingMessage:
    """Parse the message of a PodScheduled condition or of a FailedScheduling event; line breaks become spaces."""
    return _parsed(text, profile.patterns())


@lru_cache(maxsize=1024)
def _parsed(text: str, _: profile.Patterns) -> SchedulingMessage:
    """Many pods have the same message; what a text means depends on the patterns."""
    text = " ".join(text.split())
    head = _HEAD.match(text)
    if head is None:
        return SchedulingMessage(None, (_reason(None, text.rstrip(".")),))
    ends_early = len(text) >= _SHORTEST_CUT and text.endswith("...")
    body, rest = _first_sentence(text[head.end() :].removesuffix("...") if ends_early else text[head.end() :])
    if not ends_early:
        return SchedulingMessage(int(head[1]), _reasons(body), _preemption(rest), rest)
    if rest:
        return SchedulingMessage(int(head[1]), _reasons(body), rest=rest)
    return SchedulingMessage(int(head[1]), _whole_reasons(body), cut=True)


def _masked(text: str) -> str:
    """The text with the content of braces, brackets and quotes masked, at the same length."""
    return _HIDDEN.sub(lambda match: "#" * len(match[0]), text)


def first_words(text: str) -> str:
    """The part of a reason's text that parsing a message keeps: up to a full stop, with single spaces."""
    return _first_sentence(" ".join(text.split()))[0]


def _first_sentence(text: str) -> tuple[str, str]:
    """The reasons up to the full stop, and what follows. Names contain full stops too, but without a space after
    them."""
    end = _masked(text).find(". ")
    if end < 0:
        return text.rstrip().rstrip("."), ""
    return text[:end].rstrip("."), text[end + 2 :].strip()


def _whole_reasons(body: str) -> tuple[Reason, ...]:
    """The reasons without the last, truncated one; commas after an unclosed brace count here."""
    starts = [match.start() for match in _NEXT.finditer(body)]
    return _reasons(body[: starts[-1]]) if starts else ()


def _reasons(body: str) -> tuple[Reason, ...]:
    """The entries `COUNT TEXT, COUNT TEXT`, or the single reason for a pod that was rejected before nodes were
    examined."""
    if not body:
        return ()
    starts = [0, *(match.end() for match in _NEXT.finditer(_masked(body)))]
    entries = [body[start:end].removesuffix(", ") for start, end in zip(starts, [*starts[1:], len(body)], strict=True)]
    reasons = []
    for entry in entries:
        counted = _ENTRY.fullmatch(entry)
        if counted is None:
            return (_reason(None, body),)
        reasons.append(_reason(int(counted[1]), counted[2]))
    return tuple(reasons)


def _reason(count: int | None, text: str) -> Reason:
    for pattern, obstacle in (*_OTHERS, *profile.patterns()):
        if match := pattern.fullmatch(text):
            return Reason(count, obstacle, match.groupdict().get("detail") or "", text)
    return Reason(count, OTHER, "", text)


def _preemption(rest: str) -> StatedPreemption | None:
    _, stated, text = rest.partition("preemption: ")
    if not stated:
        return None
    if place := _PLACE.match(text):
        return StatedPreemption(text, place[1], int(place[2]))
    if head := _HEAD.match(text):
        return StatedPreemption(text, reasons=_reasons(_first_sentence(text[head.end() :])[0]))
    return StatedPreemption(text)
