"""The kinds that metrics-server provides: a cluster without it still counts as complete."""

from __future__ import annotations

from kubedoctor.cluster.kinds.resources import kind_named

NO_METRICS = "metrics-server is not installed"
_GROUP = "metrics.k8s.io"


def is_metrics(kind: str) -> bool:
    """Whether metrics-server provides this kind."""
    row = kind_named(kind)
    return row is not None and row.group == _GROUP
