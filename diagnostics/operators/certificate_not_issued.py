"""Certificate is not issued or not renewed.

## What it means
cert-manager cannot get a certificate: its Secret is missing, or it keeps the last one until that expires. Servers that
mount the Secret do not start; an ingress controller serves its own default certificate.

cert-manager works along a chain: Certificate → CertificateRequest → (for ACME) Order → Challenge. The last of the chain
has the cause.

## Why it happens
- HTTP-01: the issuer cannot fetch the challenge: the name does not lead to this cluster, port 80 is closed, or the ingress
  class of the solver has no controller.
- DNS-01: the credentials may not change the zone, or the record has not spread yet.
- The issuer is missing, is not ready, or its Secret is missing. An `issuerRef` without `kind` means an Issuer of the same
  namespace, not a ClusterIssuer.
- The issuer limits the rate: too many certificates for the same names.
- An approval policy refuses the request.
- Two Certificates use one Secret.

## How to fix it
1. Read the message of the last object of the chain.
2. HTTP-01: request `http://NAME/.well-known/acme-challenge/test` from outside; a 404 of your ingress controller is right,
   anything else shows who answers. Set the solver's `ingressClassName` to a class that exists.
3. After a failure cert-manager waits, longer each time. `cmctl renew NAME` tries again at once.

## References
- https://cert-manager.io/docs/troubleshooting/acme/
- https://cert-manager.io/docs/troubleshooting/
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any, Final, NamedTuple

import msgspec

from diagnostics.operators._issuers import CLUSTER_ISSUER, ISSUER, meant_issuer
from diagnostics.operators._solvers import is_presenting, solver_credentials
from kubedoctor.answers.operators import operator_view, operator_words
from kubedoctor.answers.statements import Meaning, quoted, said, stated_finding, troubled_references, troubles_of
from kubedoctor.cluster import (
    OPERATOR_KINDS,
    Cluster,
    CustomResource,
    Event,
    Evidence,
    IngressClass,
    Ref,
    has_path,
    human_duration,
    listed,
    made_for,
    quote,
    ref,
)
from kubedoctor.findings import Command, Confidence, Finding, Fix, Severity, diagnostic
from kubedoctor.replay.messages.classes import MessageClass
from kubedoctor.replay.status.messages import StatedTrouble

PATIENCE: Final = timedelta(minutes=5)
"""cert-manager's own approver, and policies, decide within seconds."""
_C = MessageClass
_MEANINGS: Final = {
    _C.CERTIFICATE_CHALLENGE_UNREACHABLE: Meaning("the challenge cannot be reached", "Let the DNS name lead to this cluster and let the issuer reach the challenge: DNS record, load balancer, firewall"),
    _C.CERTIFICATE_CHALLENGE_WRONG_RESPONSE: Meaning("the challenge gets a wrong answer", "Let the ingress controller that serves the DNS name serve the solver's Ingress too"),
    _C.CERTIFICATE_DNS_PROVIDER: Meaning("the DNS provider does not accept the record of the challenge", "Let the credentials of the solver change the zone, or correct the zone"),
    _C.CERTIFICATE_RATE_LIMITED: Meaning("the issuer limits the rate", "Wait until the time that the message names; try with the issuer's staging server first"),
    _C.CERTIFICATE_ISSUER: Meaning("the issuer cannot be used", "Create or repair the issuer that the message names"),
    _C.CERTIFICATE_KEY_MISSING: Meaning("a Secret of the issuer cannot be used", "Create the Secret that the message names: for a ClusterIssuer in the namespace of cert-manager"),
    _C.CERTIFICATE_REFUSED: Meaning("the issuer refuses the request", "Change the request, or the policy that refuses it"),
    _C.CERTIFICATE_MISMATCH: Meaning("its Secret does not match", "Give each Certificate a secretName of its own"),
    _C.CERTIFICATE_NOT_RENEWED: Meaning("it is not issued or renewed", "Read the messages of the newest CertificateRequest and Order"),
}  # fmt: skip
_CHAIN: Final = (
    ("CertificateRequest", "cert-manager.io"),
    ("Order", "acme.cert-manager.io"),
    ("Challenge", "acme.cert-manager.io"),
)
_LED: Final = {"CertificateRequest": "Certificate", "Order": "CertificateRequest", "Challenge": "Order"}


class _Link(NamedTuple):
    """An object of the chain with the trouble that it states."""

    obj: CustomResource
    troubles: tuple[StatedTrouble, ...]


