"""Reads the protobuf that kubectl posts for `auth can-i` and `auth whoami`; kubectl has no JSON fallback there.

A body is `k8s\\0` and a `runtime.Unknown` (`apimachinery/pkg/runtime/generated.proto`) around one of the reviews
(`api/authorization/v1/generated.proto`, `api/authentication/v1/generated.proto`).
"""

from __future__ import annotations

from collections.abc import Iterator

from kubedoctor.sandbox.exchange import FailureStatus, Object

_MAGIC = b"k8s\x00"
# Message: field number: (name, type). A type is `text` or another message.
_MESSAGES: dict[str, dict[int, tuple[str, str]]] = {
    "TypeMeta": {1: ("apiVersion", "text"), 2: ("kind", "text")},
    "SelfSubjectAccessReview": {2: ("spec", "SelfSubjectAccessReviewSpec")},
    "SelfSubjectAccessReviewSpec": {
        1: ("resourceAttributes", "ResourceAttributes"),
        2: ("nonResourceAttributes", "NonResourceAttributes"),
    },
    "ResourceAttributes": {
        1: ("namespace", "text"),
        2: ("verb", "text"),
        3: ("group", "text"),
        4: ("version", "text"),
        5: ("resource", "text"),
        6: ("subresource", "text"),
        7: ("name", "text"),
    },
    "NonResourceAttributes": {1: ("path", "text"), 2: ("verb", "text")},
    "SelfSubjectRulesReview": {2: ("spec", "SelfSubjectRulesReviewSpec")},
    "SelfSubjectRulesReviewSpec": {1: ("namespace", "text")},
    "SelfSubjectReview": {},
}


def is_protobuf(body: bytes) -> bool:
    """Whether a body begins as Kubernetes' protobuf does."""
    return body.startswith(_MAGIC)


def decode(body: bytes) -> Object:
    """The review as decoded JSON; refused when it is malformed or of another kind."""
    try:
        unknown = dict(_fields(body[len(_MAGIC) :]))
        type_meta = _message("TypeMeta", unknown[1])
        kind = type_meta.get("kind")
        if kind not in _MESSAGES:
            raise FailureStatus(
                415, "UnsupportedMediaType", f"The sandbox does not read {kind} as protobuf. Send JSON."
            )
        return {**type_meta, **_message(kind, unknown.get(2, b""))}
    except (IndexError, KeyError, UnicodeDecodeError, ValueError) as error:
        raise FailureStatus(400, "BadRequest", "The body is not Kubernetes protobuf.") from error


def _message(name: str, data: bytes) -> Object:
    fields = _MESSAGES[name]
    message: Object = {}
    for number, value in _fields(data):
        if number not in fields:
            continue
        field, kind = fields[number]
        decoded = value.decode() if kind == "text" else _message(kind, value)
        if decoded != "":  # The generated encoders write empty strings too.
            message[field] = decoded
    return message


def _fields(data: bytes) -> Iterator[tuple[int, bytes]]:
    """The length-delimited fields; numbers are skipped: reviews contain none."""
    position = 0
    while position < len(data):
        tag, position = _varint(data, position)
        wire = tag & 7
        if wire == 0:
            _, position = _varint(data, position)
        elif wire == 1:
            position += 8
        elif wire == 5:
            position += 4
        elif wire == 2:
            length, position = _varint(data, position)
            if position + length > len(data):
                raise ValueError("a field is truncated")
            yield tag >> 3, data[position : position + length]
            position += length
        else:
            raise ValueError(f"wire type {wire}")


def _varint(data: bytes, position: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, position
        shift += 7
        if shift > 63:
            raise ValueError("a number is too long")
