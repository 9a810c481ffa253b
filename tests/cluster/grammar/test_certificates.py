"""From when and until when certificates are valid, and for which names."""

from __future__ import annotations

import base64

import pytest

from kubedoctor.cluster import certificate_names, certificate_validities


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


def alternative(*names: bytes, critical: bool = False) -> bytes:
    """The extension of alternative names."""
    flag = element(0x01, b"\xff") if critical else b""
    return element(0x30, element(0x06, b"\x55\x1d\x11") + flag + element(0x04, element(0x30, b"".join(names))))


def named(*extensions: bytes) -> str:
    """A certificate with these extensions; without any, as in the first version of the format."""
    rest = element(0xA3, element(0x30, b"".join(extensions))) if extensions else b""
    fields = element(0xA0, element(0x02, b"\x02")) + element(0x02, b"\x01") + element(0x30, b"") + element(0x30, b"")
    fields += element(0x30, TIMES) + element(0x30, b"") + element(0x30, b"key") + rest
    body = base64.b64encode(element(0x30, element(0x30, fields))).decode()
    return f"-----BEGIN CERTIFICATE-----\n{body}\n-----END CERTIFICATE-----\n"


DNS, WILDCARD = element(0x82, b"Shop.example.com"), element(0x82, b"*.example.com")
ADDRESSES = element(0x87, b"\x0a\x00\x00\x09"), element(0x87, bytes(15) + b"\x01")
MAIL = element(0x81, b"me@example.com")
OTHER = element(0x30, element(0x06, b"\x55\x1d\x13") + element(0x04, element(0x30, b"")))


@pytest.mark.parametrize(
    ("pem", "names"),
    [
        (named(alternative(DNS, WILDCARD)), ("shop.example.com", "*.example.com")),
        (named(OTHER, alternative(*ADDRESSES, MAIL, critical=True)), ("10.0.0.9", "::1")),
        (named(alternative(DNS)) + named(alternative(WILDCARD)), ("shop.example.com",)),
        (named(OTHER), ()),
        (named(), ()),
        (named(alternative(element(0x87, b"\x0a\x00"))), None),
        (certificate(TIMES), None),
        ("no certificate", None),
    ],
)
def test_names(pem: str, names: tuple[str, ...] | None) -> None:
    assert certificate_names(pem) == names
