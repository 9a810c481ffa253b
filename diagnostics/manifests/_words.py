"""What the diagnostics of manifests share."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from kubedoctor.cluster import Manifest, ManifestRefusal

UNKNOWN = "unknown field"
NOT_SERVED = "not served"
TWICE = "in the files twice"
WARNED = "admission warning"
_EXAMPLES: Final = re.compile(r" \(e\.g\. .*?'\)")


def is_manifest_refused(manifest: Manifest) -> bool:
    """The API server refuses it."""
    return bool(manifest.refusals)


def refusals(manifest: Manifest, *faults: str, other: bool = False) -> Iterator[tuple[int, ManifestRefusal]]:
    """Those with one of the faults, with their position; with `other` those with none of them."""
    for place, refusal in enumerate(manifest.refusals or ()):
        if (refusal.fault in faults) != other:
            yield place, refusal


def at(refusal: ManifestRefusal) -> str:
    """What tells findings about one object apart, and where the fault stands."""
    return f"@{refusal.path}"


def shortened(text: str) -> str:
    """The API server's line without the examples and regular expressions of its rules."""
    return _EXAMPLES.sub("", text)
