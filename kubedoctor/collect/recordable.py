"""Whole objects as JSON that may be written to a file: without secrets and nulls, with sorted keys, and with managed
fields only where diagnoses tell who changed what.

An object is taken apart, and a part that was written before is not redacted again: the pods of a workload are equal but
for a few names.
"""

from __future__ import annotations

from functools import cache
from typing import Any, Final

import msgspec

from kubedoctor.cluster.grammar.patterns import compiled_later
from kubedoctor.cluster.grammar.redaction import is_plain, looks_secret, redact_data
from kubedoctor.cluster.kinds.meta import ManagedMeta
from kubedoctor.cluster.kinds.objects import struct_for
from kubedoctor.cluster.kinds.resources import kind_named
from kubedoctor.cluster.seen.decoding import Unreadable, mended_json
from kubedoctor.cluster.seen.mending import MOST_DEPTH, has_marks, without_nulls
from kubedoctor.collect.redact import CONTENT, redact_object

MOST_PARTS: Final = 500
"""The pods of a workload follow each other in a list, so that few parts need to be known."""
SMALLEST_PART: Final = 64
_FIELDS: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])
_ENCODER: Final = msgspec.json.Encoder(order="sorted")
_OWN: Final = (b'"nodeName":', b'"hostname":')
"""Keys of names by which the specs of a workload's pods differ."""
_PLAIN: Final = compiled_later(rb'"[A-Za-z0-9.:-]*"')
_NAME: Final = compiled_later(rb'\s*"([a-z0-9.-]+)"')
_TOKEN_VOLUME: Final = b"kube-api-access-"
_NAMED_VOLUME: Final = compiled_later(rb'"name":\s{0,4}"(kube-api-access-[bcdfghjklmnpqrstvwxz2456789]{5})"')
"""The volume that admission adds to each pod, under a name of its own (`pkg/serviceaccount/admission`, v1.37)."""
_RARE: Final = b"\x7f"
"""It may stand in JSON as it is or as `\\u007f`, and is in no name."""
_ANY_NAME: Final = b"\x7f%d\x7f"


class Recordable(msgspec.Struct, frozen=True):
    """An object as a file may hold it."""

    namespace: str
    name: str
    api_version: str
    body: bytes


class Recorder:
    """Turns objects into JSON that may be written, one after the other."""

    def __init__(self) -> None:
        self._parts: dict[tuple[str, bytes], bytes] = {}

    def of_json(self, kind: str, body: bytes | msgspec.Raw) -> Recordable | None:
        """The object of a JSON document; None where it is not an object or cannot be read."""
        try:
            return self._of_parts(kind, _FIELDS.decode(body)) or self._whole(kind, bytes(body))
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return self._whole(kind, bytes(body))

    def of_data(self, kind: str, data: dict[str, Any]) -> Recordable:
        """The object of plain data, in which nulls stay."""
        redacted = redact_object(data)
        if managed := _managed_fields(kind, data.get("metadata")):
            redacted["metadata"]["managedFields"] = managed
        metadata = redacted.get("metadata")
        metadata = metadata if isinstance(metadata, dict) else {}
        version = redacted.get("apiVersion")
        row = kind_named(kind)
        if row is not None and not (redacted.get("kind") and version):
            version = version or row.api_version
            redacted |= {"kind": row.kind, "apiVersion": version}
        return Recordable(
            str(metadata.get("namespace") or ""),
            str(metadata.get("name") or ""),
            str(version or ""),
            _ENCODER.encode(redacted),
        )

    def _whole(self, kind: str, body: bytes) -> Recordable | None:
        try:
            data = mended_json(body)
        except Unreadable:
            return None
        return self.of_data(kind, data) if isinstance(data, dict) else None

    def _of_parts(self, kind: str, fields: dict[str, msgspec.Raw]) -> Recordable | None:
        """None for an object whose parts cannot be redacted one by one."""
        row = kind_named(kind)
        own_kind, version = _text(fields.get("kind")), _text(fields.get("apiVersion"))
        if own_kind == "Secret" or not CONTENT.isdisjoint(fields) or "metadata" not in fields:
            return None
        metadata = _FIELDS.decode(fields.pop("metadata"))
        written = metadata.pop("managedFields", None)
        managed = _managed_fields(kind, {"managedFields": msgspec.json.decode(written)} if written else None)
        of_metadata = self._written(metadata, 2)
        if managed:
            of_metadata["managedFields"] = _ENCODER.encode(managed)
        parts = self._written(fields, 1)
        if row is not None and not (own_kind and version):
            version = version or row.api_version
            parts |= {"kind": _ENCODER.encode(row.kind), "apiVersion": _ENCODER.encode(version)}
        parts["metadata"] = _object(of_metadata)
        namespace, name = _text(of_metadata.get("namespace")), _text(of_metadata.get("name"))
        return Recordable(namespace, name, version, _object(parts))

    def _written(self, fields: dict[str, msgspec.Raw], depth: int) -> dict[str, bytes]:
        written = {}
        for key, raw in fields.items():
            body = bytes(raw)
            if body == b"null":
                continue
            if _PLAIN.fullmatch(body) and not looks_secret(key) and is_plain(body[1:-1].decode()):
                written[key] = body
            elif len(body) < SMALLEST_PART or key == "status":
                written[key] = _redacted(key, body, depth)
            elif key == "spec":
                written[key] = self._spec(body, depth)
            else:
                written[key] = self._part(key, body, depth)
        return written

    def _spec(self, body: bytes, depth: int) -> bytes:
        general, names = _without_names(body)
        part = self._part("spec", general, depth)
        for number, name in enumerate(names):
            part = part.replace(_ANY_NAME % number, name)
        return part

    def _part(self, key: str, body: bytes, depth: int) -> bytes:
        known = self._parts.get((key, body))
        if known is None:
            if len(self._parts) >= MOST_PARTS:
                del self._parts[next(iter(self._parts))]
            known = self._parts[key, body] = _redacted(key, body, depth)
        return known


