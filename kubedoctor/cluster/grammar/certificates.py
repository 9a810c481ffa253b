"""From when and until when certificates in a PEM text are valid, and for which names (RFC 5280, 4.1.2.5 and 4.2.1.6)."""

from __future__ import annotations

import base64
import binascii
import ipaddress
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final, NamedTuple

from kubedoctor.cluster.grammar.patterns import compiled_later

_PEM: Final = compiled_later(r"-----BEGIN CERTIFICATE-----([A-Za-z0-9+/=\s]+?)-----END CERTIFICATE-----")
_UTC_TIME, _GENERALIZED_TIME, _CONTEXT_0 = 0x17, 0x18, 0xA0
_EXTENSIONS, _BOOLEAN, _DNS_NAME, _ADDRESS = 0xA3, 0x01, 0x82, 0x87
_ALTERNATIVE_NAMES: Final = b"\x55\x1d\x11"
"""The object identifier 2.5.29.17."""


class CertificateValidity(NamedTuple):
    """The two moments, the last one included."""

    start: datetime
    end: datetime


def certificate_validities(pem: str) -> tuple[CertificateValidity, ...]:
    """Of the certificates in a text, in their order; those that cannot be read are left out."""
    found = (_validity(match[1]) for match in _PEM.finditer(pem))
    return tuple(validity for validity in found if validity is not None)


def certificate_names(pem: str) -> tuple[str, ...] | None:
    """The alternative names of the first certificate in a text that are host names or addresses, in lower case; None where it
    cannot be read. Without any, its common name counts for old programs only."""
    first = _PEM.search(pem)
    try:
        fields, at = _after_issuer(first[1]) if first is not None else (b"", 0)
        for _ in range(3):  # validity, subject, key
            at = _inside(fields, at)[2]
        return tuple(_alternative_names(fields, at))
    except (binascii.Error, ValueError, IndexError):
        return None


def _alternative_names(fields: bytes, at: int) -> Iterator[str]:
    while at < len(fields):
        tag, content, at = _inside(fields, at)
        if tag != _EXTENSIONS:
            continue
        for _, extension in _elements(_inside(content, 0)[1]):
            parts = [part for part in _elements(extension) if part[0] != _BOOLEAN]
            if parts[0][1] == _ALTERNATIVE_NAMES:
                yield from map(str.lower, _names(_inside(parts[1][1], 0)[1]))


def _names(content: bytes) -> Iterator[str]:
    for tag, name in _elements(content):
        if tag == _DNS_NAME:
            yield name.decode("ascii", "replace")
        elif tag == _ADDRESS:
            yield str(ipaddress.ip_address(name))


def _elements(data: bytes) -> Iterator[tuple[int, bytes]]:
    at = 0
    while at < len(data):
        tag, content, at = _inside(data, at)
        yield tag, content


def _after_issuer(body: str) -> tuple[bytes, int]:
    """The fields of a certificate, and where that of its validity begins."""
    certificate = _inside(base64.b64decode(body), 0)[1]
    fields = _inside(certificate, 0)[1]
    at = 0
    if fields[0] == _CONTEXT_0:  # the version
        at = _inside(fields, 0)[2]
    for _ in range(3):  # serial number, signature algorithm, issuer
        at = _inside(fields, at)[2]
    return fields, at


def _validity(body: str) -> CertificateValidity | None:
    try:
        fields, at = _after_issuer(body)
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
