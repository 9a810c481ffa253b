"""PersistentVolumeClaim does not exist.

## What it means
The pod mounts a PersistentVolumeClaim that does not exist in its namespace. The scheduler rejects such a pod before it
looks at any node, so the pod stays Pending.

## Why it happens
- The name is misspelled, or the claim is in another namespace: a pod can mount only claims of its own namespace.
- The claim was deleted, or its manifest was not applied.

## How to fix it
1. Compare the name in the pod's volumes with `kubectl get pvc`.
2. Create the claim, or correct the name in the pod template. The pod is scheduled by itself when the claim exists.

## References
- https://kubernetes.io/docs/concepts/storage/persistent-volumes/#claims-as-volumes
"""

from __future__ import annotations

from collections.abc import Iterator

from kubedoctor.cluster import (
    WORKLOADS,
    Cluster,
    PersistentVolumeClaim,
    Pod,
    Ref,
    misspellings,
    quote,
    ref,
    terminating,
    unscheduled,
    workload_of,
)
from kubedoctor.findings import Command, Confidence, Explains, Finding, Fix, Severity, diagnostic, kubectl


@diagnostic(
    code="KD3002",
    subject=Pod,
    severity=Severity.CRITICAL,
    reads=(Pod, PersistentVolumeClaim, *WORKLOADS),
    when=unscheduled,
    explains=(Explains("same", ("KD1101", "KD1201", "KD1204", "KD1215")),),
    also_known_as=("persistentvolumeclaim not found",),
    symptoms=("FailedScheduling", "Pending"),
)
def claim_missing(pod: Pod, cluster: Cluster) -> Iterator[Finding]:
    if not unscheduled(pod) or terminating(pod):
        return
    for index, volume in enumerate(pod.spec.volumes or ()):
        source = volume.persistent_volume_claim
        if source is None or not source.claim_name:
            continue
        name = source.claim_name
        if cluster.get(PersistentVolumeClaim, pod.namespace, name) is not None:
            continue
        workload = workload_of(pod, cluster)
        claims = cluster.maybe.all(PersistentVolumeClaim)
        here = misspellings(name, (claim.name for claim in claims if claim.namespace == pod.namespace), 1)
        elsewhere = [claim.namespace for claim in claims if claim.name == name]
        hint = f"; did you mean {here[0]}?" if here else ""
        if not here and elsewhere:
            hint = f"; namespace {elsewhere[0]} has a claim of this name, but pods mount only claims of their own namespace"
        near = cluster.maybe.get_ref(Ref("PersistentVolumeClaim", pod.namespace, here[0])) if here else None
        path = f"spec.volumes[{index}].persistentVolumeClaim.claimName"
        yield Finding(
            about=workload,
            aspect=_stem(name, pod, workload),
            summary=f"PersistentVolumeClaim {name} of the pod does not exist{hint}",
            evidence=(
                quote(pod, path, "no claim of this name in the namespace"),
                *((quote(near, "metadata.name", "existing claim"),) if near is not None else ()),
            ),
            confidence=Confidence.CERTAIN,
            affects=(ref(pod),),
            fixes=(
                Fix(
                    f"Create PersistentVolumeClaim {name} in namespace {pod.namespace}, or correct the name in {workload.title}"
                ),
            ),
            commands=(Command(kubectl("get", "pvc", namespace=pod.namespace), "the claims of the namespace"),),
        )


def _stem(name: str, pod: Pod, workload: Ref) -> str:
    """The same aspect for all claims that a StatefulSet creates for its pods."""
    return name.removesuffix(f"-{pod.name}") if workload.kind == "StatefulSet" else name
