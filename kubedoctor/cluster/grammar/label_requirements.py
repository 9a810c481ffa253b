"""One condition of a label selector, and the grammar of selectors (`apimachinery/pkg/labels`, v1.37)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import msgspec

from kubedoctor.cluster.grammar.patterns import compiled_later


class SelectorError(ValueError):
    """A selector that Kubernetes would refuse; the text is a sentence for a person."""


_SET_TEXT: Final = {"in": " in ", "notin": " notin "}
_SIGN_TEXT: Final = {"=": "=", "==": "==", "!=": "!=", "gt": ">", "lt": "<"}

_INTEGER: Final = compiled_later(r"[+-]?[0-9]+")


def parse_int64(text: str) -> int | None:
    """Go's `strconv.ParseInt(text, 10, 64)`; None where that reports an error."""
    if not _INTEGER.fullmatch(text):
        return None
    number = int(text) if len(text) < 4000 else 1 << 63
    return number if -(1 << 63) <= number < 1 << 63 else None


class Requirement(msgspec.Struct, frozen=True):
    """One condition on one label. `operator` is one of in, notin, =, ==, !=, gt, lt, exists and !."""

    key: str
    operator: str
    values: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """As `kubectl -l` takes it, values in order."""
        if self.operator == "exists":
            return self.key
        if self.operator == "!":
            return f"!{self.key}"
        values = ",".join(sorted(self.values))
        if self.operator in _SET_TEXT:
            return f"{self.key}{_SET_TEXT[self.operator]}({values})"
        return f"{self.key}{_SIGN_TEXT[self.operator]}{values}"

    def matches(self, labels: Mapping[str, str] | None) -> bool:
        """Whether labels satisfy this condition; None means no labels."""
        value = None if labels is None else labels.get(self.key)
        match self.operator:
            case "in" | "=" | "==":
                return value is not None and value in self.values
            case "notin" | "!=":
                return value is None or value not in self.values
            case "exists":
                return value is not None
            case "!":
                return value is None
        number = None if value is None else parse_int64(value)
        bound = parse_int64(self.values[0])
        if number is None or bound is None:
            return False
        return number > bound if self.operator == "gt" else number < bound


_LABEL_NAME: Final = compiled_later(r"[A-Za-z0-9](?:[-A-Za-z0-9_.]*[A-Za-z0-9])?")
_DNS_LABEL: Final = r"[a-z0-9](?:[-a-z0-9]*[a-z0-9])?"
_DNS_SUBDOMAIN: Final = compiled_later(rf"{_DNS_LABEL}(?:\.{_DNS_LABEL})*")
_CHARACTERS: Final = "letters, digits, '-', '_' and '.', and must start and end with a letter or digit"


def _key_problem(key: str) -> str | None:
    """Why a text is not a label key (`apimachinery/pkg/api/validate/content`), or None."""
    prefix, slash, name = key.rpartition("/")
    if slash and (len(prefix) > 253 or not _DNS_SUBDOMAIN.fullmatch(prefix)):
        return f"{key!r} is not a label key: the part before '/' must be a DNS name"
    if len(name) > 63:
        return f"{key!r} is not a label key: a name has at most 63 characters, not {len(name)}"
    if not _LABEL_NAME.fullmatch(name):
        return f"{key!r} is not a label key: a name consists of {_CHARACTERS}"
    return None


def _value_problem(value: str) -> str | None:
    if len(value) > 63:
        return f"{value!r} is not a label value: it has at most 63 characters, not {len(value)}"
    if value and not _LABEL_NAME.fullmatch(value):
        return f"{value!r} is not a label value: it consists of {_CHARACTERS}"
    return None


