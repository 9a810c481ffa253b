"""Manifest uses a version of an API that a later release removes.

## What it means
The cluster still takes the object. After an upgrade to the named release it answers `no matches for kind`, and a pipeline that
applies this file fails.

## Why it happens
- The file is older than the version that replaced it.
- A chart supports old clusters, and does not know which release this one has.

## How to fix it
1. Change `apiVersion` to the version of today, and the fields that were renamed with it.
2. Update the chart, or tell it the release of the cluster (`helm template --kube-version`).

## References
- https://kubernetes.io/docs/reference/using-api/deprecation-guide/
- https://kubernetes.io/docs/reference/using-api/deprecation-policy/
"""

from __future__ import annotations

from collections.abc import Iterator

from kubedoctor.cluster import Cluster, Manifest, quote
from kubedoctor.findings import Confidence, Finding, Fix, Severity, diagnostic


def is_deprecated(manifest: Manifest) -> bool:
    """A later release does not serve its version."""
    return manifest.deprecated is not None


@diagnostic(
    code="KD5304",
    subject=Manifest,
    severity=Severity.WARNING,
    reads=(),
    when=is_deprecated,
    symptoms=("is deprecated in", "unavailable in"),
)
def version_deprecated(manifest: Manifest, _: Cluster) -> Iterator[Finding]:
    old = manifest.deprecated
    assert old is not None  # by `when`
    instead = f"Use apiVersion: {old.instead}" if old.instead else "Remove it: no version replaces it"
    yield Finding(
        about=manifest.subject,
        summary=f"{old.api_version} is deprecated: Kubernetes {old.removed_in} does not serve it",
        evidence=(quote(manifest, "deprecated.apiVersion", "the version in the file"),),
        confidence=Confidence.CERTAIN,
        fixes=(Fix(instead),),
        aspect="@apiVersion",
    )
