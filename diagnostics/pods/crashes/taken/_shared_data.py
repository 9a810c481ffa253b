"""Data that another pod has locked, because both mount the same claim."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from diagnostics.pods.crashes._story import Story
from kubedoctor.answers.rollouts.strategy import recreate_fix
from kubedoctor.cluster import Cluster, Deployment, Pod, finished, ref, workload_of
from kubedoctor.findings import Fix, Ref, quote

_LOCKED: Final = re.compile(
    r"unable to lock|cannot lock|can't lock|could not lock|temporarily unavailable|directory lock|node locks?\b|lock held"
    r"|lock the (?:lock )?file|\bDBPathInUse\b|already (?:in use|locked|running)|\blocked by\b|another (?:\w+ )?(?:process|instance)"
    r"|database is locked|DB directory: |\block file\b|holds? the lock",
    re.IGNORECASE,
)


def held_by_another_pod(pod: Pod, container: str, message: str, about: Ref, cluster: Cluster) -> Story | None:
    """Where a running pod mounts a claim that the container writes to. message: of the log, which says that data are locked."""
    if not _LOCKED.search(message):
        return None
    for claim, path in _written(pod, container):
        for other in cluster.maybe.all(Pod, pod.namespace):
            if ref(other) != ref(pod) and not finished(other) and _runs_with(other, claim):
                return _story(pod, other, claim, path, message, about, cluster)
    return None


def _story(pod: Pod, other: Pod, claim: str, path: str, message: str, about: Ref, cluster: Cluster) -> Story:
    owner = workload_of(other, cluster)
    of_owner = "" if owner in (None, about) else f" of {owner.title}"
    text = f"its data are locked: {message}; pod {other.name}{of_owner} runs with the same volume (claim {claim})"
    evidence = (
        quote(pod, path, "the claim of its volume"),
        quote(other, dict(_claims(other))[claim], "a pod that runs with the same claim"),
    )
    workload = cluster.maybe.get_ref(about)
    if owner == about and isinstance(workload, Deployment) and workload.spec.desired_replicas <= 1:
        return Story(text, evidence=evidence, fixes=(recreate_fix(workload),))
    return Story(
        text, evidence=evidence, fixes=(Fix(f"Give each pod a claim of its own, or run only one with {claim}"),)
    )


def _claims(pod: Pod) -> Iterator[tuple[str, str]]:
    """Each claim of a pod, with the path of its name."""
    for index, volume in enumerate(pod.spec.volumes or ()):
        if volume.persistent_volume_claim is not None:
            yield volume.persistent_volume_claim.claim_name, f"spec.volumes[{index}].persistentVolumeClaim.claimName"


def _written(pod: Pod, container: str) -> Iterator[tuple[str, str]]:
    """The claims that a container may write to."""
    containers = (*(pod.spec.init_containers or ()), *pod.spec.containers)
    mine = next((one for one in containers if one.name == container), None)
    mounted = {mount.name for mount in (mine.volume_mounts if mine is not None else ()) or () if not mount.read_only}
    names = {
        volume.persistent_volume_claim.claim_name
        for volume in pod.spec.volumes or ()
        if volume.persistent_volume_claim is not None and volume.name in mounted
    }
    return (row for row in _claims(pod) if row[0] in names)


def _runs_with(pod: Pod, claim: str) -> bool:
    running = any(status.state and status.state.running for status in pod.status.container_statuses or ())
    return running and claim in dict(_claims(pod))
