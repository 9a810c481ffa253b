"""The kinds that metrics-server gives: a cluster without it is whole all the same."""

from __future__ import annotations

from kubedoctor.cluster.kinds.resources import kind_named

NO_METRICS = "metrics-server is not installed"
_GROUP = "metrics.k8s.io"


def is_metrics(kind: str) -> bool:
    """Whether metrics-server gives this kind."""
    row = kind_named(kind)
    return row is not None and row.group == _GROUP
