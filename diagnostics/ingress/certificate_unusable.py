"""TLS Secret of an Ingress cannot be used for its host.

## What it means
The Secret of `spec.tls` exists, but the controller serves another certificate: its default one, of which browsers warn, or
one that is for other names.

## Why it happens
- The Secret has no keys `tls.crt` and `tls.key`: it was created from files under their own names, or as type Opaque.
- The certificate is for other hosts: a host was added to the Ingress and not to the certificate. `*.example.com` covers
  `a.example.com`, neither `example.com` nor `a.b.example.com`.
- The certificate has expired.

## How to fix it
Create the Secret with `kubectl create secret tls NAME --cert=FILE --key=FILE`, or add the host to the Certificate
(`spec.dnsNames`).

## References
- https://kubernetes.io/docs/concepts/services-networking/ingress/#tls
- https://kubernetes.github.io/ingress-nginx/user-guide/tls/
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from diagnostics.ingress._controllers import reads_secrets
from diagnostics.ingress._programs import lines_about
from kubedoctor.cluster import (
    Cluster,
    Ingress,
    IngressClass,
    IngressTLS,
    Pod,
    Ref,
    Secret,
    Service,
    controller_pods,
    listed,
)
from kubedoctor.findings import (
    Command,
    Confidence,
    Evidence,
    Finding,
    Fix,
    Severity,
    diagnostic,
    edit_command,
    has_path,
    quote,
    quote_line,
    ref,
)
from kubedoctor.replay.gateway.matching import covers

_KEYS: Final = ("tls.crt", "tls.key")
_ALT_NAMES: Final = "cert-manager.io/alt-names"
_COMMON_NAME: Final = "cert-manager.io/common-name"
_CERTIFICATE: Final = "cert-manager.io/certificate-name"
_OTHER_NAMES: Final = re.compile(
    r"certificate is (?:not )?valid for (?P<names>[\w.*, -]+?)(?:, not (?P<host>[\w.*-]+))?[\"')]*$"
)
_REFUSED: Final = re.compile(r"contains no keypair|no keypair or CA|tls\.(?:crt|key)|certificate is (?:not )?valid for")


@diagnostic(
    code="KD2309",
    subject=Ingress,
    severity=Severity.CRITICAL,
    reads=(Ingress, IngressClass, Secret, Pod, Service),
    symptoms=(
        "Kubernetes Ingress Controller Fake Certificate",
        "x509: certificate is valid for",
        "NET::ERR_CERT_COMMON_NAME_INVALID",
    ),
)
def certificate_unusable(ingress: Ingress, cluster: Cluster) -> Iterator[Finding]:
    if ingress.metadata.deletion_timestamp is not None or not ingress.spec.tls:
        return
    known = reads_secrets(ingress, cluster)
    if known is False:
        return
    for at, entry in enumerate(ingress.spec.tls):
        secret = cluster.maybe.get(Secret, ingress.namespace, entry.secret_name) if entry.secret_name else None
        if secret is None:
            continue
        lacking = [key for key in _KEYS if key not in (secret.data or {})]
        if secret.data and lacking:
            yield _without_keys(ingress, at, secret, lacking, known is not None, cluster)
        else:
            yield from _for_other_names(ingress, at, entry, secret, known is not None, cluster)


def _without_keys(
    ingress: Ingress, at: int, secret: Secret, lacking: list[str], known: bool, cluster: Cluster
) -> Finding:
    there = sorted(secret.data or ())
    said = _said(ingress, cluster)
    sure = known or bool(said)
    return Finding(
        about=ref(ingress),
        aspect=secret.name,
        summary=f"Secret {secret.name} is no TLS Secret: it has no {' and no '.join(lacking)}, only {listed(there, 4)}",
        evidence=(
            quote(ingress, f"spec.tls[{at}].secretName", "where the controller looks for the certificate"),
            quote(secret, "type", f"kubernetes.io/tls has the keys {' and '.join(_KEYS)}"),
            *said,
        ),
        confidence=Confidence.CERTAIN if sure else Confidence.POSSIBLE,
        severity=None if sure else Severity.NOTICE,
        would_disprove="" if sure else "the controller of this Ingress reads other keys",
        fixes=(
            Fix(f"Create Secret {secret.name} again with the keys tls.crt and tls.key (kubectl create secret tls)"),
        ),
        commands=(Command(ref(secret).describe_command, "its type and the names of its keys"),),
    )


def _for_other_names(
    ingress: Ingress, at: int, entry: IngressTLS, secret: Secret, known: bool, cluster: Cluster
) -> Iterator[Finding]:
    names = _names_of(secret)
    hosts = [host for host in entry.hosts or () if host and names and not any(covers(name, host) for name in names)]
    said: tuple[Evidence, ...] = ()
    if not names:
        tail = lines_about(ingress, controller_pods(ingress, cluster), _OTHER_NAMES, cluster)
        found = _OTHER_NAMES.search(tail[0].lines[tail[1]]) if tail is not None else None
        if tail is None or found is None or not found["host"] or found["host"] not in (entry.hosts or ()):
            return
        if f"{secret.namespace}/{secret.name}" not in tail[0].lines[tail[1]]:
            return
        names, hosts = (found["names"],), [found["host"]]
        said = (quote_line(*tail, "the controller checks the certificate"),)
    if not hosts:
        return
    path = f"metadata.annotations[{_ALT_NAMES}]"
    certificate = secret.annotations.get(_CERTIFICATE, "")
    yield Finding(
        about=ref(ingress),
        aspect=secret.name,
        summary=f"the certificate in Secret {secret.name} is for {listed(names, 3)}, not for {listed(hosts, 3)}",
        evidence=(
            quote(ingress, f"spec.tls[{at}].hosts", "the hosts that it should be for"),
            *((quote(secret, path, "the names in the certificate"),) if has_path(secret, path) else ()),
            *said,
        ),
        confidence=Confidence.CERTAIN if known else Confidence.LIKELY,
        severity=None if known else Severity.WARNING,
        fixes=(
            Fix(
                f"Add {listed(hosts, 3)} to spec.dnsNames of Certificate {certificate}",
                edit_command(Ref("Certificate.cert-manager.io", ingress.namespace, certificate)),
            )
            if certificate
            else Fix(f"Put a certificate into Secret {secret.name} that is also for {listed(hosts, 3)}"),
        ),
        commands=(Command(ref(secret).describe_command, "its annotations and the names of its keys"),),
    )


def _said(ingress: Ingress, cluster: Cluster) -> tuple[Evidence, ...]:
    line = lines_about(ingress, controller_pods(ingress, cluster), _REFUSED, cluster)
    return (quote_line(*line, "the controller cannot use it"),) if line is not None else ()


def _names_of(secret: Secret) -> tuple[str, ...]:
    """As cert-manager writes beside a certificate; empty for others, whose content is not read."""
    text = secret.annotations.get(_ALT_NAMES) or secret.annotations.get(_COMMON_NAME, "")
    return tuple(name.strip().lower() for name in text.split(",") if name.strip())
