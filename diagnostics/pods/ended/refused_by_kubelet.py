"""The kubelet refused a pod that was given to its node.

## What it means
The kubelet checks once more what the scheduler checked: resources, selectors, devices. What does not fit it sets to
`Failed` and never starts. Nothing tries such a pod again, unless a controller makes another one.

## Why it happens
- The pod names its node itself (`spec.nodeName`), so that no scheduler looked whether there is room.
- Two pods came at the same moment, or the node changed: labels, devices, a restart with less to give.

## How to fix it
1. Leave `spec.nodeName` out; use a node selector or affinity, and let the scheduler choose.
2. Ask for less, or make room on the node.
3. Delete the pod and create it anew.

## References
- https://kubernetes.io/docs/concepts/scheduling-eviction/assign-pod-node/#nodename
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from kubedoctor.cluster import WORKLOADS, Cluster, Pod, ReplicaSet, StatefulSet, controller_of, finished, visible
from kubedoctor.findings import (
    Command,
    Confidence,
    Effect,
    Explains,
    Finding,
    Fix,
    Severity,
    at_fault,
    diagnostic,
    has_path,
    kubectl,
    look_at_pod,
    quote,
    ref,
)

REASONS = frozenset(
    {"NodeAffinity", "UnexpectedAdmissionError", "TopologyAffinityError", "SMTAlignmentError", "PodOSNotSupported"}
    | {"AppArmor", "SysctlForbidden", "VolumeAttachmentLimitExceeded", "NodePorts", "PodFeatureUnsupported"}
)
"""pkg/kubelet/lifecycle and the admit handlers of the kubelet's managers, v1.37; and `OutOf` with a resource."""
RECENT = timedelta(hours=1)
NO_ROOM = "Let the scheduler choose the node: leave spec.nodeName out, and ask for no more than a node has"


@diagnostic(
    code="KD1020",
    subject=Pod,
    severity=Severity.CRITICAL,
    reads=WORKLOADS,
    when=finished,
    explains=(Explains("same", ("KD1201", "KD1204")), Explains("selects", ("KD2001",))),
    symptoms=("UnexpectedAdmissionError", "OutOfcpu", "OutOfmemory", "OutOfpods", "NodeAffinity", "NodePorts"),
)
def refused_by_kubelet(pod: Pod, cluster: Cluster) -> Iterator[Finding]:
    reason = pod.status.reason
    if pod.status.phase != "Failed" or not (reason.startswith("OutOf") or reason in REASONS):
        return
    about = at_fault(pod, cluster)
    begun = pod.status.start_time or pod.metadata.creation_timestamp
    old = begun is not None and cluster.taken_at - begun > RECENT
    if about != ref(pod) and (old or _replaced(pod, cluster)):
        return  # Its controller has made another one.
    message = visible(" ".join(pod.status.message.split()), 240).removeprefix("Pod was rejected: ")
    evidence = [quote(pod, f"status.{field}") for field in ("reason", "message") if has_path(pod, f"status.{field}")]
    evidence += [quote(pod, "spec.nodeName", "the node it was given to")] if pod.spec.node_name else []
    delete = kubectl("delete", "pod", pod.name, namespace=pod.namespace)
    yield Finding(
        about=about,
        summary=f"the kubelet of node {pod.spec.node_name} refused it ({reason})" + (f": {message}" if message else ""),
        confidence=Confidence.CERTAIN,
        evidence=tuple(evidence),
        fixes=(
            *((Fix(NO_ROOM, ""),) if reason.startswith("OutOf") else ()),
            Fix("Delete what is left of it", delete, Effect.DISRUPTS),
        ),
        commands=(
            look_at_pod(pod, "what the kubelet said"),
            Command(kubectl("describe", "node", pod.spec.node_name), "what the node has and what is taken"),
        ),
        severity=Severity.NOTICE if old else None,
    )


def _replaced(pod: Pod, cluster: Cluster) -> bool:
    """Whether the set that made the pod is complete and ready without it."""
    owner = controller_of(pod)
    maker = cluster.maybe.get_ref(owner) if owner is not None else None
    if not isinstance(maker, ReplicaSet | StatefulSet):
        return False
    return maker.status.ready_replicas >= maker.spec.wanted
