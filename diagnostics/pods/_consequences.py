"""What follows from a container that does not run."""

from __future__ import annotations

from kubedoctor.findings import Explains

CONSEQUENCES = (Explains("same", ("KD1012", "KD1201", "KD1204", "KD1215")), Explains("selects", ("KD2001", "KD2005")))
"""What a container that does not run causes: it is not ready, its rollout is stuck, its Service has no endpoints."""
