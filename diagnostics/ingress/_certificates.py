"""Secrets of certificates: whether one may still be created, and of which the controller says that it cannot use them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from typing import Final

from diagnostics.pods.configuration._creators import creator_of, only_merges
from kubedoctor.answers.mesh.credentials import ISSUED_BY
from kubedoctor.cluster import Cluster, CustomResource, Ingress, LogTail, Ref, Secret, human_duration, listed
from kubedoctor.findings import Command, Confidence, Finding, Fix, quote, quote_line, ref
from kubedoctor.replay.ingress.controllers import controller_pods
from kubedoctor.replay.status.vocabulary import PROGRESS, START

CERTIFICATE: Final = "Certificate.cert-manager.io"
_SOUGHT: Final = re.compile(
    r'Error getting SSL certificate "(?P<secret>[^"]+)": local SSL certificate \S+ was not found'
)
"""ingress-nginx, at each look at an Ingress, once it could not read the Secret, or before it has."""
_READ: Final = re.compile(r'(?:Adding|Updating) secret (?:to|in) local store" name="(?P<secret>[^"]+)"')
_WHY: Final = re.compile(r"Error obtaining X\.509 certificate: (?P<why>unexpected error creating SSL Cert: .*)")
"""It names no Secret."""
_MISMATCH: Final = "private key does not match public key"
_ENOUGH: Final = 3
"""Looks without success: at the first ones the Secret may not have been read yet."""


def certificate_of(ingress: Ingress, name: str, cluster: Cluster) -> datetime | None:
    """Until when the certificate in a Secret of the Ingress is valid; None where it was not read."""
    secret = cluster.maybe.get(Secret, ingress.namespace, name) if name else None
    return secret.certificate_until if secret is not None else None


def expired_in_secrets(ingress: Ingress, cluster: Cluster) -> Iterator[Finding]:
    """The certificates that are over by themselves, or by the Certificate of cert-manager that writes them."""
    seen: set[str] = set()
    for at, entry in enumerate(ingress.spec.tls or ()):
        name = entry.secret_name
        secret = cluster.maybe.get(Secret, ingress.namespace, name) if name and name not in seen else None
        until = secret.certificate_until if secret is not None else None
        if secret is None or until is None or until >= cluster.taken_at:
            continue
        seen.add(name)
        issued = Ref(CERTIFICATE, secret.namespace, secret.annotations.get(ISSUED_BY, ""))
        renewed = cluster.maybe.get_ref(issued) if issued.name else None
        hosts = listed(entry.hosts or (), 3)
        yield Finding(
            about=ref(ingress),
            aspect=f"expired-{name}",
            summary=f"the certificate in Secret {name}{f' for {hosts}' if hosts else ''} expired"
            f" {human_duration(cluster.taken_at - until)} ago",
            evidence=(
                quote(ingress, f"spec.tls[{at}].secretName", "where the controller reads it"),
                quote(secret, "metadata.name", f"its certificate was valid until {until:%Y-%m-%d %H:%M} UTC"),
            ),
            confidence=Confidence.CERTAIN,
            because_of=(issued,) if renewed is not None else (),
            fixes=(
                Fix(
                    f"Repair what prevents the renewal of {issued.title}"
                    if renewed is not None
                    else f"Put a new certificate into Secret {name}, or find out why it is not renewed"
                ),
            ),
            commands=(
                Command(issued.describe_command, "why it was not renewed")
                if renewed is not None
                else Command(ref(secret).describe_command, "its type, annotations and the names of its keys"),
            ),
        )


def may_come(
    asker: Ingress | CustomResource, namespace: str, name: str, cluster: Cluster, *, missed: bool = False
) -> bool:
    """Whether the Secret may be on its way: the object that names it is new, or an operator makes it, whose object tells why
    it is not there yet. missed: a controller says that it looks for it without success."""
    created = asker.metadata.creation_timestamp
    if created is not None and cluster.taken_at - created < (START if missed else PROGRESS):
        return True
    creator = creator_of(name, namespace, cluster)
    return creator is not None and not only_merges(creator)


def unreadable(ingress: Ingress, at: int, secret: Secret, cluster: Cluster) -> Finding | None:
    """The controller keeps looking for the certificate of a Secret that is there with both keys."""
    name = f"{secret.namespace}/{secret.name}"
    for pod in controller_pods(ingress, cluster)[:2]:
        for container in pod.spec.containers[:1]:
            tail = cluster.log_tail(pod, container.name, optional=True)
            if tail is not None and (sought := _sought_in_vain(tail, name)):
                return _finding(ingress, at, secret, tail, sought)
    return None


def _sought_in_vain(tail: LogTail, name: str) -> list[int]:
    """The lines since it was read last; none where there are few, as it may be read at any moment."""
    sought: list[int] = []
    for index, line in enumerate(tail.lines):
        if (read := _READ.search(line)) is not None and read["secret"] == name:
            sought.clear()
        elif (found := _SOUGHT.search(line)) is not None and found["secret"] == name:
            sought.append(index)
    return sought if len(sought) >= _ENOUGH else []


def _finding(ingress: Ingress, at: int, secret: Secret, tail: LogTail, sought: list[int]) -> Finding:
    reasons = {found["why"]: index for index, line in enumerate(tail.lines) if (found := _WHY.search(line))}
    mismatch = len(reasons) == 1 and _MISMATCH in next(iter(reasons))
    why = (
        "tls.key does not match tls.crt"
        if mismatch
        else "tls.crt or tls.key is damaged, or one does not match the other"
    )
    said = [quote_line(tail, index, "its reason, which names no Secret") for index in reasons.values()]
    return Finding(
        about=ref(ingress),
        aspect=secret.name,
        summary=f"the controller cannot use the certificate in Secret {secret.name} and serves its default one: {why}",
        evidence=(
            quote(ingress, f"spec.tls[{at}].secretName", "the Secret is there, with both keys"),
            quote_line(tail, sought[-1], f"it looks for it without success ({len(sought)} times in this log)"),
            *(said if len(said) == 1 else ()),
        ),
        confidence=Confidence.LIKELY,
        would_disprove="the Secret was corrected after the controller wrote this",
        fixes=(
            Fix(
                f"Create Secret {secret.name} again from a certificate and its own key: kubectl create secret tls checks"
                " that they match"
            ),
        ),
        commands=(Command(ref(secret).describe_command, "the names and sizes of its keys"),),
    )
