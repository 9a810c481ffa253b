"""What a claim requests, as evidence."""

from __future__ import annotations

from kubedoctor.cluster import Evidence, PersistentVolumeClaim, has_path, quote, ref
from kubedoctor.findings import Confidence, Finding, Fix
from kubedoctor.replay.storage.matching import CLASS_ANNOTATION


def finding(claim: PersistentVolumeClaim, summary: str, evidence: tuple[Evidence, ...], *fixes: Fix) -> Finding:
    """A finding that Kubernetes itself states about a claim."""
    return Finding(about=ref(claim), summary=summary, evidence=evidence, confidence=Confidence.CERTAIN, fixes=fixes)


def requested(claim: PersistentVolumeClaim) -> tuple[Evidence, ...]:
    """What the claim requests."""
    paths = {
        f"metadata.annotations[{CLASS_ANNOTATION}]": "class that the claim requests",
        "spec.storageClassName": "class that the claim requests",
        "spec.resources.requests[storage]": "size that the claim requests",
        "spec.accessModes": "",
        "status.phase": "",
    }
    quoted = tuple(quote(claim, path, shows) for path, shows in paths.items() if has_path(claim, path))
    return quoted or (quote(claim, "metadata.name", "requests no class, size or access mode"),)
