"""Two answers to one question, made comparable, and what is different in them.

What upstream gets wrong and what kubedoctor words differently on purpose is named in `Excuse`, with the reason; only
that part of an answer is left out, on both sides, and counted.
"""

from __future__ import annotations

import enum
import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from kubedoctor.cluster.grammar.quantities import Quantity, QuantityError, parse_quantity

Row = dict[str, Any]


class Excuse(enum.Enum):
    """Why a part of an answer is not compared. The values are printed."""

    NO_ANSWER = "questions that neither can answer"
    """The scheduler itself would report an error: by which plugin is compared, the rest is worded differently."""
    REFUSED = "questions that the program refuses, not the scheduler"
    """`tools/oracle` wants valid affinity terms of a nominated pod; the scheduler's queue takes the pod without them
    (`pkg/scheduler/backend/queue/scheduling_queue.go`)."""
    WORDS = "selectors refused in other words"
    """Upstream's parsers speak Go; kubedoctor's sentences are for people. That both refuse is compared."""
    NEGATIVE = "integers of negative amounts that upstream gets wrong"
    """Of a negative amount that it keeps as a big decimal, upstream rounds towards zero, adds one, or lets the integer
    wrap around (`scaledValue` in apimachinery/pkg/api/resource/scale_int.go). Sign, order, sums and text are right."""
    ADDED_TWICE = "overheads that upstream's own sum had added before"
    """A big decimal such as `0.5Gi` is shared by the copies of a quantity: `requests` adds the overhead into the pod's
    own amount, and `occupied`, asked for after it, adds it once more; `qos` then sees a request above its limit."""
    ANY_POD = "pods without a request of which upstream names any"
    """The lister of pods has no order; the first pod without a request ends the computation."""
    VALIDATION = "texts of Istio's validation, which are Go's"
    """That an object is rejected, and how often, is compared."""
    RESTLESS = "messages of Istio's analyzers that differ from run to run"
    """They walk over Go's maps: upstream's program says which messages, or which texts, are not always the same."""


@dataclass
class Comparison:
    """What came of one area."""

    area: str
    questions: int = 0
    differences: list[str] = field(default_factory=list)
    """One text for each question that is answered differently."""
    excused: Counter[Excuse] = field(default_factory=Counter)

    @property
    def summary(self) -> str:
        """One line, and one for each excuse."""
        lines = [f"{self.area}: {self.questions} questions, {len(self.differences)} differences"]
        lines += [f"  not compared: {count} {excuse.value}" for excuse, count in sorted(self.excused.items(), key=str)]
        return "\n".join(lines)

    def add(self, question: Row, upstream: Row, ours: Row) -> None:
        """Compare the two answers to one question."""
        self.questions += 1
        if upstream == ours:
            return
        for excuse in excused(question, upstream, ours):
            self.excused[excuse] += 1
        parts = list(unequal(upstream, ours))
        if parts:
            told = "\n".join(
                f"  {path}\n    upstream   {_shown(one)}\n    kubedoctor {_shown(two)}" for path, one, two in parts
            )
            self.differences.append(f"{question.get('id')} ({question.get('mode')})\n{told}")


def _shown(value: Any) -> str:
    return "absent" if value is _ABSENT else json.dumps(value, sort_keys=True, ensure_ascii=False, default=str)


_ABSENT: Any = object()


def unequal(one: Any, other: Any, path: str = "") -> Iterator[tuple[str, Any, Any]]:
    """The smallest parts that differ: path, and both values."""
    if isinstance(one, dict) and isinstance(other, dict):
        for key in sorted(one.keys() | other.keys()):
            yield from unequal(one.get(key, _ABSENT), other.get(key, _ABSENT), f"{path}.{key}" if path else key)
    elif one is _ABSENT or other is _ABSENT or one != other:
        yield path, one, other


def excused(question: Row, upstream: Row, ours: Row) -> Iterator[Excuse]:
    """Leave out of both answers what cannot be compared; one excuse for each part that differed."""
    request, mode = question.get("request") or {}, question.get("mode")
    theirs, mine = upstream.get("answer"), ours.get("answer")
    if (
        mode == "schedule"
        and _TERMS.match(upstream.get("error") or "")
        and any(map(_is_nominated, request.get("objects") or ()))
    ):
        upstream.clear()
        ours.clear()
        yield Excuse.REFUSED
    if upstream.get("error") and ours.get("error"):
        for row in (upstream, ours):
            row["error"] = row["error"].partition(": ")[0]
        yield Excuse.NO_ANSWER
    if not isinstance(theirs, dict) or not isinstance(mine, dict):
        return
    match mode:
        case "labelselector" | "fieldselector" if not request.get("selector"):
            yield from _words(theirs, mine)
        case "nodeselector":
            for one, other in zip(theirs.get("nodes") or (), mine.get("nodes") or (), strict=False):
                yield from _words(one, other)
        case "quantity":
            for one, other in zip(theirs.get("quantities") or (), mine.get("quantities") or (), strict=False):
                yield from _integers(one, other)
        case "requests":
            yield from _sums(request, theirs, mine)
        case "hpa":
            yield from _pods_without_request(request, theirs, mine)
        case "analyze":
            yield from _messages(theirs, mine)


