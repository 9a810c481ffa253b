"""Whether a recording holds the status of its objects: some tools remove it."""

from __future__ import annotations

from typing import Final

from kubedoctor.cluster.seen.snapshot import Snapshot

_WITH_A_STATUS: Final = (
    *("Node", "Pod", "Namespace", "Deployment", "ReplicaSet", "StatefulSet", "DaemonSet", "Job", "Service"),
    *("PersistentVolume", "PersistentVolumeClaim"),
)


def statuses_were_recorded(snapshot: Snapshot) -> bool:
    """False where no object of a recording has a status: then its absence tells nothing. A live cluster has them."""
    if not snapshot.closed:
        return True
    for kind in _WITH_A_STATUS:
        for obj in snapshot.of_kind(kind):
            status = getattr(obj, "status", None)
            if status is not None and status != type(status)():
                return True
    return False