def checked_requirement(key: str, operator: str, values: tuple[str, ...]) -> Requirement:
    """A requirement that `labels.NewRequirement` accepts; raises SelectorError with half a sentence."""
    problem = _key_problem(key)
    if problem is None:
        match operator:
            case "in" | "notin" if not values:
                problem = f"the condition on {key} needs at least one value"
            case "exists" | "!" if values:
                problem = f"the condition on {key} tests only the key, so it takes no values"
            case "gt" | "lt" if len(values) != 1 or parse_int64(values[0]) is None:
                problem = f"the comparison of {key} needs one whole number"
    if problem is None:
        problem = next(filter(None, map(_value_problem, values)), None)
    if problem is not None:
        raise SelectorError(f"{problem}.")
    return Requirement(key, operator, values)


# A NUL ends the text where a token could begin; right after a token it is skipped.
_TOKEN: Final = compiled_later(r"[ \t\r\n]*(?:(?P<sign>!=|==|[=!(),<>])|(?P<word>[^=!(),<> \t\r\n\0]+))\0?")
_WORD: Final = "word"
_END: Final = "end"
_OPERATORS: Final = {"=": "=", "==": "==", "!=": "!=", ">": "gt", "<": "lt"}


class _LabelParser:
    """Recursive descent over the grammar of `labels.Parse`."""

    def __init__(self, text: str) -> None:
        self.tokens: list[tuple[str, str]] = []
        self.position = 0
        position = 0
        while match := _TOKEN.match(text, position):
            position = match.end()
            sign = match["sign"]
            self.tokens.append((sign, sign) if sign else (_WORD, match["word"]))
        self.tokens.append((_END, ""))

    def peek(self) -> str:
        return self.tokens[self.position][0]

    def take(self) -> tuple[str, str]:
        self.position += 1
        return self.tokens[self.position - 1]

    def parse(self) -> list[Requirement]:
        requirements: list[Requirement] = []
        if self.peek() == _END:
            return requirements
        while True:
            requirements.append(self.requirement())
            kind, literal = self.take()
            if kind == _END:
                return requirements
            if kind != ",":
                raise _unexpected(literal, "',' or the end")

    def requirement(self) -> Requirement:
        kind, key = self.take()
        absent = kind == "!"
        if absent:
            kind, key = self.take()
        if kind != _WORD:
            raise _unexpected(key, "a label key")
        if problem := _key_problem(key):
            raise SelectorError(f"{problem}.")
        if absent:
            return checked_requirement(key, "!", ())
        if self.peek() in (_END, ","):
            return checked_requirement(key, "exists", ())
        kind, literal = self.take()
        if kind == _WORD and literal in _SET_TEXT:
            return checked_requirement(key, literal, self.values())
        if kind not in _OPERATORS:
            raise _unexpected(literal, f"in, notin, =, ==, !=, > or < after {key}")
        return checked_requirement(key, _OPERATORS[kind], (self.exact_value(),))

    def exact_value(self) -> str:
        if self.peek() in (_END, ","):
            return ""
        kind, literal = self.take()
        if kind != _WORD:
            raise _unexpected(literal, "a value")
        return literal

    def values(self) -> tuple[str, ...]:
        kind, literal = self.take()
        if kind != "(":
            raise _unexpected(literal, "'('")
        if self.peek() == ")":
            self.take()
            return ("",)
        values: set[str] = set()
        while True:
            kind, literal = self.take()
            if kind == _WORD:
                values.add(literal)
                if self.peek() not in (",", ")"):
                    raise _unexpected(self.tokens[self.position][1], "',' or ')'")
            elif kind == ",":
                if not values or self.peek() in (",", ")"):
                    values.add("")
            else:
                raise _unexpected(literal, "',' or a value")
            if self.peek() == ")":
                self.take()
                return tuple(sorted(values))


def _unexpected(literal: str, expected: str) -> SelectorError:
    shown = repr(literal) if literal else "the end"
    return SelectorError(f"found {shown}, expected {expected}.")


def parse_requirements(text: str) -> list[Requirement]:
    """The requirements in the order of the text; raises SelectorError with half a sentence."""
    return _LabelParser(text).parse()
