"""The API server refuses the manifest.

## What it means
The object of the file would not be created or changed: the API server validates it first, and answers with the quoted line
(`kubectl apply` prints it, `kubectl apply --dry-run=server` too). What the API server only takes at its word, such as the name
of a ConfigMap, is another finding.

## Why it happens
- A field that is required is missing: a Deployment needs `selector` and `template`, a pod needs `containers`.
- A value has the wrong type: an environment variable must be text, so that `1` and `true` need quotes.
- Names have capitals, underscores, or too many characters; ports are above 65535; the selector does not match the labels of
  the template; a request is above its limit; a volumeMount names no volume.
- The file is no valid YAML: indentation, a tab, an unclosed bracket or quote; a template was not rendered.
- A quota, a LimitRange, Pod Security, a ValidatingAdmissionPolicy, or a missing namespace, ServiceAccount or PriorityClass refuses it.

## How to fix it
1. Go to the line: the path in the message starts at the top of the object.
2. `kubectl explain deployment.spec.template` lists the fields with their types.
3. Of a chart or a kustomization, correct the template or the values, not the output.

## References
- https://kubernetes.io/docs/reference/using-api/api-concepts/#field-validation
- https://kubernetes.io/docs/concepts/overview/working-with-objects/names/
"""

from __future__ import annotations

from collections.abc import Iterator

from diagnostics.manifests._words import (
    NOT_SERVED,
    TWICE,
    UNKNOWN,
    WARNED,
    at,
    is_manifest_refused,
    refusals,
    shortened,
)
from kubedoctor.cluster import Cluster, Manifest, quote
from kubedoctor.findings import Confidence, Finding, Fix, Severity, diagnostic


@diagnostic(
    code="KD5301",
    subject=Manifest,
    severity=Severity.CRITICAL,
    reads=(),
    when=is_manifest_refused,
    symptoms=(
        "Required value",
        "Invalid value",
        "Unsupported value",
        "is invalid",
        "error parsing",
        "strict decoding error",
    ),
)
def manifest_refused(manifest: Manifest, _: Cluster) -> Iterator[Finding]:
    for place, refusal in refusals(manifest, UNKNOWN, NOT_SERVED, other=True):
        fixes = (Fix(f"Use {refusal.nearest}"),) if refusal.nearest else ()
        yield Finding(
            about=manifest.subject,
            summary=f"cannot be read: {refusal.text}" if refusal.fault == "syntax" else shortened(refusal.text),
            evidence=(quote(manifest, f"refusals[{place}].text", "what the API server answers"),),
            confidence=Confidence.CERTAIN,
            severity=Severity.WARNING if refusal.fault in (TWICE, WARNED) else None,
            fixes=fixes,
            aspect=at(refusal),
        )