_TERMS = re.compile(r"\[?(required|preferred)(Anti)?AffinityTerms: ")


def _is_nominated(one: Row) -> bool:
    placed = one.get("spec", {}).get("nodeName")
    return one["kind"] == "Pod" and not placed and bool(one.get("status", {}).get("nominatedNodeName"))


def _words(one: Row, other: Row) -> Iterator[Excuse]:
    if "error" in one and "error" in other and one["error"] != other["error"]:
        one["error"] = other["error"] = "refused"
        yield Excuse.WORDS


def _integers(one: Row, other: Row) -> Iterator[Excuse]:
    if one.get("sign") == other.get("sign") == -1 and _is_big_decimal(one["in"]):
        if (one["value"], one["milli"]) != (other["value"], other["milli"]):
            yield Excuse.NEGATIVE
        for answer in (one, other):
            del answer["value"], answer["milli"]


_NUMBER = re.compile(r"[+-]?([0-9]*)\.?([0-9]*)(.*)")
_PLACES = {"n": 9, "u": 6, "m": 3}


def _is_big_decimal(text: str) -> bool:
    """Whether upstream keeps the amount as a big decimal and not as an integer and a scale (`ParseQuantity`)."""
    number = _NUMBER.fullmatch(text)
    if number is None:
        return False
    whole, fraction, unit = number[1].lstrip("0"), number[2], number[3]
    if unit.endswith("i"):
        return bool(fraction) or 14 - len(whole) - 3 * "KMGTPE".index(unit[0]) - 3 < 0
    exponent = int(unit[1:]) if unit[:1] in ("e", "E") and unit[1:] else -_PLACES.get(unit, 0)
    return len(whole + fraction) > 18 or len(fraction) - exponent > 9


def _sums(request: Row, theirs: Row, mine: Row) -> Iterator[Excuse]:
    for answer in (theirs, mine):
        for side in ("requests", "limits", "occupied"):
            for amount in (answer.get(side) or {}).values():
                amount["text"] = _amount(amount["text"])
    spec = (request.get("pod") or {}).get("spec") or {}
    level = (spec.get("resources") or {}).get("requests") or {}
    for name in spec.get("overhead") or {}:
        if _is_big_decimal(level.get(name, "0")):
            found = [(answer["occupied"].pop(name, None), answer.pop("qos", None)) for answer in (theirs, mine)]
            if found[0] != found[1]:
                yield Excuse.ADDED_TWICE


_MISSING = re.compile(r"missing request for \S+ in container (\S+) of Pod (\S+)")


def _pods_without_request(request: Row, theirs: Row, mine: Row) -> Iterator[Excuse]:
    named = [_MISSING.fullmatch(answer.get("error") or "") for answer in (theirs, mine)]
    if not all(named) or theirs["error"] == mine["error"]:
        return
    lacking = {
        (container["name"], pod["metadata"]["name"])
        for pod in request.get("pods") or ()
        for container in pod["spec"]["containers"]
        if request["resource"] not in (container.get("resources", {}).get("requests") or {})
    }
    if all(match is not None and match.groups() in lacking for match in named):
        theirs["error"] = mine["error"] = "missing request"
        yield Excuse.ANY_POD


def _amount(text: str) -> Quantity | str:
    """The exact amount, however it is written: of equal amounts in different units upstream shows the one that it
    met first, and as it was written if nothing was added to it."""
    try:
        return parse_quantity(text)
    except QuantityError:
        return text


_OF_VALIDATION = ("IST0106", "IST0133")


def _messages(theirs: Row, mine: Row) -> Iterator[Excuse]:
    """Without the texts and messages that cannot be the same."""
    restless = {_identity(message) for message in theirs.pop("unstable", ())}
    changing = {_identity(message) for message in theirs["messages"] if "text" not in message}
    if restless | changing:
        yield Excuse.RESTLESS
    if any(message["code"] in _OF_VALIDATION for message in theirs["messages"]):
        yield Excuse.VALIDATION
    for answer in (theirs, mine):
        kept = [message for message in answer["messages"] if _identity(message) not in restless]
        for message in kept:
            if message["code"] in _OF_VALIDATION or _identity(message) in changing:
                message.pop("text", None)
        answer["messages"] = sorted(kept, key=lambda message: json.dumps(message, sort_keys=True))


def _identity(message: Row) -> tuple[str, ...]:
    return message["code"], message["analyzer"], message.get("namespace", ""), message.get("object", "")
