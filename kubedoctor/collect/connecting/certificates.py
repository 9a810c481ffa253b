"""When a certificate expires, and TLS settings from a kubeconfig."""

from __future__ import annotations

import os
import ssl
from datetime import datetime
from typing import Any

from kubedoctor.cluster.grammar.certificates import certificate_validities
from kubedoctor.collect.connecting.kubeconfig import text_of
from kubedoctor.problems import KubeconfigProblem


def expiry_of(certificate: bytes) -> datetime | None:
    """`notAfter` of the first certificate of a PEM text; None if it cannot be read."""
    return next((validity.end for validity in certificate_validities(certificate.decode("ascii", "replace"))), None)


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
