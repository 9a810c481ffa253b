"""One file's bytes as JSON or YAML, without building Python data where a struct can be decoded directly."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import msgspec

from kubedoctor.cluster.grammar.patterns import compiled_later
from kubedoctor.cluster.seen.decoding import Unreadable, kind_of_data, plain_json
from kubedoctor.cluster.seen.mending import NOT_TEXT, OUT_OF_RANGE, has_marks, has_surrogates, marked, marked_text

MOST_NODES = 2_000_000
"""A YAML document whose references expand to more values than this is not a record of a cluster."""
LONGEST_INTEGER = 70
"""Digits; 64 bits in base 2, with underscores, have no more."""
MOST_YAML = 256 << 20
"""Bytes. Python data of YAML takes 20 times its size, and a minute for each 50 MiB."""
_SAMPLE = 1 << 16
MOST_UNPRINTABLE = 20
"""Of so many characters of a text, at most one is no text; more make it a picture or the like."""
_ANCHOR = re.compile(r"(?m)(?:^|[\s\[{,:-])&[\w-]+")
_DOCUMENT = re.compile(r"(?m)^(?=---(?:\s|$))")
_UNPRINTABLE = compiled_later("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What YAML does not allow (yaml.org/spec/1.1, c-printable)."""
_JSON_START = re.compile(rb"\s*[\[{]")


class Unparsable(ValueError):
    """Neither JSON nor YAML; the text says where the error is."""


class Head(msgspec.Struct, frozen=True, rename={"api_version": "apiVersion"}):
    """The top level of a JSON document. Large values stay raw; `kind` and others may be of any type."""

    kind: Any = None
    api_version: Any = None
    items: msgspec.Raw = msgspec.Raw()
    objects: msgspec.Raw = msgspec.Raw()
    metadata: msgspec.Raw = msgspec.Raw()
    captured_at: Any = None
    format: Any = None
    scenario: Any = None
    has_marks: bool = msgspec.field(default=False, name="\ue000")

    def elements(self) -> Items:
        """The items, undecoded; those with a value that cannot be read as plain data. Raises Unparsable."""
        items = raw_items(self.items)
        return _apart(items) if self.has_marks else items


Items = tuple[msgspec.Raw | Any, ...]
_HEAD = msgspec.json.Decoder(Head)
_RAW_ITEMS = msgspec.json.Decoder(tuple[msgspec.Raw, ...])


def looks_like_json(body: bytes) -> bool:
    """Whether the first character starts a JSON object or array."""
    return _JSON_START.match(body) is not None


def head_of(body: bytes) -> Head | None:
    """The top level of a JSON object; None for an array. Raises Unparsable for anything but one JSON value."""
    try:
        return _HEAD.decode(body)
    except msgspec.ValidationError:
        return None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        if _is_cut(body, error):
            raise Unparsable(_place(body, str(error))) from None
    try:
        return msgspec.structs.replace(_HEAD.decode(marked(body)), has_marks=True)
    except (msgspec.DecodeError, RecursionError) as error:
        raise Unparsable(_place(body, str(error))) from None


def kind_of_list(head: Head) -> str:
    """The kind of all items, where the list names it; empty for items of mixed kinds."""
    if not isinstance(head.kind, str) or not head.kind.endswith("List") or head.kind == "List":
        return ""
    return kind_of_data({"kind": head.kind.removesuffix("List"), "apiVersion": head.api_version})


def raw_items(body: bytes | msgspec.Raw) -> Items:
    """The elements of a JSON array, undecoded; those with a value that cannot be read as plain data. None for null and for
    other values. Raises Unparsable."""
    try:
        return _RAW_ITEMS.decode(body)
    except msgspec.ValidationError:
        return ()
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        if _is_cut(body, error):
            raise Unparsable(_place(bytes(body), str(error))) from None
    try:
        return _apart(_RAW_ITEMS.decode(marked(bytes(body))))
    except (msgspec.DecodeError, RecursionError) as error:
        raise Unparsable(_place(bytes(body), str(error))) from None


def _is_cut(body: bytes | msgspec.Raw, error: Exception) -> bool:
    """Whether the document ends too early or goes on after its end: each value in it can be read."""
    if not isinstance(error, msgspec.DecodeError):
        return False
    # Half a pair of surrogates counts as truncated too.
    return "trailing" in str(error) or ("truncated" in str(error) and not has_surrogates(bytes(body)))


def _apart(items: Items) -> Items:
    return tuple(json_data(item) if has_marks(bytes(item)) else item for item in items)


