"""JSON with values that cannot be read: a mark replaces each of them, so that the rest can be read."""

from __future__ import annotations

import math
import re
from typing import Any

from kubedoctor.cluster.grammar.patterns import compiled_later

MOST_DEPTH = 100  # No kind of Kubernetes is nested half as deep.
_LONGEST_PATH = 80
_BITS = 64
_MARK = "\ue000"
TOO_DEEP = f"{_MARK}nested too deeply"
OUT_OF_RANGE = f"{_MARK}number out of range"
NOT_TEXT = "\ufdd0"
"""Stands for a byte that is not UTF-8; Unicode assigns no character to it."""
_MARKS = (_MARK.encode(), NOT_TEXT.encode())  # A single byte is found much sooner than several.
_NOT_UTF8 = compiled_later("[\udc80-\udcff]")
_TOKEN = compiled_later(rb'"(?:[^"\\]|\\.)*"|[\[\]{}]|-?(?:\d[\d.eE+-]*|Infinity)|NaN', re.DOTALL)
_ESCAPE = compiled_later(
    rb"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(?P<half>u[dD][89a-fA-F][0-9a-fA-F]{2})|.)",
    re.DOTALL,
)
"""An escape of JSON; half of a pair of surrogates is no character."""


def marked(body: bytes) -> bytes:
    """The JSON with marks for numbers beyond 64 bits and those that JSON does not have (NaN), for values nested deeper than
    MOST_DEPTH, and for bytes and escapes that are no text."""
    body = marked_text(body).encode()
    if has_surrogates(body):
        body = _ESCAPE.sub(lambda found: NOT_TEXT.encode() if found["half"] else found[0], body)
    pieces: list[bytes] = []
    start = depth = 0
    for token in _TOKEN.finditer(body):
        first = body[token.start()]
        if first in b"[{":
            depth += 1
            if depth == MOST_DEPTH + 1:
                pieces += (body[start : token.start()], f'"{TOO_DEEP}"'.encode())
        elif first in b"]}":
            depth -= 1
            if depth == MOST_DEPTH:
                start = token.end()
        elif depth <= MOST_DEPTH and first != 0x22 and not _is_finite(token.group()):
            pieces += (body[start : token.start()], f'"{OUT_OF_RANGE}"'.encode())
            start = token.end()
    if depth <= MOST_DEPTH:
        pieces.append(body[start:])
    return b"".join(pieces)


def has_surrogates(body: bytes) -> bool:
    """Whether JSON has escapes for parts of a pair of surrogates."""
    return b"\\ud" in body or b"\\uD" in body


def marked_text(body: bytes) -> str:
    """The text with a mark for each byte that is not UTF-8."""
    try:
        return body.decode()
    except UnicodeDecodeError:
        return _NOT_UTF8.sub(NOT_TEXT, body.decode("utf-8", "surrogateescape"))


def without_text_marks(text: str) -> str:
    """The text with U+FFFD for each byte that is not UTF-8."""
    return text.replace(NOT_TEXT, "\ufffd")


def has_marks(body: bytes) -> bool:
    """Whether JSON may contain marks."""
    return any(mark[:1] in body and mark in body for mark in _MARKS)


def without_nulls(data: Any, depth: int = 0) -> Any:
    """The same data, of JSON, with its nulls removed. Raises RecursionError where it is nested deeper than MOST_DEPTH."""
    if depth > MOST_DEPTH:
        raise RecursionError
    if type(data) is dict:
        nulls = [key for key, value in data.items() if value is None]
        for key in nulls:
            del data[key]
        for value in data.values():
            if type(value) is dict or type(value) is list:
                without_nulls(value, depth + 1)
    elif type(data) is list:
        if None in data:
            data[:] = [value for value in data if value is not None]
        for value in data:
            if type(value) is dict or type(value) is list:
                without_nulls(value, depth + 1)
    return data


def is_mark(value: object) -> bool:
    """Whether a text stands for a value that cannot be read, or has bytes that cannot."""
    return isinstance(value, str) and (value.startswith(_MARK) or NOT_TEXT in value)


def without_marks(data: Any, lost: list[str], path: str = "", depth: int = 0) -> Any:
    """A copy without nulls and without unusable values; `lost` gets a clause for each unusable value, and for each text
    with bytes that are not UTF-8, which become U+FFFD."""
    if isinstance(data, dict | list | tuple) and depth > MOST_DEPTH:
        lost.append(f"{_short(path)} is ignored (nested too deeply)")
        return None
    if isinstance(data, dict):
        values = {
            _text(_key(key), lost, path): without_marks(
                value, lost, f"{path}.{without_text_marks(_key(key))}", depth + 1
            )
            for key, value in data.items()
        }
        return {key: value for key, value in values.items() if value is not None}
    if isinstance(data, list | tuple):
        items = [without_marks(value, lost, f"{path}[{index}]", depth + 1) for index, value in enumerate(data)]
        return [value for value in items if value is not None]
    if isinstance(data, bytes | set | frozenset):  # of YAML's own types
        lost.append(f"{_short(path)} is ignored (not a value of JSON)")
        return None
    if isinstance(data, str) and data in (TOO_DEEP, OUT_OF_RANGE):
        lost.append(f"{_short(path)} is ignored ({data.removeprefix(_MARK)})")
        return None
    if isinstance(data, str):
        return _text(data, lost, path)
    if (isinstance(data, float) and not math.isfinite(data)) or (isinstance(data, int) and data.bit_length() > _BITS):
        lost.append(f"{_short(path)} is ignored (number out of range)")
        return None
    return data


def _text(text: str, lost: list[str], path: str) -> str:
    if NOT_TEXT not in text:
        return text
    lost.append(f"{_short(path) or '.'} has bytes that are not UTF-8 text")
    return without_text_marks(text)


def _key(key: Any) -> str:
    """As JSON writes it: YAML reads `on` and `1` as other types than text."""
    return {True: "true", False: "false", None: "null"}[key] if key is None or isinstance(key, bool) else str(key)


def _is_finite(number: bytes) -> bool:
    try:
        return (len(number) < 4 and number != b"NaN") or math.isfinite(float(number))
    except ValueError:  # not a number: the decoder says where
        return True


def _short(path: str) -> str:
    return path if len(path) <= _LONGEST_PATH else f"{path[:_LONGEST_PATH]}…"
