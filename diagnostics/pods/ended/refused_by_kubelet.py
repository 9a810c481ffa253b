"""Pod was rejected by the kubelet (OutOfcpu, NodeAffinity, UnexpectedAdmissionError).

## What it means
The kubelet repeats the scheduler's checks: resources, node selectors, devices. A pod that does not fit gets phase
`Failed` and never starts. It is not retried; only a controller can create a new pod.

## Why it happens
- The pod sets `spec.nodeName` itself, so the scheduler did not check whether the node has room.
- Two pods were bound at the same moment, or the node changed: labels, devices, less allocatable after a restart.

## How to fix it
1. Remove `spec.nodeName`; use a node selector or affinity, and let the scheduler choose the node.
2. Lower the requests, or free resources on the node.
3. Delete and recreate the pod.

## References
- https://kubernetes.io/docs/concepts/scheduling-eviction/assign-pod-node/#nodename
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from diagnostics.pods._node import blamed_node
from diagnostics.pods.ended._replacement import is_replaced
from kubedoctor.cluster import WORKLOADS, Cluster, Pod, finished, visible
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
NO_ROOM = "Remove spec.nodeName so that the scheduler chooses the node, and request no more than a node has"


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
    if not refused(pod):
        return
    about = at_fault(pod, cluster)
    begun = pod.status.start_time or pod.metadata.creation_timestamp
    old = begun is not None and cluster.taken_at - begun > RECENT
    if about != ref(pod) and (old or is_replaced(pod, cluster)):
        return  # Its controller has replaced it.
    message = visible(" ".join(pod.status.message.split()), 240).removeprefix("Pod was rejected: ")
    evidence = [quote(pod, f"status.{field}") for field in ("reason", "message") if has_path(pod, f"status.{field}")]
    evidence += [quote(pod, "spec.nodeName", "the node that the pod was bound to")] if pod.spec.node_name else []
    delete = kubectl("delete", "pod", pod.name, namespace=pod.namespace)
    yield Finding(
        about=about,
        summary=f"rejected by the kubelet of node {pod.spec.node_name} ({reason}){f': {message}' if message else ''}",
        confidence=Confidence.CERTAIN,
        evidence=tuple(evidence),
        fixes=(
            *((Fix(NO_ROOM, ""),) if reason.startswith("OutOf") else ()),
            Fix(f"Delete pod {pod.name}", delete, Effect.DISRUPTS),
        ),
        commands=(
            look_at_pod(pod, "the kubelet's message"),
            Command(kubectl("describe", "node", pod.spec.node_name), "the node's allocatable and allocated resources"),
        ),
        severity=Severity.NOTICE if old else None,
        because_of=blamed_node(pod),
    )


def refused(pod: Pod) -> bool:
    """Whether the kubelet did not admit the pod."""
    return pod.status.phase == "Failed" and (pod.status.reason.startswith("OutOf") or pod.status.reason in REASONS)
