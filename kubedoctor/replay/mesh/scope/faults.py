"""Which share of the requests of a rule a fault is for (Istio, `pilot/pkg/networking/core/route/route.go`, TranslateFault, 1.27)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kubedoctor.replay.mesh.config import part


def fault_share(fault: Mapping[str, Any]) -> float:
    """In percent, of an `abort` or a `delay`. Without a percentage it is for no request; `percent` is its older name."""
    share = part(fault, "percentage").get("value", 0) if "percentage" in fault else fault.get("percent", 0)
    return float(share) if isinstance(share, int | float) and not isinstance(share, bool) else 0.0