def _redacted(key: str, body: bytes, depth: int) -> bytes:
    if has_marks(body):
        raise RecursionError
    data = msgspec.json.decode(body)
    if body.count(b"{") + body.count(b"[") > MOST_DEPTH - depth:  # It may be nested as deep.
        data = without_nulls(data, depth)
    return _ENCODER.encode(redact_data(data, key, nulls=False))


def _object(fields: dict[str, bytes]) -> bytes:
    return b"{%b}" % b",".join([b"%b:%b" % (_ENCODER.encode(key), fields[key]) for key in sorted(fields)])


def _text(value: bytes | msgspec.Raw | None) -> str:
    return str(msgspec.json.decode(value) or "") if value is not None else ""


@cache
def _tells_writers(kind: str) -> bool:
    return isinstance(struct_for(kind)().metadata, ManagedMeta)


def _managed_fields(kind: str, metadata: Any) -> list[Any]:
    """The entries of people and their tools, for the kinds of which diagnoses read them: names of fields, no values."""
    entries = metadata.get("managedFields") if isinstance(metadata, dict) and _tells_writers(kind) else None
    if not isinstance(entries, list):
        return []
    return [entry for entry in entries if isinstance(entry, dict) and entry.get("subresource") != "status"]


def _without_names(body: bytes) -> tuple[bytes, list[bytes]]:
    """A spec with other names in place of those that only its own pod has, and the pod's names. None of them is a
    secret, and none of them makes one of another value."""
    names: list[bytes] = []
    if _RARE in body or (b"\\" in body and b"\\u007" in body):
        return body, names
    for key in _OWN:
        start = body.rfind(key)
        found = _NAME.match(body, start + len(key)) if start >= 0 else None
        if found is not None and is_plain(found[1].decode()):
            body = b"".join((body[: found.start(1)], _ANY_NAME % len(names), body[found.end(1) :]))
            names.append(found[1])
    start = body.find(_TOKEN_VOLUME)
    found = _NAMED_VOLUME.search(body, max(0, start - 12)) if start >= 0 else None
    if found is not None and not looks_secret(found[1].decode()):
        body = body.replace(found[0], b'"name":"%b"' % (_ANY_NAME % len(names)))
        names.append(found[1])
    return body, names
