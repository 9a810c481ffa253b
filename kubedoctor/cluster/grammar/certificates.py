"""From when and until when certificates in a PEM text are valid (RFC 5280, 4.1.2.5)."""

from __future__ import annotations

import base64
import binascii
from datetime import UTC, datetime
from typing import Final, NamedTuple

from kubedoctor.cluster.grammar.patterns import compiled_later

_PEM: Final = compiled_later(r"-----BEGIN CERTIFICATE-----([A-Za-z0-9+/=\s]+?)-----END CERTIFICATE-----")
_UTC_TIME, _GENERALIZED_TIME, _CONTEXT_0 = 0x17, 0x18, 0xA0


class CertificateValidity(NamedTuple):
    """The two moments, the last one included."""

    start: datetime
    end: datetime


def certificate_validities(pem: str) -> tuple[CertificateValidity, ...]:
    """Of the certificates in a text, in their order; those that cannot be read are left out."""
    found = (_validity(match[1]) for match in _PEM.finditer(pem))
    return tuple(validity for validity in found if validity is not None)


def _validity(body: str) -> CertificateValidity | None:
    try:
        certificate = _inside(base64.b64decode(body), 0)[1]
        fields = _inside(certificate, 0)[1]
        at = 0
        if fields[0] == _CONTEXT_0:  # the version
            at = _inside(fields, 0)[2]
        for _ in range(3):  # serial number, signature algorithm, issuer
            at = _inside(fields, at)[2]
        moments = _inside(fields, at)[1]
        first, start, after = _inside(moments, 0)
        second, end, _ = _inside(moments, after)
    except (binascii.Error, ValueError, IndexError):
        return None
    valid_from, until = _moment(first, start), _moment(second, end)
    return CertificateValidity(valid_from, until) if valid_from is not None and until is not None else None


def _inside(data: bytes, at: int) -> tuple[int, bytes, int]:
    """Tag and content of the DER element at an offset, and the offset after it."""
    tag, length, start = data[at], data[at + 1], at + 2
    if length & 0x80:
        size = length & 0x7F
        length, start = int.from_bytes(data[start : start + size], "big"), start + size
    return tag, data[start : start + length], start + length


def _moment(kind: int, content: bytes) -> datetime | None:
    text = content.decode("ascii", "replace")
    if kind == _UTC_TIME:  # RFC 5280: years from 50 on are of the last century
        text = ("19" if text[:2] >= "50" else "20") + text
    elif kind != _GENERALIZED_TIME:
        return None
    try:
        return datetime.strptime(text, "%Y%m%d%H%M%SZ").replace(tzinfo=UTC)
    except ValueError:
        return None
