"""Text for people: control characters are written out, and long lists are shortened."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from kubedoctor.cluster.grammar.patterns import compiled_later

LIST_ITEM: Final = "- "
"""What a line of a list begins with; where it wraps, it hangs behind that."""
LONGEST_WORD: Final = 24
"""A cut looks so far for the end of a word."""
_OBEYED: Final = compiled_later(
    "["
    "\x00-\x1f\x7f-\x9f"  # control characters, among them ESC, and CSI and OSC as one character
    "\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\uffa0"  # invisible letters and marks
    "\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff"  # zero width, line ends, order of writing
    "\ufff9-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e00ff\U000e01f0-\U000e0fff"  # annotations, tags
    "\ud800-\udfff"  # surrogates, which no terminal can encode
    "]"
)
_NAMES: Final = {"\n": r"\n", "\r": r"\r", "\t": r"\t"}


def visible(text: str, limit: int | None = None, *, lines: bool = False) -> str:
    r"""The text with control and invisible characters written out, such as ESC as `\x1b`.

    What remains is safe to print and to encode as UTF-8. Joiners of emoji and of scripts that
    need them stay. `lines` keeps line feeds and tabs, and CR LF as a line feed.
    At most `limit` characters are returned, the last of them `…` if something is missing: after a whole word, if one
    ends near.
    """
    if lines:
        text = text.replace("\r\n", "\n")
    if limit is not None:
        text = text[: limit + 1]  # the shown text is never shorter than the original
    has_special = not (text.isascii() and text.isprintable())
    escaped = _OBEYED.sub(_kept_lines if lines else _escape, text) if has_special else text
    if limit is None or len(escaped) <= limit:
        return escaped
    if limit <= 0:
        return ""
    kept = escaped[: limit - 1]
    gap = kept.rfind(" ", max(1, len(kept) - LONGEST_WORD))
    return (kept if gap < 0 or escaped[limit - 1] == " " else kept[:gap]) + "…"


def with_article(kind: str) -> str:
    """`a Pod`, `an Ingress`, `an HTTPRoute`, whose first letters are spelled out."""
    vowels = "AEFHILMNORSX" if kind[1:2].isupper() else "AEIOaeio"
    return f"{'an' if kind[:1] in tuple(vowels) else 'a'} {kind}"


def visible_end(text: str, limit: int) -> str:
    """Like `visible`, on one line, but cut at the start, before a whole word: runtimes write the reason last."""
    escaped = visible(" ".join(text.split()))
    if len(escaped) <= limit:
        return escaped
    start = len(escaped) - limit + 1
    gap = -1 if escaped[start - 1] == " " else escaped.find(" ", start, start + LONGEST_WORD)
    return f"…{escaped[start if gap < 0 else gap + 1 :]}"


def visible_ends(text: str, limit: int | None) -> str:
    """Like `visible`, but cut between two words in the middle: runtimes begin with the step and write the reason last."""
    escaped = visible(text)
    if limit is None or len(escaped) <= limit:
        return escaped
    first = limit // 3
    start, end = escaped[:first], escaped[first + 3 - limit :]
    before, after = start.rfind(" ", first // 2), end.find(" ", 0, len(end) // 4)
    return f"{start[:before] if before > 0 else start} … {end[after + 1 :]}"


def _kept_lines(match: re.Match[str]) -> str:
    return match[0] if match[0] in "\n\t" else _escape(match)


def _escape(match: re.Match[str]) -> str:
    character = match[0]
    if character in _NAMES:
        return _NAMES[character]
    code = ord(character)
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def counted(number: int, noun: str, plural: str = "") -> str:
    """`1 pod`, `3 pods`, `0 policies` (the plural of `policy` is given, that of `pod` is not)."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def capitalised(text: str) -> str:
    """The text with its first letter in upper case and the others as they are."""
    return text[:1].upper() + text[1:]


def listed(words: Iterable[str], limit: int) -> str:
    """`a, b and 4 more`."""
    all_words = list(words)
    start = ", ".join(all_words[:limit])
    return start if len(all_words) <= limit else f"{start} and {len(all_words) - limit} more"


def times(count: int) -> str:
    """`once`, `3 times`."""
    return "once" if count == 1 else f"{count} times"
