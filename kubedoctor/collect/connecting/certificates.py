"""When a certificate expires, and TLS settings from a kubeconfig."""

from __future__ import annotations

import os
import re
import ssl
from datetime import UTC, datetime
from typing import Any

from kubedoctor.cluster.grammar.patterns import compiled_later
from kubedoctor.collect.connecting.kubeconfig import text_of
from kubedoctor.problems import KubeconfigProblem

_PEM = compiled_later(r"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)
_UTC_TIME, _GENERALIZED_TIME, _SEQUENCE, _CONTEXT_0 = 0x17, 0x18, 0x30, 0xA0


def expiry_of(certificate: bytes) -> datetime | None:
    """`notAfter` of the first certificate of a PEM text (RFC 5280, 4.1.2.5); None if it cannot be read."""
    block = _PEM.search(certificate.decode("ascii", "replace"))
    if not block:
        return None
    try:
        body = _inside(ssl.PEM_cert_to_DER_cert(block[0]), 0)[1]
        fields = _inside(body, 0)[1]
        at = 0
        if fields[0] == _CONTEXT_0:  # the version
            at = _inside(fields, 0)[2]
        for _ in range(3):  # serial number, signature algorithm, issuer
            at = _inside(fields, at)[2]
        validity = _inside(fields, at)[1]
        kind, moment, _ = _inside(validity, _inside(validity, 0)[2])
    except (ValueError, IndexError):
        return None
    return _moment(kind, moment.decode("ascii", "replace"))


def _inside(data: bytes, at: int) -> tuple[int, bytes, int]:
    """Tag and content of the DER element at an offset, and the offset after it."""
    tag, length, start = data[at], data[at + 1], at + 2
    if length & 0x80:
        size = length & 0x7F
        length, start = int.from_bytes(data[start : start + size], "big"), start + size
    return tag, data[start : start + length], start + length


def _moment(kind: int, text: str) -> datetime | None:
    if kind == _UTC_TIME:  # RFC 5280: years from 50 on are of the last century
        text = ("19" if text[:2] >= "50" else "20") + text
    elif kind != _GENERALIZED_TIME:
        return None
    try:
        return datetime.strptime(text, "%Y%m%d%H%M%SZ").replace(tzinfo=UTC)
    except ValueError:
        return None


def tls_settings(
    cluster: dict[str, Any], cluster_name: str, authorities: bytes, certificate: bytes, key: bytes, user: str
) -> ssl.SSLContext:
    """How to verify the server and which client certificate to send. Raises KubeconfigProblem for files that OpenSSL
    cannot read."""
    try:
        context = ssl.create_default_context(cadata=authorities.decode("ascii")) if authorities else _system()
    except (ssl.SSLError, ValueError):
        raise KubeconfigProblem(
            f"certificate-authority of cluster {cluster_name} is not a certificate",
            "Get a new kubeconfig from its source",
        ) from None
    # Certificate authorities of clusters often lack the extensions that this flag requires; Go does not require them.
    context.verify_flags &= ~getattr(ssl, "VERIFY_X509_STRICT", 0)
    if str(cluster.get("insecure-skip-tls-verify", "")).lower() == "true":
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if certificate:
        _show(context, certificate, key, user)
    return context


def server_name(cluster: dict[str, Any]) -> str | None:
    """The name in the server's certificate, where it differs from the address."""
    return text_of(cluster.get("tls-server-name")) or None


def _system() -> ssl.SSLContext:
    return ssl.create_default_context()


def _show(context: ssl.SSLContext, certificate: bytes, key: bytes, user: str) -> None:
    """OpenSSL reads certificates from files only: they are written to a private file that is removed at once."""
    import tempfile  # slow, and only for client certificates

    with tempfile.TemporaryDirectory(prefix="kubedoctor-") as folder:
        chain = os.path.join(folder, "chain.pem")
        with open(os.open(chain, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(certificate.rstrip() + b"\n" + key)
        try:
            # Without a password OpenSSL would prompt for it on the terminal.
            context.load_cert_chain(chain, password=lambda: "")
        except (ssl.SSLError, ValueError, OSError) as error:
            why = "the key does not belong to the certificate" if "MISMATCH" in str(error) else "they cannot be read"
            raise KubeconfigProblem(
                f"the client certificate and key of user {user} cannot be used: {why}",
                "Get a new kubeconfig from its source",
            ) from None
