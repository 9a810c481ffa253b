"""Parts of a pod that several filters read."""

from __future__ import annotations

from kubedoctor.cluster.kinds.affinity import Affinity, Toleration
from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.cluster.kinds.volumes import DISKS, Volume


def labels(pod: Pod) -> object:
    """The labels, with the namespace."""
    return pod.namespace, pod.metadata.labels or {}


def node_selector(pod: Pod) -> dict[str, str] | None:
    return pod.spec.node_selector


def affinity(pod: Pod) -> Affinity | None:
    """The affinity to nodes and to pods."""
    return pod.spec.affinity


def tolerations(pod: Pod) -> tuple[Toleration, ...] | None:
    return pod.spec.tolerations


def volumes(pod: Pod) -> object:
    """Claims and disks. A pod with generic ephemeral volumes is unique."""
    all_volumes = pod.spec.volumes or ()
    own = any(volume.ephemeral is not None for volume in all_volumes)
    parts = [part for volume in all_volumes if (part := _volume(volume))]
    return parts, (pod.name, pod.metadata.uid) if own else None


def _volume(volume: Volume) -> tuple[object, ...]:
    """Empty for volumes that no filter reads."""
    if volume.persistent_volume_claim is not None:
        return ("claim", volume.persistent_volume_claim.claim_name)
    if volume.ephemeral is not None:
        return ("ephemeral", volume.name)
    return tuple((name, source) for name in DISKS if (source := getattr(volume, name)) is not None)
