"""From when and until when certificates are valid."""

from __future__ import annotations

import base64

import pytest

from kubedoctor.cluster import certificate_validities


def element(tag: int, content: bytes) -> bytes:
    if len(content) < 0x80:
        return bytes([tag, len(content)]) + content
    return bytes([tag, 0x82, *len(content).to_bytes(2, "big")]) + content


def certificate(moments: bytes, *, version: bool = True, long: bool = False) -> str:
    first = element(0xA0, element(0x02, b"\x02")) if version else b""
    issuer = element(0x30, b"\x00" * (300 if long else 3))
    fields = first + element(0x02, b"\x01") + element(0x30, b"") + issuer + element(0x30, moments)
    body = base64.b64encode(element(0x30, element(0x30, fields))).decode()
    return f"-----BEGIN CERTIFICATE-----\n{body}\n-----END CERTIFICATE-----\n"


TIMES = element(0x17, b"250101000000Z") + element(0x17, b"491231235959Z")
OF_THE_LAST_CENTURY = element(0x17, b"500101000000Z") + element(0x17, b"991231235959Z")
FAR = element(0x17, b"250101000000Z") + element(0x18, b"20600101000000Z")


@pytest.mark.parametrize(
    ("pem", "found"),
    [
        (certificate(TIMES), ["2025-01-01 2049-12-31"]),
        (certificate(TIMES, version=False, long=True), ["2025-01-01 2049-12-31"]),
        (certificate(OF_THE_LAST_CENTURY), ["1950-01-01 1999-12-31"]),
        (certificate(FAR) + "text\n" + certificate(TIMES), ["2025-01-01 2060-01-01", "2025-01-01 2049-12-31"]),
        (certificate(element(0x17, b"no time") + element(0x17, b"491231235959Z")), []),
        (certificate(element(0x04, b"250101000000Z") + element(0x17, b"491231235959Z")), []),
        (certificate(b""), []),
        ("-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----", []),
        ("-----BEGIN CERTIFICATE-----\nM\n-----END CERTIFICATE-----", []),
        ("", []),
    ],
)
def test_validity(pem: str, found: list[str]) -> None:
    assert [f"{one.start:%Y-%m-%d} {one.end:%Y-%m-%d}" for one in certificate_validities(pem)] == found
