"""Certificates, tokens and kubeconfigs of one throwaway cluster; they end with it."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

from tests.real.cluster.layout import API_SERVICE_ADDRESS, NODE_ADDRESS, NODE_NAME

ADMINISTRATOR_TOKEN = "administrator-of-a-throwaway-cluster"
"""Used by the tests and by the control plane."""
VISITOR_TOKEN = "visitor-of-a-throwaway-cluster"
"""Used by nobody but the program under test, so that the audit log tells its requests from all others."""
VISITOR = "visitor"
NODE_TOKEN = "node-of-a-throwaway-cluster"
TOKENS = f"""\
{ADMINISTRATOR_TOKEN},administrator,1,"system:masters"
{VISITOR_TOKEN},{VISITOR},2,"system:masters"
{NODE_TOKEN},system:node:{NODE_NAME},3,"system:nodes"
"""
DAYS = "30"


def make_certificates(folder: Path) -> None:
    """Make an authority, the API server's certificate, its client certificate for the kubelet, and the signing key."""
    folder.mkdir(parents=True)

    def openssl(*arguments: str) -> None:
        subprocess.run(["openssl", *arguments], check=True, capture_output=True, cwd=folder)

    key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
    authority = ("-subj", "/CN=realcluster-ca", "-keyout", "ca.key", "-out", "ca.crt")
    openssl("req", "-x509", *key, "-days", DAYS, *authority)
    service = "kubernetes.default.svc"
    names = ",".join(
        [
            f"DNS:{name}"
            for name in ("localhost", "kubernetes", "kubernetes.default", service, f"{service}.cluster.local")
        ]
        + [f"IP:{address}" for address in ("127.0.0.1", API_SERVICE_ADDRESS, NODE_ADDRESS)]
    )
    for name, subject, extensions in (
        ("apiserver", "/CN=kube-apiserver", f"subjectAltName={names}\nextendedKeyUsage=serverAuth"),
        ("kubelet-client", "/O=system:masters/CN=kubelet-client", "extendedKeyUsage=clientAuth"),
    ):
        (folder / f"{name}.ext").write_text(extensions + "\n")
        openssl("req", *key, "-subj", subject, "-keyout", f"{name}.key", "-out", f"{name}.csr")
        signed_by = ("-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial", "-days", DAYS)
        openssl("x509", "-req", "-in", f"{name}.csr", *signed_by, "-extfile", f"{name}.ext", "-out", f"{name}.crt")
    openssl("genrsa", "-out", "service-account.key", "2048")


def write_kubeconfig(path: Path, server: str, authority: Path, token: str) -> Path:
    name = "realcluster"
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": name,
        "clusters": [{"name": name, "cluster": {"server": server, "certificate-authority": str(authority)}}],
        "users": [{"name": name, "user": {"token": token}}],
        "contexts": [{"name": name, "context": {"cluster": name, "user": name}}],
    }
    path.write_text(json.dumps(document, indent=1))
    path.chmod(0o600)
    return path
