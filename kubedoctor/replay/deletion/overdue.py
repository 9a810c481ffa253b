"""When a deletion should be over."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

from kubedoctor.cluster.kinds.meta import KubernetesObject, ObjectMeta

SOON: Final = timedelta(minutes=1)
"""The time that controllers need to notice a deletion and to remove their finalizers."""
SLOW: Final[Mapping[str, timedelta]] = {
    "service.kubernetes.io/load-balancer-cleanup": timedelta(minutes=10),
    "karpenter.sh/termination": timedelta(hours=1),
}
"""Finalizers whose work outside the cluster, or drain, ordinarily takes longer."""


def deletion_started(metadata: ObjectMeta) -> datetime | None:
    """When the deletion was requested: a deletionTimestamp is the moment when the grace period ends
    (`apimachinery/pkg/apis/meta/v1`, v1.37)."""
    if metadata.deletion_timestamp is None:
        return None
    return metadata.deletion_timestamp - timedelta(seconds=metadata.deletion_grace_period_seconds or 0)


def overdue(obj: KubernetesObject, now: datetime) -> timedelta:
    """How long ago the grace period ended; negative while it lasts, and for an object that is not being deleted."""
    due = obj.metadata.deletion_timestamp
    return now - due if due is not None else timedelta(-1)


def patience(obj: KubernetesObject) -> timedelta:
    """How long after its grace period the object may ordinarily stay, by its finalizers."""
    return max((SOON, *(SLOW.get(name, SOON) for name in obj.metadata.finalizers or ())))
