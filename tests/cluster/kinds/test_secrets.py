"""What is kept of a Secret: the names of its keys, and until when its certificate is valid."""

from __future__ import annotations

import base64

import pytest

from kubedoctor.cluster import Secret
from kubedoctor.cluster.seen.decoding import convert_object
from tests.cluster.grammar.test_certificates import DNS, TIMES, alternative, certificate, named


@pytest.mark.parametrize(
    ("key", "text", "until"),
    [
        ("tls.crt", certificate(TIMES), "2049-12-31"),
        ("crt.pem", certificate(TIMES), "2049-12-31"),
        ("ca.crt", certificate(TIMES), ""),
        ("tls.crt", "no certificate", ""),
        ("tls.crt", "", ""),
    ],
)
def test_until_when_a_certificate_is_valid(key: str, text: str, until: str) -> None:
    data = {key: base64.b64encode(text.encode()).decode(), "tls.key": base64.b64encode(b"hidden").decode()}
    manifest = {"kind": "Secret", "metadata": {"name": "tls", "namespace": "shop"}, "data": data}
    (secret,) = convert_object("Secret", manifest).objects
    assert isinstance(secret, Secret)
    assert secret.data == {key: "", "tls.key": ""}
    assert (f"{secret.certificate_until:%Y-%m-%d}" if secret.certificate_until else "") == until


def test_what_is_no_base64_is_no_certificate() -> None:
    manifest = {"kind": "Secret", "metadata": {"name": "tls"}, "data": {"tls.crt": "%"}}
    (secret,) = convert_object("Secret", manifest).objects
    assert isinstance(secret, Secret)
    assert secret.certificate_until is None


def test_the_names_of_a_certificate_are_kept_and_the_key_is_not() -> None:
    text = base64.b64encode(named(alternative(DNS)).encode()).decode()
    manifest = {"kind": "Secret", "metadata": {"name": "tls"}, "data": {"tls.crt": text, "tls.key": text}}
    (secret,) = convert_object("Secret", manifest).objects
    assert isinstance(secret, Secret)
    assert secret.certificate_names == ("shop.example.com",)
    assert set((secret.data or {}).values()) == {""}
