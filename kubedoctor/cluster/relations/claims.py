"""Claims and the pods that mount them."""

from __future__ import annotations

from collections.abc import Iterator

from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.cluster.kinds.storage import PersistentVolumeClaim
from kubedoctor.cluster.seen.reading import Cluster
from kubedoctor.cluster.triage import finished


def claim_names(pod: Pod) -> Iterator[str]:
    """The names of the claims that a pod mounts, those of its generic ephemeral volumes included."""
    names = (volume.claim_of(pod.name) for volume in pod.spec.volumes or ())
    return (name for name in names if name is not None)


def pods_mounting(claim: PersistentVolumeClaim, cluster: Cluster) -> tuple[Pod, ...]:
    """The pods that mount a claim and are not finished."""
    return tuple(pod for pod in cluster.all(Pod, claim.namespace) if mounts(pod, claim))


def mounts(pod: Pod, claim: PersistentVolumeClaim) -> bool:
    """Whether a pod of the claim's namespace mounts it and is not finished."""
    return not finished(pod) and claim.name in claim_names(pod)
