"""What a workload made and no longer owns."""

from __future__ import annotations

from typing import Final

from kubedoctor.cluster.kinds.apps import ReplicaSet
from kubedoctor.cluster.kinds.meta import KubernetesObject
from kubedoctor.cluster.kinds.pods import Pod

MADE: Final = ("pod-template-hash", "controller-revision-hash")
"""Labels that only controllers give."""


def left_behind(obj: KubernetesObject) -> bool:
    """A controller made it, nothing owns it, and it runs pods or is one."""
    if obj.metadata.owner_references or obj.metadata.deletion_timestamp is not None:
        return False
    runs = (
        obj.status.phase == "Running"
        if isinstance(obj, Pod)
        else isinstance(obj, ReplicaSet) and obj.status.replicas > 0
    )
    return runs and any(label in obj.labels for label in MADE)
