"""License has expired.

## What it means

The License's `spec.expires` is in the past. Programs that need it end when they start.

## Why it happens

Licenses run for a year; this one was not renewed.

## How to fix it

Order a new license, and write its date into `spec.expires`.

## References

- https://acme.example/docs/licenses
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from kubedoctor.cluster import Cluster, CustomResource, Pod, quote, ref
from kubedoctor.findings import Confidence, Explains, Finding, Fix, Severity, diagnostic, edit_command

from .relations import KIND, LABEL


@diagnostic(
    code="AC1001",
    subject=KIND,
    severity=Severity.CRITICAL,
    reads=(Pod,),
    explains=(Explains("licenses", ("KD1003",)),),
)
def expired(license_: CustomResource, cluster: Cluster) -> Iterator[Finding]:
    expires = (license_.spec or {}).get("expires")
    if not isinstance(expires, str) or datetime.fromisoformat(expires) > cluster.taken_at:
        return
    pods = cluster.maybe.all(Pod, license_.namespace)
    yield Finding(
        about=ref(license_),
        summary=f"{ref(license_).title} expired on {expires[:10]}",
        evidence=(quote(license_, "spec.expires"),),
        confidence=Confidence.CERTAIN,
        affects=tuple(ref(pod) for pod in pods if pod.labels.get(LABEL) == license_.name),
        fixes=(Fix("Renew the license", edit_command(ref(license_))),),
    )
