"""What is wrong with a registry's certificate, by the words of Go's x509 (`crypto/x509/verify.go`)."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

_EXPIRED: Final = re.compile(
    r"certificate has expired or is not yet valid: current time (?P<now>\S+) is (?P<side>after|before) (?P<limit>[^\s\"',]+)"
)
_OTHER_NAMES: Final = re.compile(
    r"certificate is (?:valid for (?P<names>[^\"]+?)|not valid for any names), (?:not|but wanted to match) (?P<host>[\w.:-]+)"
)
_NO_NAMES: Final = re.compile(r"relies on legacy Common Name field|doesn't contain any (?:IP )?SANs")
_LONGEST: Final = 100


class CertificateWords(NamedTuple):
    summary: str
    fix: str


def certificate_words(message: str, host: str, node: str) -> CertificateWords | None:
    """None where the certificate is refused for its issuer, or for another reason."""
    if dated := _EXPIRED.search(message):
        if dated["side"] == "after":
            return CertificateWords(
                f"the TLS certificate of registry {host} has expired: it was valid until {dated['limit']}",
                f"Renew the certificate of registry {host}",
            )
        return CertificateWords(
            f"the TLS certificate of registry {host} is valid from {dated['limit']} only, and the clock of node {node} says"
            f" {dated['now']}",
            f"Correct the clock of node {node}, or wait until the certificate is valid",
        )
    if other := _OTHER_NAMES.search(message):
        names = f" but for {other['names'][:_LONGEST]}" if other["names"] else ""
        return CertificateWords(
            f"the TLS certificate of registry {host} is not for {other['host']}{names}",
            f"Give the registry a certificate with the name {other['host']}, or use a name of the certificate in the image",
        )
    if _NO_NAMES.search(message):
        return CertificateWords(
            f"the TLS certificate of registry {host} names no host (subject alternative names)",
            f"Give the registry a certificate with {host} among its subject alternative names",
        )
    return None
