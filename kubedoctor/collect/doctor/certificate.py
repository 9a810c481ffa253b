"""How long the certificates of the server and of the user are still valid."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from datetime import datetime, timedelta

from kubedoctor.answers.access.steps import AccessStep
from kubedoctor.answers.sheet import Mark
from kubedoctor.cluster.grammar.certificates import CertificateValidity, certificate_validities
from kubedoctor.cluster.grammar.durations import human_duration
from kubedoctor.collect.connecting.connection import Connection
from kubedoctor.collect.doctor.reaching import Reached, unchecked_certificate
from kubedoctor.problems import SourceProblem

_SOON = timedelta(days=14)
_LAST_PART = 5
"""What is renewed by a machine is renewed before the last fifth of its time."""


def certificate_steps(
    connection: Connection, found: Reached, now: datetime, problem: SourceProblem | None = None
) -> Iterator[AccessStep]:
    """Of the server. problem: why it is not accepted."""
    server = connection.server
    validity = _of_server(found.certificate or (unchecked_certificate(connection) if problem is not None else b""))
    if problem is not None:
        when = ""
        if validity is not None and validity.end < now:
            when = f" at {validity.end:%Y-%m-%d %H:%M} UTC, {human_duration(now - validity.end)} ago"
        elif validity is not None and now < validity.start:
            when = f": it is from {validity.start:%Y-%m-%d %H:%M} UTC on"
        yield AccessStep("certificate", f"{problem.what}{when}", Mark.NO, problem.hint)
        return
    if connection.insecure:
        text = f"the certificate of {server} is not checked: insecure-skip-tls-verify is set"
        yield AccessStep("certificate", text, Mark.UNKNOWN)
        return
    if validity is None:
        yield AccessStep("certificate", f"the certificate of {server} is trusted")
        return
    yield _lasting("certificate", f"the certificate of {server} is trusted and", validity, now, _RENEW_SERVER)


_RENEW_SERVER = "Renew it on the control plane before it expires (kubeadm: kubeadm certs renew apiserver)"


def own_certificate_steps(connection: Connection, now: datetime) -> Iterator[AccessStep]:
    """Of the user, where it logs in with one."""
    certificate = connection.credentials.certificate
    if not certificate:
        return
    validity = next(iter(certificate_validities(certificate.decode("ascii", "replace"))), None)
    if validity is None:
        return
    hint = "Get a new kubeconfig from its source"
    if expired := connection.why_not_accepted(now):
        yield AccessStep("client certificate", expired, Mark.NO, hint)
        return
    if now < validity.start:
        text = f"the client certificate of {connection.user} is valid from {validity.start:%Y-%m-%d %H:%M} UTC on"
        yield AccessStep("client certificate", text, Mark.NO, "Check this machine's clock")
        return
    yield _lasting("client certificate", f"the client certificate of {connection.user} is", validity, now, hint)


def _lasting(name: str, what: str, validity: CertificateValidity, now: datetime, hint: str) -> AccessStep:
    """Its end; one that comes soon fails the step, while what a machine renews in time does not."""
    left = validity.end - now
    soon = left < min(_SOON, (validity.end - validity.start) / _LAST_PART)
    rest = f", only {human_duration(left)} more" if soon else ""
    text = f"{what} valid until {validity.end:%Y-%m-%d %H:%M} UTC{rest}"
    return AccessStep(name, text, Mark.NO if soon else Mark.YES, hint if soon else "", passable=True)


def _of_server(certificate: bytes) -> CertificateValidity | None:
    if not certificate:
        return None
    return next(iter(certificate_validities(ssl.DER_cert_to_PEM_cert(certificate))), None)
