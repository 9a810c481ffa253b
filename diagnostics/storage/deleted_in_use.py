"""PersistentVolumeClaim in use is being deleted.

## What it means
A user deleted the claim while a pod mounts it. Kubernetes protects it (finalizer `kubernetes.io/pvc-protection`) only
until the last such pod ends. Then the claim is gone; with reclaim policy Delete its volume and the data go with it, and
the pod's replacement stays Pending. A deletion cannot be undone.

## Why it happens
- The claim was deleted by name, by label or with a manifest (`kubectl delete -f`), although it was still needed.
- Claims of a StatefulSet that is scaled down are deleted too early.

## How to fix it
1. Before the pod ends: set the reclaim policy of the volume to Retain, and back up the data.
2. Then stop the workload, let the claim go, remove the volume's claimRef, and recreate the claim with `volumeName`.
3. Do not restart, drain or roll out the workload before that.

## References
- https://kubernetes.io/docs/concepts/storage/persistent-volumes/#storage-object-in-use-protection
- https://kubernetes.io/docs/tasks/administer-cluster/change-pv-reclaim-policy/
"""

from __future__ import annotations

from collections.abc import Iterator

from kubedoctor.cluster import (
    WORKLOADS,
    Cluster,
    Namespace,
    PersistentVolume,
    PersistentVolumeClaim,
    Pod,
    listed,
    pods_mounting,
    quote,
    ref,
    terminating,
    workload_of,
)
from kubedoctor.cluster.changes import put
from kubedoctor.findings import Command, Confidence, Effect, Finding, Fix, Severity, command_line, diagnostic, kubectl


def deleted(claim: PersistentVolumeClaim) -> bool:
    """Deletion was requested."""
    return claim.metadata.deletion_timestamp is not None


@diagnostic(
    code="KD3003",
    subject=PersistentVolumeClaim,
    severity=Severity.WARNING,
    reads=(PersistentVolumeClaim, PersistentVolume, Pod, Namespace, *WORKLOADS),
    when=deleted,
    also_known_as=("claim stuck in Terminating",),
    symptoms=("Terminating", "kubernetes.io/pvc-protection", "PodUsingPVC"),
)
def deleted_in_use(claim: PersistentVolumeClaim, cluster: Cluster) -> Iterator[Finding]:
    # Only a pod that is bound to a node protects a claim (`pkg/controller/volume/pvcprotection`, v1.37).
    users = [pod for pod in pods_mounting(claim, cluster) if pod.spec.node_name]
    if not users or any(map(terminating, users)) or _namespace_ends(claim, cluster):
        return
    name = claim.spec.volume_name
    volume = cluster.maybe.get(PersistentVolume, "", name) if name else None
    deletes = volume is not None and volume.spec.persistent_volume_reclaim_policy == "Delete"
    lost = f"; volume {name} and its data go with it (reclaim policy Delete)" if deletes else ""
    names = listed((f"Pod {pod.name}" for pod in users), 3)
    uses, ends = ("uses it", "the pod ends") if len(users) == 1 else ("use it", "these pods end")
    yield Finding(
        about=ref(claim),
        summary=f"is being deleted while {names} {uses}: it is gone when {ends}{lost}",
        evidence=(
            quote(claim, "metadata.deletionTimestamp", "deletion was requested; it cannot be undone"),
            quote(claim, "metadata.finalizers", "keeps the claim while a pod uses it"),
            quote(users[0], _claim_path(users[0], claim), "mounts the claim"),
            *((quote(volume, "spec.persistentVolumeReclaimPolicy", ""),) if volume is not None and deletes else ()),
        ),
        confidence=Confidence.CERTAIN,
        affects=(*(ref(pod) for pod in users),),
        fixes=(
            *(
                Fix(
                    f"Set the reclaim policy of volume {name} to Retain before the pod ends, so that the data stays",
                    command_line(put(ref(volume), ("spec", "persistentVolumeReclaimPolicy"), "Retain"), volume),
                    Effect.CHANGES,
                    changes=ref(volume),
                )
                for volume in ((volume,) if volume is not None and deletes else ())
            ),
            Fix(
                f"Back up the data, then recreate the claim; do not restart {workload_of(users[0], cluster).title} before"
            ),
        ),
        commands=(Command(kubectl("describe", "pvc", claim.name, namespace=claim.namespace), "the pods that use it"),),
    )


def _namespace_ends(claim: PersistentVolumeClaim, cluster: Cluster) -> bool:
    namespace = cluster.maybe.get(Namespace, "", claim.namespace)
    return namespace is not None and namespace.metadata.deletion_timestamp is not None


def _claim_path(pod: Pod, claim: PersistentVolumeClaim) -> str:
    for index, volume in enumerate(pod.spec.volumes or ()):
        if volume.claim_of(pod.name) == claim.name:
            kind = "persistentVolumeClaim.claimName" if volume.persistent_volume_claim is not None else "name"
            return f"spec.volumes[{index}].{kind}"
    return "spec.volumes"
