"""TLS Secret of an Ingress cannot be used for its host.

## What it means
The Secret of `spec.tls` exists, but the controller serves another certificate: its default one, of which browsers warn, or
one that is for other names.

## Why it happens
- The Secret has no keys `tls.crt` and `tls.key`: it was created from files under their own names, or as type Opaque.
- The certificate is for other hosts: a host was added to the Ingress and not to the certificate. `*.example.com` covers
  `a.example.com`, neither `example.com` nor `a.b.example.com`.
- The certificate has a common name (CN) only: browsers and most programs look at the alternative names and ignore it.
- The certificate has expired.
- The key belongs to another certificate, or one of the two is damaged.

## How to fix it
Create the Secret with `kubectl create secret tls NAME --cert=FILE --key=FILE`, or add the host to the Certificate
(`spec.dnsNames`).

## References
- https://kubernetes.io/docs/concepts/services-networking/ingress/#tls
- https://kubernetes.github.io/ingress-nginx/user-guide/tls/
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterator
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from diagnostics.ingress._certificates import CERTIFICATE, certificate_of, expired_in_secrets, unreadable
from diagnostics.ingress._controllers import reads_secrets
from diagnostics.ingress._programs import lines_about
from kubedoctor.cluster import (
    Cluster,
    Ingress,
    IngressClass,
    IngressTLS,
    LogTail,
    Pod,
    Ref,
    Secret,
    Service,
    human_duration,
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
    kubectl,
    quote,
    quote_line,
    ref,
)
from kubedoctor.replay.autoscaling.status import moment
from kubedoctor.replay.gateway.matching import covers
from kubedoctor.replay.ingress.controllers import controller_pods
from kubedoctor.replay.logs.log_lines import parse_line

_KEYS: Final = ("tls.crt", "tls.key")
_ALT_NAMES: Final = "cert-manager.io/alt-names"
_COMMON_NAME: Final = "cert-manager.io/common-name"
_OTHER_SANS: Final = ("cert-manager.io/ip-sans", "cert-manager.io/uri-sans")
_CERTIFICATE: Final = "cert-manager.io/certificate-name"
_OTHER_NAMES: Final = re.compile(
    r"certificate is (?:not )?valid for (?P<names>[\w.*, -]+?)(?:, not (?P<host>[\w.*-]+))?[\"')]*$"
)
_EXPIRES: Final = re.compile(
    r'SSL certificate for server "(?P<host>[^"]+)" (?P<when>is about to expire|expired) '
    r"\((?P<time>[\d-]+ [\d:]+ \+0000 UTC)\)"
)
"""As ingress-nginx writes it, from ten days before on; newer versions write `expired` once it is over."""
_SHORT_TIME: Final = re.compile(r"(?P<month>\d\d)(?P<day>\d\d) (?P<clock>[\d:]+)(?:\.\d+)?")
_CLOCKS_DIFFER: Final = timedelta(hours=1)
_RECENT: Final = timedelta(hours=1)
"""The controller writes it again whenever an Ingress, Service or Secret changes."""
_REFUSED: Final = re.compile(r"contains no keypair|no keypair or CA|tls\.(?:crt|key)|certificate is (?:not )?valid for")


@diagnostic(
    code="KD2309",
    subject=Ingress,
    severity=Severity.CRITICAL,
    reads=(Ingress, IngressClass, Secret, Pod, Service, CERTIFICATE),
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
    yield from _expired(ingress, cluster)
    yield from expired_in_secrets(ingress, cluster)
    for at, entry in enumerate(ingress.spec.tls):
        secret = cluster.maybe.get(Secret, ingress.namespace, entry.secret_name) if entry.secret_name else None
        if secret is None:
            continue
        lacking = [key for key in _KEYS if key not in (secret.data or {})]
        if secret.data and lacking:
            yield _without_keys(ingress, at, secret, lacking, known is not None, cluster)
        elif (broken := unreadable(ingress, at, secret, cluster)) is not None:
            yield broken
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
    if secret.certificate_names == ():
        yield _common_name_only(ingress, at, secret, secret.annotations.get(_COMMON_NAME, ""))
        return
    if not names and (common := secret.annotations.get(_COMMON_NAME, "")) and not _has_other_names(secret):
        yield _common_name_only(ingress, at, secret, common)
        return
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
            *_where_named(secret, path),
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


def _where_named(secret: Secret, path: str) -> tuple[Evidence, ...]:
    """The names by the certificate, which is not shown, else by what cert-manager writes beside it."""
    if secret.certificate_names:
        return (quote(secret, "metadata.name", f"its certificate is for {listed(secret.certificate_names, 3)}"),)
    return (quote(secret, path, "the names in the certificate"),) if has_path(secret, path) else ()


def _has_other_names(secret: Secret) -> bool:
    return any(secret.annotations.get(key) for key in _OTHER_SANS) or _ALT_NAMES not in secret.annotations


def _common_name_only(ingress: Ingress, at: int, secret: Secret, common: str) -> Finding:
    certificate = secret.annotations.get(_CERTIFICATE, "")
    named = f"the common name {common} and" if common else "a common name and"
    path = f"metadata.annotations[{_COMMON_NAME}]"
    hosts = (ingress.spec.tls or ())[at].hosts or ()
    wanted = common or listed(hosts, 3) or "its hosts"
    return Finding(
        about=ref(ingress),
        aspect=secret.name,
        summary=f"the certificate in Secret {secret.name} has {named} no alternative names:"
        " browsers and most programs do not accept it for any host",
        evidence=(
            quote(secret, path, "the common name; cert-manager.io/alt-names is empty")
            if common
            else quote(secret, "metadata.name", "its certificate has no alternative names"),
            quote(ingress, f"spec.tls[{at}].secretName", "where the controller looks for the certificate"),
        ),
        confidence=Confidence.LIKELY,
        severity=Severity.WARNING,
        would_disprove="all clients accept a certificate by its common name",
        fixes=(
            Fix(
                f"Add {wanted} to spec.dnsNames of Certificate {certificate}",
                edit_command(Ref("Certificate.cert-manager.io", ingress.namespace, certificate)),
            )
            if certificate
            else Fix(f"Put a certificate into Secret {secret.name} that has {wanted} among its alternative names"),
        ),
        commands=(Command(ref(secret).describe_command, "its annotations and the names of its keys"),),
    )


def _expired(ingress: Ingress, cluster: Cluster) -> Iterator[Finding]:
    """By the log of the controller: what Secrets contain is not read."""
    hosts = {host: at for at, entry in enumerate(ingress.spec.tls or ()) for host in entry.hosts or ()}
    told: set[str] = set()
    for host, line in sorted(_newest_lines(ingress, hosts, cluster).items()):
        at = hosts[host]
        name = (ingress.spec.tls or ())[at].secret_name
        if not line.ended_before_it or name in told or certificate_of(ingress, name, cluster) is not None:
            continue  # What the Secret holds now counts more than what was written.
        told.add(name)
        recent = line.written is not None and cluster.taken_at - line.written <= _RECENT
        yield Finding(
            about=ref(ingress),
            aspect=f"expired-{name}",
            summary=f"the certificate for {host} expired {human_duration(cluster.taken_at - line.ended)} ago",
            evidence=(
                quote(ingress, f"spec.tls[{at}].hosts", f"certificate in Secret {name}" if name else "its hosts"),
                quote_line(line.tail, line.number, "the controller tells when it ends"),
            ),
            confidence=Confidence.CERTAIN if recent else Confidence.LIKELY,
            would_disprove="" if recent else "the certificate was renewed after the controller wrote this",
            fixes=(
                Fix(
                    f"Put a new certificate into Secret {name}, or find out why it is not renewed"
                    if name
                    else "Replace the default certificate of the controller"
                ),
            ),
            commands=(
                Command(
                    kubectl("get", "certificates.cert-manager.io", namespace=ingress.namespace),
                    "whether cert-manager renews it",
                ),
            ),
        )


class _Line(NamedTuple):
    """What the controller wrote about the certificate of a host. written: None where the line has no time."""

    tail: LogTail
    number: int
    ended: datetime
    written: datetime | None
    is_over: bool

    @property
    def ended_before_it(self) -> bool:
        """Whether the certificate had ended when the line was written: a later line would be about another one."""
        return self.is_over or (self.written is not None and self.written >= self.ended)


def _newest_lines(ingress: Ingress, hosts: Container[str], cluster: Cluster) -> dict[str, _Line]:
    """By host: the certificate may have been renewed since an older line."""
    newest: dict[str, _Line] = {}
    for pod in controller_pods(ingress, cluster)[:2]:
        for container in pod.spec.containers[:1]:
            tail = cluster.log_tail(pod, container.name, optional=True)
            for index, text in enumerate(tail.lines) if tail is not None else ():
                found = _EXPIRES.search(text)
                ended = moment(found["time"]) if found is not None else None
                if tail is None or found is None or ended is None or found["host"] not in hosts:
                    continue
                line = _Line(tail, index, ended, _written(text, cluster.taken_at), found["when"] == "expired")
                known = newest.get(found["host"])
                if known is None or known.tail is tail or _later(line, known):
                    newest[found["host"]] = line
    return newest


def _later(line: _Line, known: _Line) -> bool:
    return line.written is not None and (known.written is None or line.written > known.written)


def _written(text: str, taken_at: datetime) -> datetime | None:
    """The time of a line; klog writes it without the year."""
    time = parse_line(text).time
    if (at := moment(time)) is not None:
        return at
    short = _SHORT_TIME.fullmatch(time)
    for year in (taken_at.year + 1, taken_at.year, taken_at.year - 1) if short is not None else ():
        at = moment(f"{year}-{short['month']}-{short['day']} {short['clock']}") if short is not None else None
        if at is not None and at <= taken_at + _CLOCKS_DIFFER:
            return at
    return None


def _said(ingress: Ingress, cluster: Cluster) -> tuple[Evidence, ...]:
    line = lines_about(ingress, controller_pods(ingress, cluster), _REFUSED, cluster)
    return (quote_line(*line, "the controller cannot use it"),) if line is not None else ()


def _names_of(secret: Secret) -> tuple[str, ...]:
    """Of the certificate, where it was read, else as cert-manager writes beside it; empty where neither is known."""
    if secret.certificate_names is not None:
        return secret.certificate_names
    text = secret.annotations.get(_ALT_NAMES, "")
    return tuple(name.strip().lower() for name in text.split(",") if name.strip())
