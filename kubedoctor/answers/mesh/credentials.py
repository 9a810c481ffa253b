"""The certificate that a gateway shows: whether its Secret is where the gateway reads it, holds a certificate, and is still valid."""

from __future__ import annotations

from datetime import datetime
from typing import Final

import msgspec

from kubedoctor.answers.sheet import Mark
from kubedoctor.cluster.grammar.durations import human_duration
from kubedoctor.cluster.kinds.core import Secret
from kubedoctor.cluster.kinds.meta import CustomResource
from kubedoctor.cluster.kinds.references import Ref, ref
from kubedoctor.cluster.seen.reading import Cluster
from kubedoctor.cluster.seen.wants import Want

NO_HANDSHAKE: Final = "TLS handshake fails"
EXPIRED: Final = "certificate has expired"
ISSUED_BY: Final = "cert-manager.io/certificate-name"
_CERTIFICATE: Final = "Certificate.cert-manager.io"
_PAIRS: Final = ({"tls.crt", "tls.key"}, {"cert", "key"})


class CredentialState(msgspec.Struct, frozen=True):
    """mark: NO where clients get no connection, UNKNOWN where the Secret cannot be read. text: a clause. fate: as clients see it."""

    mark: Mark
    text: str
    about: Ref | None = None
    fate: str = ""


def credential_state(namespace: str, name: str, cluster: Cluster) -> CredentialState:
    """Of the Secret of a certificate."""
    about = Ref("Secret", namespace, name)
    known = set(cluster.gaps)
    secret = cluster.maybe.get(Secret, namespace, name)
    if secret is None:
        unread = sorted(cluster.gaps - known, key=str)
        why = unread[0].why if unread else _in_part(namespace, name, cluster)
        if why:
            cluster.gaps.intersection_update(known)  # The text says it.
            return CredentialState(Mark.UNKNOWN, f"{about.title} was not seen ({why})", about)
        return CredentialState(
            Mark.NO, f"{about.title} does not exist{_elsewhere(about, cluster)}", about, NO_HANDSHAKE
        )
    keys = set(secret.data or ())
    if keys and not any(pair <= keys for pair in _PAIRS):
        return CredentialState(Mark.NO, f"{about.title} has no tls.crt and tls.key", about, NO_HANDSHAKE)
    until = valid_until(secret, cluster)
    if until is not None and until < cluster.taken_at:
        ago = human_duration(cluster.taken_at - until)
        return CredentialState(Mark.NO, f"the certificate in {about.title} expired {ago} ago", about, EXPIRED)
    left = f", valid for {human_duration(until - cluster.taken_at)}" if until is not None else ""
    return CredentialState(Mark.YES, f"{about.title}{left}", about)


def valid_until(secret: Secret, cluster: Cluster) -> datetime | None:
    """By the certificate itself, else by the object of cert-manager that it is from; None where neither was read."""
    if secret.certificate_until is not None:
        return secret.certificate_until
    name = secret.annotations.get(ISSUED_BY, "")
    issued = cluster.maybe.get_ref(Ref(_CERTIFICATE, secret.namespace, name)) if name else None
    stated = (issued.status or {}).get("notAfter") if isinstance(issued, CustomResource) else None
    try:
        return datetime.fromisoformat(stated) if isinstance(stated, str) else None
    except ValueError:
        return None


def _elsewhere(wanted: Ref, cluster: Cluster) -> str:
    found = [one for one in cluster.maybe.all(Secret) if one.name == wanted.name]
    return f"; {ref(found[0]).title} is not read" if found else ""


def _in_part(namespace: str, name: str, cluster: Cluster) -> str:
    wanted = Want("Secret", namespace, name)
    return "" if cluster.snapshot.covers(wanted) else cluster.snapshot.limitation(wanted)
