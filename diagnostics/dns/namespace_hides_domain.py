"""Namespace hides domains of the internet.

## What it means
Pods complete a name with few dots from their search list before they ask for the name itself. In a cluster with a namespace
`com` the name `example.com` leads to Service `example` of that namespace, for every pod: programs that mean the domain talk
to the Service, and may send it their credentials.

## Why it happens
- The namespace has the name of a top-level domain, and a Service there has the name of a domain below it.

## How to fix it
Give the namespace another name. Until then write names of the internet with a final dot (`example.com.`), or lower `ndots` in
`dnsConfig` to 1.

## References
- https://kubernetes.io/docs/concepts/services-networking/dns-pod-service/
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from kubedoctor.cluster import Cluster, Namespace, Service, listed
from kubedoctor.findings import Command, Confidence, Finding, Fix, Severity, diagnostic, kubectl, quote, ref

_DOMAINS: Final = frozenset({"com", "net", "org", "edu", "gov", "mil", "io"})
"""Those below which most hosts of programs are; `dev` or `app` are words that a namespace has by intent."""
_SHOWN: Final = 3


def _is_a_domain(namespace: Namespace) -> bool:
    return namespace.name in _DOMAINS and namespace.metadata.deletion_timestamp is None


@diagnostic(
    code="KD2104",
    subject=Namespace,
    severity=Severity.NOTICE,
    reads=(Namespace, Service),
    when=_is_a_domain,
    symptoms=("ndots", "wrong certificate", "x509: certificate is valid for"),
)
def namespace_hides_domain(namespace: Namespace, cluster: Cluster) -> Iterator[Finding]:
    services = cluster.all(Service, namespace.name)
    if not services:
        return
    names = [f"{service.name}.{namespace.name}" for service in services]
    verb = "leads to its Service" if len(names) == 1 else "lead to its Services"
    yield Finding(
        about=ref(namespace),
        summary=f"it has the name of a top-level domain: {listed(names, _SHOWN)} {verb} in every pod, not to the internet",
        evidence=(
            quote(namespace, "metadata.name", "pods try names of Services first (search list, ndots)"),
            quote(services[0], "metadata.name", f"answers for {names[0]}"),
        ),
        confidence=Confidence.LIKELY,
        would_disprove="no program means a host of the internet by these names",
        fixes=(Fix(f"Use another namespace, or write such hosts with a final dot ({names[0]}.)"),),
        commands=(Command(kubectl("get", "services", namespace=namespace.name), "the names that it hides"),),
    )
