"""The YAML that kubectl writes: blocks of mappings and lists, one plain value a line.

What could mean anything else in YAML is left to a YAML library.
"""

from __future__ import annotations

from typing import Any

from kubedoctor.cluster.grammar.patterns import compiled_later

_KEY = r"[A-Za-z][A-Za-z0-9_-]*"
_LINE = compiled_later(rf"( *)((?:- )*)({_KEY}):(?: +(\S.*?))? *")
_ITEM = compiled_later(r"( *)((?:- )+)(\S.*?) *")
_PLAIN = compiled_later(r"(?:--?[A-Za-z]|[A-Za-z/])[A-Za-z0-9_./@+=-]*(?::[A-Za-z0-9_./@+=-]+)*")
"""No value of another type than text, but for the words below."""
_QUOTED = compiled_later(r'"([A-Za-z0-9_./:@+= -]*)"')
_WORDS = frozenset({"yes", "no", "on", "off", "true", "false", "null", "y", "n"})
_VALUES: dict[str, Any] = {"true": True, "false": False, "null": None, "{}": {}, "[]": []}


class _Unknown(Exception):
    """Something that is not read here."""


def block_values(text: str) -> dict[str, Any] | None:
    """What the text means; None where it has anything else than plain blocks."""
    try:
        lines = [part for line in text.split("\n") if line.strip() for part in _parts(line)]
        value, end = _block(lines, 0)
    except _Unknown:
        return None
    return value if end == len(lines) and isinstance(value, dict) and not lines[0][0] else None


_Part = tuple[int, str | None, str | None]
"""How far it is indented, a key or None for the dash of an item, and the value."""


def _parts(line: str) -> list[_Part]:
    """The dashes of a line, each as deep as it stands, and the key or value after them."""
    match = _LINE.fullmatch(line)
    key, value = (match[3], match[4]) if match else (None, None)
    if match is None:
        match = _ITEM.fullmatch(line)
        if match is None:
            raise _Unknown
        value = match[3]
    depth = len(match[1])
    dashes = len(match[2]) // 2
    parts: list[_Part] = [(depth + 2 * number, None, None) for number in range(dashes)]
    if key is None:
        parts[-1] = (parts[-1][0], None, value)
    else:
        parts.append((depth + 2 * dashes, key, value))
    return parts


def _block(lines: list[_Part], at: int) -> tuple[Any, int]:
    """The block that begins at a line, and the line after it."""
    if at == len(lines):
        raise _Unknown
    return _list(lines, at) if lines[at][1] is None else _mapping(lines, at)


def _list(lines: list[_Part], at: int) -> tuple[list[Any], int]:
    depth, found = lines[at][0], []
    while at < len(lines) and lines[at][:2] == (depth, None):
        value = lines[at][2]
        if value is not None:
            found.append(_scalar(value))
            at += 1
        elif at + 1 < len(lines) and lines[at + 1][0] > depth:
            item, at = _block(lines, at + 1)
            found.append(item)
        else:
            raise _Unknown
    return found, at


def _mapping(lines: list[_Part], at: int) -> tuple[dict[str, Any], int]:
    depth = lines[at][0]
    found: dict[str, Any] = {}
    while at < len(lines) and lines[at][0] == depth and (key := lines[at][1]) is not None:
        value = lines[at][2]
        at += 1
        if key in found or key.lower() in _WORDS:
            raise _Unknown
        if value is not None:
            found[key] = _scalar(value)
            continue
        # A list may stand as deep as its key.
        deeper = at < len(lines) and (lines[at][0] > depth or lines[at][:2] == (depth, None))
        if not deeper:
            found[key] = None
            continue
        found[key], at = _block(lines, at)
    if at < len(lines) and lines[at][0] > depth:
        raise _Unknown
    return found, at


def _scalar(text: str) -> Any:
    if text in _VALUES:
        return _VALUES[text]
    if (quoted := _QUOTED.fullmatch(text)) is not None:
        return quoted[1]
    if text.lower() in _WORDS or not _PLAIN.fullmatch(text):
        raise _Unknown
    return text
