"""Functions of texts (`apiserver/pkg/cel/library/regex.go`, `cel-go/ext/strings.go`)."""

from __future__ import annotations

import re
from typing import Any, Final

_VERB: Final = re.compile(r"%(?:%|(?:\.(?P<digits>\d+))?(?P<verb>[a-zA-Z]))")


def find(text: str, pattern: str) -> str:
    """The first match; empty where there is none."""
    match = re.search(pattern, text)
    return match[0] if match is not None else ""


def find_all(text: str, pattern: str, most: int = -1) -> list[str]:
    """most: -1 for all."""
    found = [match[0] for match in re.finditer(pattern, text)]
    return found if most < 0 else found[:most]


def escape_key(text: str) -> str:
    """As a step of a JSON pointer."""
    return text.replace("~", "~0").replace("/", "~1")


def char_at(text: str, place: int) -> str:
    """Empty at the end. Raises ValueError beyond it."""
    if not 0 <= place <= len(text):
        raise ValueError(f"index out of range: {place}")
    return text[place : place + 1]


def index_of(text: str, wanted: str, start: int = 0) -> int:
    """-1 where it is not there."""
    return text.find(wanted, start)


def last_index_of(text: str, wanted: str) -> int:
    """-1 where it is not there."""
    return text.rfind(wanted)


def lower_ascii(text: str) -> str:
    """Other letters stay."""
    return re.sub("[A-Z]+", lambda match: match[0].lower(), text)


def upper_ascii(text: str) -> str:
    """Other letters stay."""
    return re.sub("[a-z]+", lambda match: match[0].upper(), text)


def replace(text: str, old: str, new: str, most: int = -1) -> str:
    """most: -1 for all."""
    return text.replace(old, new, most)


def split(text: str, separator: str, most: int = -1) -> list[str]:
    """most: of parts; -1 for all."""
    if most == 0:
        return []
    if not separator:
        characters = list(text)
        return characters if most < 0 or len(characters) <= most else [*characters[: most - 1], text[most - 1 :]]
    return text.split(separator, most - 1 if most > 0 else -1)


def substring(text: str, start: int, end: int | None = None) -> str:
    """Raises ValueError out of bounds."""
    last = len(text) if end is None else end
    if not 0 <= start <= last <= len(text):
        raise ValueError(f"index out of range: {start}")
    return text[start:last]


def trim(text: str) -> str:
    """Without white space around it."""
    return text.strip()


def reverse(value: Any) -> Any:
    """A text or a list."""
    return value[::-1]


def join(items: list[Any], separator: str = "") -> str:
    """Raises TypeError for other items than texts."""
    return separator.join(items)


def formatted(text: str, values: list[Any]) -> str:
    """Verbs of `%s`, `%d`, `%f`, `%x`, `%X`, `%o` and `%b`. Raises ValueError for others and for values that are missing."""
    rest = iter(values)

    def written(match: re.Match[str]) -> str:
        if match[0] == "%%":
            return "%"
        value = next(rest, None)
        verb, digits = match["verb"], int(match["digits"] or 6)
        if verb == "s":
            return _spelled(value)
        if verb == "f" and isinstance(value, int | float):
            return f"{value:.{digits}f}"
        if verb in "dxXob" and isinstance(value, int):
            return format(value, verb)
        raise ValueError(f"no verb of this value: {match[0]}")

    return _VERB.sub(written, text)


def _spelled(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return value
    if isinstance(value, int):
        return str(value)
    if isinstance(value, list):
        return "[" + ", ".join(map(_spelled, value)) + "]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {_spelled(value[key])}" for key in sorted(value)) + "}"
    if value is None:
        return "null"
    if isinstance(value, float):
        return f"{value:g}"
    raise ValueError("no text of this value")
