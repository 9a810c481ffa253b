"""A body in protobuf as decoded JSON: `k8s\\0` and a `runtime.Unknown` (`apimachinery/pkg/runtime/generated.proto`) around an
object."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any, Final

from kubedoctor.sandbox.exchange import FailureStatus, Object
from kubedoctor.sandbox.protobuf.messages import MESSAGES, MessageField

_MAGIC: Final = b"k8s\x00"
_SIGN: Final = 1 << 63
_NUMBERS: Final = frozenset({"number", "flag"})


def is_protobuf(body: bytes) -> bool:
    """Whether a body begins as Kubernetes' protobuf does."""
    return body.startswith(_MAGIC)


def decode(body: bytes) -> Object:
    """The object as decoded JSON; refused when it is malformed or of a kind that kubectl does not send so."""
    try:
        unknown = dict(_fields(body[len(_MAGIC) :]))
        type_meta = _message("TypeMeta", _bytes(unknown[1]))
        kind = str(type_meta.get("kind", ""))
        if kind not in MESSAGES:
            raise FailureStatus(
                415, "UnsupportedMediaType", f"The sandbox does not read {kind} as protobuf. Send JSON."
            )
        return {**type_meta, **_message(kind, _bytes(unknown.get(2, b"")))}
    except (IndexError, KeyError, UnicodeDecodeError, ValueError) as error:
        raise FailureStatus(400, "BadRequest", "The body is not Kubernetes protobuf.") from error


def _message(name: str, data: bytes) -> Object:
    fields = MESSAGES[name]
    message: Object = {}
    for number, value in _fields(data):
        field = fields.get(number)
        if field is None:
            continue
        if field.many == "list":
            message.setdefault(field.name, []).append(_value(field, value))
        elif field.many == "map":
            entry = dict(_fields(_bytes(value)))
            key = _bytes(entry.get(1, b"")).decode()
            message.setdefault(field.name, {})[key] = _value(field, entry.get(2, b""))
        elif field.many == "inline":
            message.update(_message(field.type, _bytes(value)))
        elif (decoded := _value(field, value)) != "":  # The generated encoders write empty strings too.
            message[field.name] = decoded
    return message


def _value(field: MessageField, value: bytes | int) -> Any:
    if field.type in _NUMBERS:
        if not isinstance(value, int):
            raise ValueError(f"{field.name} is not a number")
        return bool(value) if field.type == "flag" else value - 2 * _SIGN if value >= _SIGN else value
    data = _bytes(value)
    if field.type == "text":
        return data.decode()
    if field.type == "bytes":
        return base64.b64encode(data).decode()
    if field.type == "quantity":
        return _bytes(dict(_fields(data)).get(1, b"0")).decode()
    if field.type == "either":
        parts = dict(_fields(data))
        return _bytes(parts.get(3, b"")).decode() if parts.get(1) else parts.get(2, 0)
    return _message(field.type, data)


def _bytes(value: bytes | int) -> bytes:
    if isinstance(value, int):
        raise ValueError("a number stands where text is expected")
    return value


def _fields(data: bytes) -> Iterator[tuple[int, bytes | int]]:
    """Numbers and contents of the fields; fixed-size numbers are skipped: no message here has one."""
    position = 0
    while position < len(data):
        tag, position = _varint(data, position)
        wire = tag & 7
        if wire == 0:
            number, position = _varint(data, position)
            yield tag >> 3, number
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
