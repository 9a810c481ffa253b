"""Cluster does not serve the kind or version of the manifest.

## What it means
`no matches for kind`: the API server has no such kind in this version. Nothing of the object is created.

## Why it happens
- The version was removed: `extensions/v1beta1` and `apps/v1beta1` in 1.16, `networking.k8s.io/v1beta1` in 1.22,
  `policy/v1beta1` and `batch/v1beta1` in 1.25, `autoscaling/v2beta2` in 1.26.
- The kind belongs to an extension that is not installed, or its CustomResourceDefinition does not serve this version.
- The name of the kind or of its group is misspelled.

## How to fix it
1. Use the version that the cluster serves: `kubectl api-resources` lists them. Between versions fields were renamed too, for
   example the backend of an Ingress: `kubectl explain ingress.spec` shows them.
2. Install the extension first, with its CustomResourceDefinitions.

## References
- https://kubernetes.io/docs/reference/using-api/deprecation-guide/
- https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/
"""

from __future__ import annotations

from collections.abc import Iterator

from diagnostics.manifests._words import NOT_SERVED, at, is_manifest_refused, refusals
from kubedoctor.cluster import Cluster, Manifest, quote
from kubedoctor.findings import Command, Confidence, Finding, Fix, Severity, diagnostic


@diagnostic(
    code="KD5303",
    subject=Manifest,
    severity=Severity.CRITICAL,
    reads=(),
    when=is_manifest_refused,
    symptoms=("no matches for kind", "ensure CRDs are installed first"),
)
def kind_not_served(manifest: Manifest, _: Cluster) -> Iterator[Finding]:
    for place, refusal in refusals(manifest, NOT_SERVED):
        is_version = "/" in refusal.nearest or refusal.nearest.startswith("v")
        use = f"Use apiVersion: {refusal.nearest}" if is_version else f"Use kind: {refusal.nearest}"
        install = "Install the extension that defines it, with its CustomResourceDefinitions"
        yield Finding(
            about=manifest.subject,
            summary=refusal.text,
            evidence=(quote(manifest, f"refusals[{place}].text", "what the API server answers"),),
            confidence=Confidence.CERTAIN,
            fixes=(Fix(use if refusal.nearest else install),),
            commands=(Command("kubectl api-resources", "the kinds and versions that the cluster serves"),),
            aspect=at(refusal),
        )
