"""Rules of a custom kind's schema: `x-kubernetes-validations` (`apiextensions-apiserver/pkg/apiserver/schema/cel`, v1.37)."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from kubedoctor.replay.cel import CelOutcome, CelVerdict, evaluated
from kubedoctor.replay.validation.fields import FieldFault, FieldViolation, Path, path_text
from kubedoctor.replay.validation.schemas import Schema

Note = Callable[[str], None]
TRANSITIONS: Final = "rules that compare with the present object"
_REASONS: Final = {
    "FieldValueRequired": (FieldFault.REQUIRED, "Required value"),
    "FieldValueForbidden": (FieldFault.FORBIDDEN, "Forbidden"),
    "FieldValueDuplicate": (FieldFault.DUPLICATE, "Duplicate value"),
}
_TIMED: Final = frozenset(("date", "date-time", "datetime", "duration"))
"""Formats of fields that are times in CEL, which the library takes no values of."""
_STEP: Final = re.compile(r"\.?([^.\[\]]+)|\['((?:[^'\\]|\\.)*)'\]")
_WORDS: Final = re.compile(r"[A-Za-z_]\w*")
_RESERVED: Final = frozenset(
    (
        *("true", "false", "null", "in", "as", "break", "const", "continue", "else", "for", "function", "if", "import"),
        *("let", "loop", "package", "namespace", "return", "var", "void", "while"),
    )
)


def rule_faults(value: Any, schema: Schema, path: Path, note: Note) -> Iterator[FieldViolation]:
    """What the rules of one node of the schema refuse. note: takes what was not evaluated."""
    rules = schema.get("x-kubernetes-validations")
    if not isinstance(rules, list):
        return
    own = as_seen(value, schema, root=not path)
    for rule in rules:
        if not isinstance(rule, Mapping) or not isinstance(text := rule.get("rule"), str):
            continue
        words = set(_WORDS.findall(text))
        if "oldSelf" in words:
            note(TRANSITIONS)
            continue
        unseen = _unseen(schema, text, words)
        outcome = CelOutcome(CelVerdict.UNREAD, why=unseen) if unseen else evaluated(text, {"self": own})
        if outcome.verdict is CelVerdict.UNREAD:
            note(f"the rule of {path_text(path) or 'the object'} {_short(text)}: {outcome.why}")
        elif outcome.verdict is CelVerdict.ERROR:
            yield FieldViolation(
                path, FieldFault.INVALID, f"Invalid value: {_named(value)}: rule evaluation error: {outcome.why}"
            )
        elif outcome.value is not True:
            yield _broken(rule, text, own, value, path)


def _broken(rule: Mapping[str, Any], text: str, own: Any, value: Any, path: Path) -> FieldViolation:
    message = str(rule.get("message") or f"failed rule: {text.strip()}")
    expression = rule.get("messageExpression")
    if isinstance(expression, str):
        said = evaluated(expression, {"self": own})
        if said.verdict is CelVerdict.VALUE and isinstance(said.value, str) and said.value.strip():
            message = said.value
    reason = rule.get("reason")
    fault, head = (
        _REASONS.get(reason, (FieldFault.INVALID, f"Invalid value: {_named(value)}"))
        if isinstance(reason, str)
        else (FieldFault.INVALID, f"Invalid value: {_named(value)}")
    )
    return FieldViolation((*path, *_steps(rule.get("fieldPath"))), fault, f"{head}: {message.strip()}")


def _steps(text: Any) -> tuple[str, ...]:
    """`.spec.ports` and `['a.b']` as steps."""
    if not isinstance(text, str):
        return ()
    return tuple(match[1] or match[2] for match in _STEP.finditer(text))


def _short(text: str) -> str:
    line = " ".join(text.split())
    return f"“{line}”" if len(line) <= 60 else f"“{line[:57]}…”"


def _named(value: Any) -> str:
    if isinstance(value, Mapping):
        return '"object"'
    return (
        '"array"'
        if isinstance(value, list)
        else str(value).lower()
        if isinstance(value, bool)
        else f"{value!r}".replace("'", '"')
    )


def as_seen(value: Any, schema: Schema, *, root: bool = False) -> Any:
    """A value as CEL sees it: numbers with their type, bytes decoded, names that CEL reserves escaped."""
    if isinstance(value, Mapping):
        properties = schema.get("properties") or {}
        further = schema.get("additionalProperties")
        inner = further if isinstance(further, Mapping) else {}
        if properties or root:
            return dict(_fields(value, properties))
        return {key: as_seen(item, inner) for key, item in value.items()}
    if isinstance(value, list):
        items = schema.get("items") or {}
        return [as_seen(item, items) for item in value]
    if schema.get("type") == "number" and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if schema.get("format") == "byte" and isinstance(value, str):
        try:
            return base64.b64decode(value)
        except (binascii.Error, ValueError):
            return value
    return value


def _fields(value: Mapping[str, Any], properties: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Null is a field that is not there."""
    for key, item in value.items():
        if item is None:
            continue
        seen = as_seen(item, properties.get(key) or {})
        yield escaped(key), seen
        if key in _RESERVED:
            yield key, seen


def escaped(name: str) -> str:
    """A property's name as an identifier (`apiserver/pkg/cel/escaping.go`)."""
    if name in _RESERVED:
        return f"__{name}__"
    text = (
        name.replace("__", "__underscores__").replace(".", "__dot__").replace("-", "__dash__").replace("/", "__slash__")
    )
    return text if re.fullmatch(r"[A-Za-z_]\w*", text) else name


def _unseen(schema: Schema, text: str, words: set[str]) -> str:
    """Why the library does not see the values of a rule as the API server does; empty where it does."""
    timed: set[str] = set()
    unordered: set[str] = set()
    _collect(schema, "self", timed, unordered)
    if times := sorted(timed & words):
        return f"{times[0]} is a time"
    for name in sorted(unordered & words):
        if re.search(
            rf"\b{name}(\[[^\]]*\])?\s*(==|!=|\+)|(==|!=|\+)\s*[\w.]*\b{name}(\[[^\]]*\])?\s*($|[^.\w\[])", text
        ):
            return f"the order of {name} does not count"
    return ""


def _collect(schema: Any, name: str, timed: set[str], unordered: set[str]) -> None:
    """The names of fields that are times, and of lists that are compared as sets."""
    if not isinstance(schema, Mapping):
        return
    if schema.get("format") in _TIMED:
        timed.add(name)
    if schema.get("x-kubernetes-list-type") in ("set", "map"):
        unordered.add(name)
    for key, inner in (schema.get("properties") or {}).items():
        _collect(inner, escaped(key), timed, unordered)
    _collect(schema.get("items"), name, timed, unordered)
    _collect(schema.get("additionalProperties"), name, timed, unordered)
