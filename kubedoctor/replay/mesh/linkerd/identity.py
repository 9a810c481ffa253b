"""Linkerd's trust anchors and issuer: which certificates have expired, by themselves or by the log of the identity controller.

Sources: linkerd2 `pkg/identity/service.go`, `pkg/tls/verify.go`, `charts/linkerd-control-plane/templates/identity.yaml`, edge-26."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from kubedoctor.cluster.grammar.certificates import certificate_validities
from kubedoctor.cluster.kinds.core import ConfigMap

ISSUER: Final = "linkerd-identity-issuer"
"""The Secret of the issuer, and the Certificate of cert-manager where one renews it."""
TRUST_ROOTS: Final = "linkerd-identity-trust-roots"
_BUNDLE: Final = "ca-bundle.crt"
_EXPIRED: Final = re.compile(
    r"(?:issuer|trust anchor|ca cert|certif|identity).*certificate has expired or is not yet valid|issuer cert expired",
    re.IGNORECASE,
)
_RENEWED: Final = "updated identity issuer"


def anchors_until(roots: ConfigMap | None) -> datetime | None:
    """The last moment at which one of the trust anchors is valid; None where none can be read."""
    pem = (roots.data or {}).get(_BUNDLE, "") if roots is not None else ""
    return max((validity.end for validity in certificate_validities(pem)), default=None)


def expired_line(lines: Sequence[str]) -> int | None:
    """The last line about an expired certificate with no newer issuer after it."""
    for index in range(len(lines) - 1, -1, -1):
        if _RENEWED in lines[index].lower():
            return None
        if _EXPIRED.search(lines[index]):
            return index
    return None
