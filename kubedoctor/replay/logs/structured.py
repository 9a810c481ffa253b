"""Lines of named fields: JSON and logfmt, with the names that loggers of many languages use."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

import msgspec

from kubedoctor.cluster.grammar.patterns import compiled_later
from kubedoctor.replay.logs.levels import Level, level_of


class Parts(NamedTuple):
    """What a line is made of; `message` holds the message and what it says of the error."""

    message: str
    level: Level = Level.UNSTATED
    time: str = ""
    logger: str = ""


_LEVELS: Final = ("level", "lvl", "severity", "log.level", "levelname", "loglevel", "l", "@l", "s", "severity_text")
_MESSAGES: Final = (
    "message",
    "msg",
    "m",
    "@m",
    "@mt",
    "event",
    "short_message",
    "textpayload",
    "log",
    "renderedmessage",
)
_ERRORS: Final = (
    "error", "err", "error.message", "errormessage", "cause", "reason", "exception", "exc_info", "@x", "thrown", "e",
    "detail", "details", "errmsg", "error.stack_trace", "stack_trace", "exceptionmessage", "failure",
)  # fmt: skip
_NESTED: Final = ("fields", "log", "message", "record", "jsonpayload")
_TIMES: Final = ("time", "ts", "timestamp", "@timestamp", "t", "@t", "date", "asctime", "datetime", "eventtime")
_LOGGERS: Final = ("logger", "log.logger", "logger_name", "name", "component", "category", "caller", "c", "n", "module")
_TRACES: Final = frozenset({"stack_trace", "error.stack_trace", "exception", "@x", "exc_info", "thrown", "stack"})

_LOGFMT_PAIR: Final = compiled_later(r'([A-Za-z_@][\w.@/-]*)=("(?:\\.|[^"\\])*"?|\S*)')
_CUT_FIELD: Final = compiled_later(r'"([\w.@]+)"\s*:\s*("(?:\\.|[^"\\])*"?|[\d.]+)')
_RUBY_HASH: Final = compiled_later(r':(\w+)=>("(?:\\.|[^"\\])*"?|[^,}]*)')
_DEEPEST: Final = compiled_later(r"(?:^|\n)\s*(?:Caused by|Causing|--->)[: ]+([^\n]+)")
_MOST_FIELDS: Final = 60


def structured_parts(text: str) -> Parts | None:
    """The parts of a JSON object or a logfmt line; None for any other line."""
    bare = text.strip()
    if bare.startswith("{"):
        fields = _json_fields(bare) if bare.startswith(('{"', "{ ")) else _ruby_fields(bare)
        return _parts(fields) if fields else None
    pairs = {key.lower(): _unquoted(value) for key, value in _LOGFMT_PAIR.findall(bare)[:_MOST_FIELDS]}
    starts = _LOGFMT_PAIR.match(bare) is not None
    if starts and (pairs.keys() & {"level", "lvl", "severity"} or pairs.keys() >= {"msg", "time"}):
        return _parts(pairs)
    return None


def _json_fields(text: str) -> dict[str, Any]:
    try:
        data = msgspec.json.decode(text)
    except (ValueError, RecursionError):
        # The line was cut, or text stands behind the object.
        return {key.lower(): _unquoted(value) for key, value in _CUT_FIELD.findall(text)[:_MOST_FIELDS]}
    return {str(key).lower(): value for key, value in data.items()} if isinstance(data, dict) else {}


def _ruby_fields(text: str) -> dict[str, Any]:
    return {key.lower(): _unquoted(value) for key, value in _RUBY_HASH.findall(text)[:_MOST_FIELDS]}


def _unquoted(value: str) -> str:
    if not value.startswith('"'):
        return value
    inner = value[1:-1] if len(value) > 1 and value.endswith('"') else value[1:]
    return inner.replace('\\"', '"').replace("\\n", "\n").replace("\\t", "\t")


def _parts(fields: Mapping[str, Any]) -> Parts | None:
    nested = fields.get("log")
    if isinstance(nested, str) and nested.strip().startswith("{") and (inner := structured_parts(nested)) is not None:
        return inner
    inner_fields = next((inner for key in _NESTED if isinstance(inner := fields.get(key), Mapping)), {})
    message = next(
        (value for key in _MESSAGES if (value := _text(fields.get(key)) or _text(inner_fields.get(key)))), ""
    )
    errors = [text for text in _errors(fields) if text and text not in message]
    if not message and not errors:
        return None
    return Parts(
        ": ".join(filter(None, (message, *errors))), _level(fields), _first(fields, _TIMES), _first(fields, _LOGGERS)
    )


def _level(fields: Mapping[str, Any]) -> Level:
    log = fields.get("log")
    words = [*(fields.get(key) for key in _LEVELS), log.get("level") if isinstance(log, Mapping) else ""]
    levels = (level_of(_word(word)) for word in words)
    stated = next((level for level in levels if level is not Level.UNSTATED), Level.UNSTATED)
    return stated or _MONGO_LEVELS.get(str(fields.get("s", "")), Level.UNSTATED)


_MONGO_LEVELS: Final = {"F": Level.FATAL, "E": Level.ERROR, "W": Level.WARNING, "I": Level.INFO, "D1": Level.DEBUG}


def _errors(fields: Mapping[str, Any]) -> Iterator[str]:
    seen = set()
    for key in _ERRORS:
        value = fields.get(key)
        if isinstance(value, Mapping):
            lower = {str(name).lower(): inner for name, inner in value.items()}
            text = next((text for name in (*_MESSAGES, *_ERRORS, "errmsg") if (text := _text(lower.get(name)))), "")
            text = ": ".join(filter(None, (_text(lower.get("type")), text, _text(lower.get("error_str")))))
        else:
            text = _of_trace(_text(value)) if key in _TRACES else _text(value)
        if text and text not in seen:
            seen.add(text)
            yield text
    for error in _as_list(fields.get("errors")):
        yield from _errors({"error": error})
    attributes = fields.get("attr")
    if isinstance(attributes, Mapping):
        yield from _errors({str(key).lower(): value for key, value in attributes.items()})
        # MongoDB repeats what its storage says.
        yield from _errors({"error": attributes.get("message")})


def _as_list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _of_trace(trace: str) -> str:
    """The first line of a trace and its deepest cause."""
    first = trace.strip().split("\n", 1)[0]
    causes = _DEEPEST.findall(trace)
    if causes:
        return f"{first}: Caused by: {causes[-1]}"
    lines = [line for line in trace.strip().split("\n") if line and not line[0].isspace()]
    return lines[-1] if first.startswith("Traceback") and lines else first


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _word(value: object) -> object:
    return value if isinstance(value, str | int | float) else ""


def _first(fields: Mapping[str, Any], names: tuple[str, ...]) -> str:
    for name in names:
        value = fields.get(name)
        if isinstance(value, Mapping):
            value = next(iter(value.values()), "")
        if isinstance(value, str | int | float) and not isinstance(value, bool) and value != "":
            return str(value)
    return ""
