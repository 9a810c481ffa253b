"""A large JSON list, cut into parts of whole items while it is read, so that no more than one part is in memory.

A part is cut where text looks like the start of the next item, and taken only if it parses as an array: it began where
an item begins, so it then ends where an item ends, whatever stands in between.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import msgspec

from kubedoctor.collect.bundles.parsing import Head, Items, Unparsable, head_of, json_data, raw_items

SMALLEST = 8 << 20
"""Smaller documents are read whole."""
_PART = 4 << 20
_MOST_TRIES = 32
_LIST = re.compile(
    rb'(?P<head>\s*\{(?:[^\[\]{}"]|"[^\\"]*"|\{[^\[\]{}]*\})*?"items"\s*:\s*)\[(?P<lead>\s*\{\s*"\w+"\s*:\s*)'
)
_TYPED_DUMP = re.compile(rb'\s*\{\s*\n\s*"kind"')


@dataclass(frozen=True)
class ListPart:
    """Items that follow each other in a list. `head` is the top level of the list, as far as it stands before them;
    `size` the bytes that the items take."""

    head: Head
    items: Items
    first: bool
    size: int


@dataclass(frozen=True)
class WholeDocument:
    """A document that cannot be cut. `replaces`: parts of it were returned before, and are no longer valid."""

    body: bytes
    replaces: bool = False


Decode = Callable[[bytes], Items | None]
"""Decodes the items of an array at once; None where some of them must be read one by one."""
DecoderOf = Callable[[Head], Decode | None]


def undecoded(head: Head) -> Decode | None:
    """Leaves the items as they are in the document."""
    return None


def parts_of(
    read: Callable[[int], bytes], reread: Callable[[], bytes] | None = None, decoder_of: DecoderOf = undecoded
) -> Iterator[ListPart | WholeDocument]:
    """The parts of one document; a single `WholeDocument` unless it is a large list. `read` returns no bytes at the end only;
    `reread` returns the document from its start, where that is possible. `decoder_of`: how the items of a list are
    decoded."""
    buffer = _filled(read, b"", SMALLEST)
    start = _LIST.match(buffer, 0, 1 << 16) if len(buffer) >= SMALLEST else None
    head = _usable_head(buffer, start, can_reread=reread is not None) if start else None
    if start is None or head is None:
        yield WholeDocument(b"".join((buffer, *_rest(read))))
        return
    opening, lead, decode = start["head"], start["lead"], decoder_of(head)
    lines = buffer.count(b"\n", 0, start.end("head"))
    buffer = buffer[start.end("head") + 1 :]
    first = True
    while True:
        buffer = _filled(read, buffer, _PART)
        if len(buffer) < _PART:
            break
        cut, items = _cut(buffer, lead, decode)
        if cut < 0:
            buffer = b"".join((buffer, *_rest(read)))
            break
        yield ListPart(head, items, first, cut)
        first = False
        lines += 0 if reread else buffer.count(b"\n", 0, cut)
        buffer = buffer[cut + 1 :]
    last = _last(opening, buffer, decode)
    if last is not None:
        yield ListPart(head, last, first, len(buffer))
    elif reread is not None:
        yield WholeDocument(reread(), replaces=True)
    else:
        yield WholeDocument(b"".join((opening, b"[", b"\n" * (lines - opening.count(b"\n")), buffer)), replaces=True)


def _usable_head(buffer: bytes, start: re.Match[bytes], *, can_reread: bool) -> Head | None:
    """The top level before the items; None where the list must be read whole."""
    try:
        head = head_of(start["head"] + b"[]}")
    except Unparsable:
        return None
    if head is None or head.scenario or head.objects or head.captured_at or b'"continue"' in start["head"]:
        return None
    if isinstance(head.kind, str) and head.kind.endswith("List") and head.kind != "List":
        # `kubectl cluster-info dump` writes several such lists into one file.
        return head if can_reread or not _TYPED_DUMP.match(buffer) else None
    return (
        head
        if head.kind in (None, "", "List") and _names_kind(buffer[start.end("head") + 1 :], start["lead"])
        else None
    )


def _names_kind(buffer: bytes, lead: bytes) -> bool:
    """Whether the first item names its kind: where the list names it after the items, it comes too late."""
    items = _cut(buffer, lead, None)[1]
    try:
        first = json_data(items[0]) if items and isinstance(items[0], msgspec.Raw) else next(iter(items), None)
    except Unparsable:
        return False
    return isinstance(first, dict) and bool(first.get("kind"))


def _cut(buffer: bytes, lead: bytes, decode: Decode | None) -> tuple[int, Items]:
    """The place of the last comma between two items, and the items before it; -1 where none was found."""
    end = len(buffer)
    spaced = b"}, " + lead.lstrip()  # as Python's json writes lists
    for _ in range(_MOST_TRIES):
        found = buffer.rfind(b"}," + lead, 0, end)
        if found < 0:
            found = buffer.rfind(spaced, 0, end)
        if found < 0:
            break
        try:
            return found + 1, _items(buffer[: found + 1], decode)
        except Unparsable:
            end = found
    return -1, ()


def _items(content: bytes, decode: Decode | None) -> Items:
    """The items between the brackets of an array. Raises Unparsable."""
    array = b"".join((b"[", content, b"]"))
    items = decode(array) if decode is not None else None
    return items if items is not None else raw_items(array)


def _last(opening: bytes, buffer: bytes, decode: Decode | None) -> Items | None:
    """The items up to the end of the array; None if the document is not a complete list."""
    end = len(buffer)
    for _ in range(_MOST_TRIES):
        end = buffer.rfind(b"]", 0, end)
        if end < 0:
            break
        try:
            head = head_of(opening + b"[]" + buffer[end + 1 :])
            if head is not None and head.items and b'"continue"' not in buffer[end:] and b'"items"' not in buffer[end:]:
                return _items(buffer[:end], decode)
        except Unparsable:
            continue
    return None


def _filled(read: Callable[[int], bytes], buffer: bytes, size: int) -> bytes:
    pieces = [buffer]
    missing = size - len(buffer)
    while missing > 0 and (piece := read(missing)):
        pieces.append(piece)
        missing -= len(piece)
    return b"".join(pieces)


def _rest(read: Callable[[int], bytes]) -> Iterator[bytes]:
    while piece := read(_PART):
        yield piece
