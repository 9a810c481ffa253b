"""Certificates for tests, made with the openssl command."""

from __future__ import annotations

import shutil
import ssl
import subprocess
from pathlib import Path

import pytest

EXPIRED_AT = "210203040506Z"  # 2021-02-03 04:05:06 UTC
_AUTHORITY = """
[ca]
default_ca = here
[here]
database = {folder}/index.txt
serial = {folder}/serial
new_certs_dir = {folder}
default_md = sha256
policy = any
[any]
commonName = supplied
[names]
basicConstraints = critical,CA:TRUE
subjectAltName = IP:{address}
[req]
distinguished_name = any_name
[any_name]
"""


def make(folder: Path, name: str, *, expired: bool = False, address: str = "127.0.0.1") -> tuple[Path, Path]:
    """A self-signed certificate and its key. Skips where openssl is missing."""
    if not shutil.which("openssl"):
        pytest.skip("no openssl to make certificates with: runs where it is installed")
    certificate, key, request = folder / f"{name}.crt", folder / f"{name}.key", folder / f"{name}.csr"
    settings = folder / f"{name}.cnf"
    settings.write_text(_AUTHORITY.format(folder=folder, address=address))
    (folder / "index.txt").write_text("")
    (folder / "serial").write_text("01\n")
    _openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", str(key))
    _openssl("req", "-new", "-key", str(key), "-subj", f"/CN={name}", "-config", str(settings), "-out", str(request))
    times = ["-startdate", "200101000000Z", "-enddate", EXPIRED_AT] if expired else ["-days", "2"]
    _openssl(
        "ca",
        "-batch",
        "-selfsign",
        "-notext",
        "-config",
        str(settings),
        "-extensions",
        "names",
        "-keyfile",
        str(key),
        "-in",
        str(request),
        "-out",
        str(certificate),
        *times,
    )
    return certificate, key


def server_side(certificate: Path, key: Path) -> ssl.SSLContext:
    """TLS settings of a server that shows the certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return context


def _openssl(*arguments: str) -> None:
    done = subprocess.run(["openssl", *arguments], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
