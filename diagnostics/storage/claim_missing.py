"""A pod mounts a claim that does not exist.

## What it means
The pod names a PersistentVolumeClaim that is not in its namespace. The scheduler does not even try to place it.

## Why it happens
- The name is misspelt, or the claim is in another namespace: claims cannot be shared between namespaces.
- The claim was deleted, or its manifest was not applied.

## How to fix it
1. Compare the name in the pod's volumes with `kubectl get pvc`.
2. Create the claim, or correct the name in the workload's template. The pod starts by itself once the claim is there.

## References
- https://kubernetes.io/docs/concepts/storage/persistent-volumes/#claims-as-volumes
"""

from __future__ import annotations

from collections.abc import Iterator

from kubedoctor.cluster import Cluster, PersistentVolumeClaim, Pod, Ref, quote, ref
from kubedoctor.cluster.grammar.nearest import misspellings
from kubedoctor.cluster.relations.workloads import WORKLOADS, workload_of
from kubedoctor.cluster.triage import terminating, unscheduled
from kubedoctor.findings import Command, Confidence, Explains, Finding, Fix, Severity, diagnostic


@diagnostic(
    code="KD3002",
    subject=Pod,
    severity=Severity.CRITICAL,
    reads=(Pod, PersistentVolumeClaim, *WORKLOADS),
    when=unscheduled,
    explains=(Explains("same", ("KD1101", "KD1201", "KD1204")),),
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
        every = cluster.maybe.all(PersistentVolumeClaim)
        here = misspellings(name, (one.name for one in every if one.namespace == pod.namespace), 1)
        elsewhere = [one.namespace for one in every if one.name == name]
        hint = f"; did you mean {here[0]}?" if here else ""
        if not here and elsewhere:
            hint = f"; namespace {elsewhere[0]} has one, but a claim serves only its own namespace"
        near = cluster.maybe.get_ref(Ref("PersistentVolumeClaim", pod.namespace, here[0])) if here else None
        path = f"spec.volumes[{index}].persistentVolumeClaim.claimName"
        yield Finding(
            about=workload,
            aspect=_stem(name, pod, workload),
            summary=f"mounts claim {name}, which does not exist{hint}",
            evidence=(
                quote(pod, path, "no such claim in the namespace"),
                *((quote(near, "metadata.name", "exists"),) if near is not None else ()),
            ),
            confidence=Confidence.CERTAIN,
            affects=(ref(pod),),
            fixes=(Fix(f"create claim {name} in namespace {pod.namespace}, or correct the name in {workload.title}"),),
            commands=(Command(f"kubectl get pvc -n {pod.namespace}", "the claims there are"),),
        )


def _stem(name: str, pod: Pod, workload: Ref) -> str:
    """One aspect for the claims that a StatefulSet makes for each of its pods."""
    return name.removesuffix(f"-{pod.name}") if workload.kind == "StatefulSet" else name