@diagnostic(
    code="KD7101",
    subject="Certificate.cert-manager.io",
    also_subjects=(
        "CertificateRequest.cert-manager.io",
        "Order.acme.cert-manager.io",
        "Challenge.acme.cert-manager.io",
        ISSUER,
        CLUSTER_ISSUER,
    ),
    severity=Severity.WARNING,
    reads=(
        Event,
        IngressClass,
        ISSUER,
        CLUSTER_ISSUER,
        "CertificateRequestPolicy.policy.cert-manager.io",
        *OPERATOR_KINDS,
    ),
    symptoms=("DoesNotExist", "Issuing", "PresentError", "rateLimited", "x509: certificate has expired"),
)
def certificate_not_issued(obj: CustomResource, cluster: Cluster) -> Iterator[Finding]:
    if obj.metadata.deletion_timestamp is not None or _leader(obj, cluster) is not None:
        return  # The first of the chain speaks for all of it.
    links = list(_chain(obj, cluster))
    chain = [link for link in links if link.troubles]
    if not chain:
        yield from _unapproved(obj, links, cluster)
        return
    last = chain[-1]
    finding = stated_finding(last.obj, last.troubles, _MEANINGS, cluster, ask_operator=True)
    evidence = tuple(fact for link in chain[:-1] for fact in quoted(link.obj, link.troubles[0]))
    blamed = tuple(name for link in chain for name in troubled_references(link.obj, cluster))
    place = "" if last.obj is obj else f"{last.obj.kind} {last.obj.name}: "
    finding = msgspec.structs.replace(
        finding,
        about=ref(obj),
        summary=f"{place}{finding.summary}",
        evidence=tuple(dict.fromkeys((*finding.evidence, *evidence))),
        affects=tuple(ref(link.obj) for link in links[1:]),
        because_of=tuple(dict.fromkeys((*finding.because_of, *blamed))),
    )
    finding = _with_issuer(_with_class(finding, last, cluster), last, cluster)
    yield _with_credentials(finding, last, cluster)


def _with_credentials(finding: Finding, last: _Link, cluster: Cluster) -> Finding:
    """With the Secret that the solver of a DNS-01 challenge authenticates with, where the DNS provider refuses."""
    trouble = last.troubles[0]
    if trouble.reading.message_class is not _C.CERTIFICATE_DNS_PROVIDER:
        return finding
    used = solver_credentials(last.obj, trouble.reading.deciding, cluster)
    if used is None:
        return finding
    return msgspec.structs.replace(
        finding,
        summary=f"{finding.summary}; {used.words}",
        fixes=used.fixes or finding.fixes,
        evidence=(*finding.evidence, *used.evidence),
        commands=(*finding.commands, *used.commands),
    )


def _with_issuer(finding: Finding, last: _Link, cluster: Cluster) -> Finding:
    """With the issuer that is meant, where the one that is named does not exist."""
    if last.troubles[0].reading.message_class is not _C.CERTIFICATE_ISSUER:
        return finding
    meant = meant_issuer(last.obj, cluster)
    if meant is None:
        return finding
    return msgspec.structs.replace(
        finding,
        summary=finding.summary + meant.words,
        fixes=meant.fixes,
        evidence=(*finding.evidence, *meant.evidence),
    )


def _unapproved(obj: CustomResource, links: list[_Link], cluster: Cluster) -> Iterator[Finding]:
    """The newest CertificateRequest of the chain that waits for an approver; nothing else states it."""
    request = next((link.obj for link in links if link.obj.kind == "CertificateRequest"), None)
    since = request.metadata.creation_timestamp if request is not None else None
    if request is None or since is None or cluster.taken_at - since < PATIENCE or _decided(request):
        return
    view = operator_view(obj, cluster)
    policies = cluster.maybe.custom("CertificateRequestPolicy", "policy.cert-manager.io")
    answer = [event for event in cluster.events_about(ref(request)) if event.reason == "Unprocessed" and event.message]
    words = f": {answer[-1].message}" if answer else ""
    waits = f"CertificateRequest {request.name} has been neither approved nor denied for {human_duration(cluster.taken_at - since)}"
    by_policy = (
        "Create a CertificateRequestPolicy whose selector and allowed values match the request, and let the request's"
        " user (cert-manager's ServiceAccount) `use` it by RBAC"
    )
    by_hand = "Approve it with `cmctl approve`, or let cert-manager approve by itself (remove disableAutoApproval)"
    yield Finding(
        about=ref(obj),
        summary=f"{waits}{words}{operator_words(view) if view is not None and view.unready else ''}",
        confidence=Confidence.CERTAIN,
        evidence=(
            quote(request, "metadata.creationTimestamp", "no condition Approved or Denied since"),
            *(quote(event, "message", event.reason) for event in answer[-1:]),
            *(quote(policy, "spec", "a policy of the cluster") for policy in policies[:2] if has_path(policy, "spec")),
            *(view.evidence if view is not None and view.unready else ()),
        ),
        fixes=(Fix(by_policy if policies or answer else by_hand),),
        commands=(
            Command(ref(request).describe_command, "its conditions and events"),
            *((Command("kubectl get certificaterequestpolicies", "the policies"),) if policies or answer else ()),
        ),
        affects=tuple(ref(link.obj) for link in links[1:]),
        because_of=(view.workload,) if view is not None and view.unready else (),
    )


