"""Manifest has a field that its kind does not know.

## What it means
The name of the field is misspelled, or stands at the wrong level. `kubectl` refuses the file (`strict decoding error: unknown
field`); Helm, Terraform and older clients drop the field without a word, so that what it says never takes effect.

## Why it happens
- Upper and lower case: `imagepullpolicy`, `livenessprobe`; singular and plural: `env` and `envs`, `port` and `ports`.
- Indentation: `resources` beside the container instead of in it, `labels` in `spec` instead of in `metadata`.
- A newer release of Kubernetes has the field, and this one does not.

## How to fix it
1. Correct the name, or move the field to where it belongs: `kubectl explain pod.spec.containers` lists the fields.
2. Remove it where it was never meant to be.

## References
- https://kubernetes.io/docs/reference/using-api/api-concepts/#field-validation
- https://kubernetes.io/docs/reference/kubectl/generated/kubectl_explain/
"""

from __future__ import annotations

from collections.abc import Iterator

from diagnostics.manifests._words import UNKNOWN, at, is_manifest_refused, refusals
from kubedoctor.cluster import Cluster, Manifest, quote
from kubedoctor.findings import Confidence, Finding, Fix, Severity, diagnostic


@diagnostic(
    code="KD5302",
    subject=Manifest,
    severity=Severity.CRITICAL,
    reads=(),
    when=is_manifest_refused,
    symptoms=("unknown field", "strict decoding error"),
)
def unknown_field(manifest: Manifest, _: Cluster) -> Iterator[Finding]:
    for place, refusal in refusals(manifest, UNKNOWN):
        meant = f"; did you mean {refusal.nearest}?" if refusal.nearest else ""
        fixes = (Fix(f"Rename it to {refusal.nearest}"),) if refusal.nearest else ()
        yield Finding(
            about=manifest.subject,
            summary=f"{refusal.text}{meant}",
            evidence=(quote(manifest, f"refusals[{place}].text", "what strict decoding answers"),),
            confidence=Confidence.CERTAIN,
            fixes=fixes,
            aspect=at(refusal),
        )
