"""The Secret that the solver of a DNS-01 challenge authenticates with to the DNS provider."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from kubedoctor.cluster import Cluster, CustomResource, Evidence, Ref, operator_pod, quote
from kubedoctor.findings import Command, Fix, kubectl

_SOLVER: Final = "spec.solver.dns01"
_REFERENCE: Final = re.compile(r"(?i)secret(?:Key|Access\w*)?(?:Secret)?Refs?$")
_IDENTITY: Final = re.compile(r"(?i)access_?key_?id")
"""The name of a key rather than what it proves itself with."""
_REFUSED_CREDENTIALS: Final = re.compile(
    r"\b(?:6003|6111|9106|10000|10001): |[Ii]nvalid request headers|[Ii]nvalid access token|[Uu]nable to authenticate"
    r"|[Aa]uthentication (?:error|failed)|InvalidClientTokenId|SignatureDoesNotMatch|UnrecognizedClient|IncompleteSignature"
    r"|security token included in the request is (?:invalid|expired)|ExpiredToken|invalid_grant|invalid_client|AADSTS7\d+"
    r"|Invalid JWT|could not find default credentials|\b401\b|Unauthorized(?! to)|BADKEY|BADSIG|bad (?:signature|key)"
)
"""The answers of DNS providers to a token or key that they do not know, in contrast to one that lacks a right: Cloudflare
(API errors), Amazon Route 53 (STS), DigitalOcean, Google (OAuth), Azure (Entra), servers of RFC 2136 (TSIG)."""


class SolverCredentials(NamedTuple):
    """`words`: a clause that names the Secret. `fixes`: none where the provider knows the credentials."""

    words: str
    fixes: tuple[Fix, ...]
    evidence: tuple[Evidence, ...]
    commands: tuple[Command, ...]


def solver_credentials(challenge: CustomResource, message: str, cluster: Cluster) -> SolverCredentials | None:
    """None where the solver has no Secret: it uses the identity of cert-manager's pods. message: of the DNS provider."""
    solver = _member(_member(challenge.spec or {}, "solver"), "dns01")
    found = sorted(_references(solver, _SOLVER), key=lambda one: _IDENTITY.search(one[0]) is not None)
    if not found:
        return None
    path, name, key = found[0]
    namespace = _namespace(challenge, cluster)
    title = Ref("Secret", namespace, name).title if namespace else f"Secret {name} in the namespace of cert-manager"
    what = f"key {key} of {title}" if key else title
    fix = Fix(
        f"Write a valid token or key into {what}: as the provider shows it, without a prefix, quotes or line break"
    )
    look = Command(kubectl("describe", "secret", name, namespace=namespace), "its keys and their sizes, no values")
    return SolverCredentials(
        f"the solver uses {what}",
        (fix,) if _REFUSED_CREDENTIALS.search(message) else (),
        (quote(challenge, f"{path}.name", "the Secret that the solver authenticates with"),),
        (look,) if namespace else (),
    )


def _references(part: Mapping[str, Any], path: str) -> Iterator[tuple[str, str, str]]:
    """The references to Secrets: their path, the name and the key."""
    for field, value in part.items():
        if not isinstance(value, dict):
            continue
        name, key = value.get("name"), value.get("key")
        if _REFERENCE.search(field) and isinstance(name, str) and name:
            yield f"{path}.{field}", name, key if isinstance(key, str) else ""
        else:
            yield from _references(value, f"{path}.{field}")


def _namespace(challenge: CustomResource, cluster: Cluster) -> str:
    """Of a ClusterIssuer the Secrets are in the namespace of cert-manager; empty where that is not seen."""
    issuer = _member(challenge.spec or {}, "issuerRef")
    if issuer.get("kind") != "ClusterIssuer":
        return challenge.namespace
    found = operator_pod(challenge, cluster)
    return found.workload.namespace if found is not None else ""


def is_presenting(challenge: CustomResource) -> bool:
    """The record of a DNS-01 challenge is not written yet: what the challenge states is the DNS provider's answer
    (`pkg/controller/acmechallenges/sync.go`, v1.16)."""
    status = challenge.status or {}
    dns = _member(_member(challenge.spec or {}, "solver"), "dns01")
    return bool(dns) and status.get("presented") is False and status.get("state") == "pending"


def _member(part: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = part.get(name)
    return value if isinstance(value, dict) else {}