def _decided(request: CustomResource) -> bool:
    status = request.status or {}
    rows = status.get("conditions") if isinstance(status, dict) else None
    return any(row.get("type") in ("Approved", "Denied", "Ready") for row in rows or () if isinstance(row, dict))


def _leader(obj: CustomResource, cluster: Cluster) -> Ref | None:
    """The object of the chain that this one was made for, if it is there."""
    kind = _LED.get(obj.kind)
    for owner in obj.metadata.owner_references or ():
        name = Ref(f"{kind}.{owner.api_version.rpartition('/')[0]}", obj.metadata.namespace, owner.name)
        if owner.kind == kind and "/" in owner.api_version and cluster.maybe.get_ref(name) is not None:
            return name
    return None


def _chain(obj: CustomResource, cluster: Cluster) -> Iterator[_Link]:
    """The object, and of what was made for it the newest of each kind; of Challenges one that states trouble."""
    yield _Link(obj, _known(obj, cluster))
    kinds = [kind for kind, _ in _CHAIN]
    start = kinds.index(obj.kind) + 1 if obj.kind in kinds else 0 if obj.kind == "Certificate" else len(kinds)
    owner = obj
    for kind, group in _CHAIN[start:]:
        made = made_for(owner, cluster.maybe.custom(kind, group, obj.metadata.namespace))
        if not made:
            return
        links = [_Link(member, _known(member, cluster)) for member in (made if kind == "Challenge" else made[:1])]
        link = next((link for link in links if link.troubles), links[0])
        yield link
        owner = link.obj


def _known(obj: CustomResource, cluster: Cluster) -> tuple[StatedTrouble, ...]:
    known = tuple(trouble for trouble in troubles_of(obj, cluster) if trouble.reading.message_class in _MEANINGS)
    if obj.kind != "Challenge" or not is_presenting(obj):
        return known
    return tuple(_of_the_dns_provider(trouble) for trouble in known)


def _of_the_dns_provider(trouble: StatedTrouble) -> StatedTrouble:
    reading = trouble.reading
    if reading.message_class is not _C.CERTIFICATE_NOT_RENEWED or not reading.deciding:
        return trouble
    reading = msgspec.structs.replace(reading, message_class=_C.CERTIFICATE_DNS_PROVIDER)
    return msgspec.structs.replace(trouble, reading=reading)


def _with_class(finding: Finding, last: _Link, cluster: Cluster) -> Finding:
    """With the ingress class that the solver of an HTTP-01 challenge names, if there is no such class."""
    named = _solver_class(last.obj)
    if named is None:
        return finding
    path, name = named
    classes = [row.name for row in cluster.maybe.all(IngressClass)]
    if not classes or name in classes:
        return finding
    there = listed(classes, 5)
    evidence: tuple[Evidence, ...] = (quote(last.obj, path, "ingress class of the solver"),)
    return msgspec.structs.replace(
        finding,
        summary=f"{last.obj.kind} {last.obj.name}: the solver's Ingress has class {name}, and there is no IngressClass"
        f" {name}, only {there}{said(last.troubles[0])}",
        evidence=(*finding.evidence, *evidence),
        confidence=Confidence.LIKELY,
        fixes=(
            Fix(
                f"Set ingressClassName of the issuer's HTTP-01 solver to {classes[0]}"
                if len(classes) == 1
                else "Set ingressClassName of the issuer's HTTP-01 solver to the class that serves the DNS name"
            ),
        ),
    )


def _solver_class(challenge: CustomResource) -> tuple[str, str] | None:
    spec: Any = challenge.spec or {}
    for step in ("solver", "http01", "ingress"):
        spec = spec.get(step) if isinstance(spec, dict) else None
    for field in ("ingressClassName", "class"):
        name = spec.get(field) if isinstance(spec, dict) else None
        if isinstance(name, str) and name:
            return f"spec.solver.http01.ingress.{field}", name
    return None