def json_data(body: bytes | msgspec.Raw) -> Any:
    """JSON as plain data, with marks where a value cannot be read. Raises Unparsable."""
    try:
        return plain_json(bytes(body))
    except Unreadable as error:
        raise Unparsable(_place(bytes(body), str(error))) from None


def json_values(text: str) -> Iterator[Any]:
    """JSON values one after the other, as `kubectl cluster-info dump` prints them. Raises Unparsable."""
    decoder = json.JSONDecoder(parse_int=lambda digits: int(digits) if len(digits) <= LONGEST_INTEGER else OUT_OF_RANGE)
    position, end = 0, len(text)
    while position < end:
        while position < end and text[position].isspace():
            position += 1
        if position == end:
            return
        try:
            value, position = decoder.raw_decode(text, position)
        except (ValueError, RecursionError) as error:
            line = text.count("\n", 0, getattr(error, "pos", position)) + 1
            raise Unparsable(f"line {line}: {getattr(error, 'msg', 'nested too deeply')}") from None
        yield value


def yaml_documents(body: bytes) -> Iterator[Any]:
    """The documents of a YAML stream; times stay text. Raises Unparsable after all documents, where some cannot be
    read; one bad document does not harm the others."""
    import yaml  # Importing it takes longer than reading a small JSON bundle.

    loader = _loader_class()
    if _is_no_text(_printable(body[:_SAMPLE])):
        raise Unparsable("not UTF-8 text")
    if len(body) > MOST_YAML:
        raise Unparsable(f"more than {MOST_YAML >> 20} MiB of YAML; write it as JSON: kubectl get -o json")
    text = _printable(body)
    if _is_no_text(text):
        raise Unparsable("not UTF-8 text")
    errors: list[str] = []
    line = 0
    for part in _DOCUMENT.split(text):
        try:
            for document in yaml.load_all(part, Loader=loader):
                if _ANCHOR.search(part) and not _within(document, MOST_NODES):
                    raise Unparsable(f"line {line + 1}: YAML aliases expand to too many values")
                if document is not None:
                    yield document
        except yaml.YAMLError as error:
            mark, problem = getattr(error, "problem_mark", None), getattr(error, "problem", None)
            place = f"line {line + mark.line + 1}, column {mark.column + 1}: " if mark else ""
            errors.append(f"{place}{problem or error}")
        except (ValueError, TypeError, RecursionError) as error:
            errors.append(str(error))
        line += part.count("\n")
    if errors:
        more = f", and {len(errors) - 1} more" if len(errors) > 1 else ""
        raise Unparsable(errors[0] + more)


def _printable(body: bytes) -> str:
    """The text with a mark for each character that YAML does not allow."""
    return _UNPRINTABLE.sub(NOT_TEXT, marked_text(body))


def _is_no_text(text: str) -> bool:
    return text.count(NOT_TEXT) * MOST_UNPRINTABLE > len(text)


def _loader_class() -> Any:
    """The C loader where there is one, without the rule that turns text into times, and with a mark for integers that
    no field of Kubernetes can hold."""
    import yaml

    global _loader
    if _loader is None:
        parent: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

        resolvers = {
            first: [(tag, pattern) for tag, pattern in rules if tag != "tag:yaml.org,2002:timestamp"]
            for first, rules in parent.yaml_implicit_resolvers.items()
        }
        loader: Any = type("Loader", (parent,), {"yaml_implicit_resolvers": resolvers})
        loader.add_constructor("tag:yaml.org,2002:int", _integer)
        _loader = loader
    return _loader


def _integer(loader: Any, node: Any) -> Any:
    return loader.construct_yaml_int(node) if len(node.value) <= LONGEST_INTEGER else OUT_OF_RANGE


_loader: Any = None


def _within(document: Any, most: int) -> bool:
    waiting = [document]
    count = 0
    while waiting:
        value = waiting.pop()
        count += 1
        if count > most or len(waiting) > most:
            return False
        if isinstance(value, dict):
            waiting.extend(value.values())
        elif isinstance(value, list):
            waiting.extend(value)
    return True


_BYTE = re.compile(r"byte (\d+)")


def _place(body: bytes, message: str) -> str:
    match = _BYTE.search(message)
    if match:
        line = body.count(b"\n", 0, int(match[1])) + 1
        return f"line {line}: {message}"
    if "truncated" in message:
        line = body.count(b"\n") + 1
        return f"line {line}: the document is truncated"
    return message
