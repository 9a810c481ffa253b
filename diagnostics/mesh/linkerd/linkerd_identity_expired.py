"""Linkerd: issuer or trust anchor certificate has expired.

## What it means
Linkerd's identity controller signs a certificate for each proxy with its issuer. The issuer, or the trust anchor above it, is no longer
valid: new proxies get no identity and never become ready, and running ones lose theirs within a day.

## Why it happens
- The issuer was made at installation with a life of one year and was never rotated.
- cert-manager renewed the Secret, and the controller did not read it, or the Certificate is not renewed any more.
- The trust anchor was replaced without the issuer, or the other way round.

## How to fix it
1. Renew the issuer: the Secret `linkerd-identity-issuer`, signed by the trust anchor; and the anchor itself if it has expired.
2. Restart `linkerd-identity`, then the workloads of the mesh whose proxies have no certificate.

## References
- https://linkerd.io/2/tasks/replacing_expired_certificates/
- https://linkerd.io/2/tasks/automatically-rotating-control-plane-tls-credentials/
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from kubedoctor.cluster import WORKLOADS, Cluster, LogTail, Pod, Secret, not_ready, workload_of
from kubedoctor.findings import (
    Command,
    Confidence,
    Explains,
    Finding,
    Fix,
    Severity,
    diagnostic,
    kubectl,
    quote,
    quote_line,
    ref,
    restart,
)
from kubedoctor.replay.mesh.linkerd.identity import ISSUER, expired_line
from kubedoctor.replay.mesh.linkerd.proxies import PROXY, signs_identities


@diagnostic(
    code="KD6101",
    subject=Pod,
    severity=Severity.CRITICAL,
    reads=(Pod, Secret, *WORKLOADS),
    when=signs_identities,
    explains=(Explains("affects", ("KD1012", "KD1003", "KD1201")),),
    symptoms=("issuer cert expired", "Failed to obtain identity", "linkerd-identity-issuer"),
)
def linkerd_identity_expired(pod: Pod, cluster: Cluster) -> Iterator[Finding]:
    found = _said(pod, cluster)
    if found is None:
        return
    tail, line = found
    waiting = [
        other
        for other in cluster.maybe.all(Pod)
        if not_ready(other) and any(container.name == PROXY for container in other.spec.containers)
    ]
    secret = cluster.maybe.get(Secret, pod.namespace, ISSUER)
    about = ref(secret) if secret is not None else workload_of(pod, cluster)
    identity = workload_of(pod, cluster)
    yield Finding(
        about=about,
        summary="Linkerd's issuer certificate has expired, or its trust anchor has: new proxies get no identity and do not become ready",
        evidence=(
            quote_line(tail, line, "the identity controller refuses to sign"),
            *((quote(secret, "metadata.name", "the Secret of the issuer"),) if secret is not None else ()),
        ),
        confidence=Confidence.CERTAIN,
        affects=tuple(dict.fromkeys(name for other in waiting for name in (ref(other), workload_of(other, cluster)))),
        fixes=(
            Fix(f"Renew the issuer in Secret {pod.namespace}/{ISSUER}, signed by the trust anchor"),
            restart(identity, "Then restart the identity controller"),
        ),
        commands=(Command(kubectl("describe", "secret", ISSUER, namespace=pod.namespace), "who manages the issuer"),),
    )


def _said(pod: Pod, cluster: Cluster) -> tuple[LogTail, int] | None:
    logs = [partial(cluster.log_tail, pod, container.name) for container in pod.spec.containers]
    cluster.together(*logs)
    for tail in (log() for log in logs):
        if tail is not None and (index := expired_line(tail.lines)) is not None:
            return tail, index
    return None
