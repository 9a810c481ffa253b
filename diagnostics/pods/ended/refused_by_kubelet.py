"""Pod was rejected by the kubelet (OutOfcpu, SysctlForbidden, UnexpectedAdmissionError).

## What it means
The kubelet repeats the scheduler's checks: resources, node selectors, devices. A pod that does not fit gets phase
`Failed` and never starts. It is not retried; only a controller can create a new pod.

## Why it happens
- The pod sets `spec.nodeName` itself, so the scheduler did not check whether the node has room.
- Two pods were bound at the same moment, or the node changed: labels, devices, less allocatable after a restart.
- The pod requests what the node does not allow or have: an AppArmor profile, an unsafe sysctl, another operating system.
  Each pod that its controller creates there is then rejected as well.

## How to fix it
1. Remove `spec.nodeName`; use a node selector or affinity, and let the scheduler choose the node.
2. Lower the requests, or free resources on the node.
3. Remove from the pod what the node does not allow, or configure the node for it.
4. Delete and recreate a pod without a controller.

## References
- https://kubernetes.io/docs/concepts/scheduling-eviction/assign-pod-node/#nodename
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from diagnostics.pods._node import blamed_node
from diagnostics.pods.ended._pinned import pinned_by_template
from diagnostics.pods.ended._replacement import is_replaced
from kubedoctor.cluster import WORKLOADS, Cluster, Pod, Ref, finished, template_of, troubled, visible
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
    fix_by_hand,
    has_path,
    kubectl,
    look_at_pod,
    quote,
    quote_pod_spec,
    ref,
)

REASONS = frozenset(
    {"NodeAffinity", "UnexpectedAdmissionError", "TopologyAffinityError", "SMTAlignmentError", "PodOSNotSupported"}
    | {"AppArmor", "SysctlForbidden", "VolumeAttachmentLimitExceeded", "NodePorts", "PodFeatureUnsupported"}
)
"""pkg/kubelet/lifecycle and the admit handlers of the kubelet's managers, v1.37; and `OutOf` with a resource."""
RECENT = timedelta(hours=1)
_NO_ROOM = "Request no more than {node} has, or free resources there"
_NO_ROOM_WHERE_NAMED = (
    "Remove spec.nodeName so that the scheduler chooses the node, and request no more than a node has"
)
_FIXES = {
    "AppArmor": "Remove the AppArmor profile from the pod, or enable AppArmor and load the profile on {node}",
    "NodeAffinity": "Correct the nodeSelector or node affinity of the pod, or the labels of {node}",
    "NodePorts": "Use another hostPort, or remove the pod that has it on {node}",
    "PodFeatureUnsupported": "Remove the field that the kubelet of {node} does not support, or upgrade that kubelet",
    "PodOSNotSupported": "Select nodes of the pod's operating system with the label kubernetes.io/os",
    "SMTAlignmentError": "Request whole physical cores: a multiple of the threads of a core",
    "SysctlForbidden": "Remove the sysctl from securityContext.sysctls, or allow it in the kubelet of {node} "
    "(allowedUnsafeSysctls)",
    "TopologyAffinityError": "Request no more CPUs, memory and devices than a single NUMA node of {node} has",
    "UnexpectedAdmissionError": "Free or repair on {node} what the message names",
    "VolumeAttachmentLimitExceeded": "Move pods with volumes away from {node}, or use a node with fewer volumes",
}
_OF_THE_NODE = frozenset({"UnexpectedAdmissionError", "VolumeAttachmentLimitExceeded"})
_BLOCKED = frozenset({"AppArmor"})
"""Kubelets before 1.30 do not let such a pod fail: it stays Pending, with its containers `Blocked`."""
_SETTINGS = {
    "AppArmor": ("securityContext.appArmorProfile",),
    "NodeAffinity": ("nodeSelector", "affinity.nodeAffinity"),
    "PodOSNotSupported": ("os.name",),
    "SysctlForbidden": ("securityContext.sysctls",),
}
"""What the pod sets, by path in its spec."""


def refused(pod: Pod) -> bool:
    """Whether the kubelet did not admit the pod."""
    reason = pod.status.reason
    if pod.status.phase == "Pending":
        return reason in _BLOCKED and pod.metadata.deletion_timestamp is None
    return pod.status.phase == "Failed" and (reason.startswith("OutOf") or reason in REASONS)


@diagnostic(
    code="KD1020",
    subject=Pod,
    severity=Severity.CRITICAL,
    reads=WORKLOADS,
    when=troubled,
    explains=(Explains("same", ("KD1201", "KD1204", "KD1215")), Explains("selects", ("KD2001", "KD2005"))),
    symptoms=(
        "UnexpectedAdmissionError",
        "OutOfcpu",
        "OutOfmemory",
        "OutOfpods",
        "NodeAffinity",
        "NodePorts",
        "Blocked",
    ),
)
def refused_by_kubelet(pod: Pod, cluster: Cluster) -> Iterator[Finding]:
    reason = pod.status.reason
    if not refused(pod):
        return
    about = at_fault(pod, cluster)
    begun = pod.status.start_time or pod.metadata.creation_timestamp
    old = finished(pod) and begun is not None and cluster.taken_at - begun > RECENT
    if about != ref(pod) and (old or is_replaced(pod, cluster)):
        return  # Its controller has replaced it.
    message = visible(" ".join(pod.status.message.split()), 240).removeprefix("Pod was rejected: ")
    evidence = [quote(pod, f"status.{field}") for field in ("reason", "message") if has_path(pod, f"status.{field}")]
    evidence += [quote(pod, "spec.nodeName", "the node that the pod was bound to")] if pod.spec.node_name else []
    for field in _SETTINGS.get(reason, ()):
        evidence += quote_pod_spec(pod, cluster, about, f"spec.{field}", "what the pod requests")
    yield Finding(
        about=about,
        summary=f"rejected by the kubelet of node {pod.spec.node_name} ({reason}){f': {message}' if message else ''}",
        confidence=Confidence.CERTAIN,
        evidence=tuple(evidence),
        fixes=_fixes(pod, about, cluster),
        commands=(look_at_pod(pod, "the kubelet's message"), *_look_at_node(pod)),
        severity=Severity.NOTICE if old else None,
        because_of=blamed_node(pod),
    )


def _fixes(pod: Pod, about: Ref, cluster: Cluster) -> tuple[Fix, ...]:
    """What ends the cause; a pod without a controller must be created again after that."""
    reason, node = pod.status.reason, f"node {pod.spec.node_name}"
    bare = about == ref(pod)
    workload = cluster.maybe.get_ref(about)
    template = template_of(workload) if workload is not None and not bare else None
    pinned = pinned_by_template(about, cluster) if reason not in _FIXES else None
    if pinned is not None:
        return (pinned.fix, fix_by_hand(about, "Request no more than a node has"))
    named = template is None
    words = _FIXES.get(reason) or (_NO_ROOM_WHERE_NAMED if named else _NO_ROOM)
    summary = words.format(node=node)
    if not bare:
        return (Fix(summary) if reason in _OF_THE_NODE else fix_by_hand(about, summary),)
    delete = kubectl("delete", "pod", pod.name, namespace=pod.namespace)
    return (Fix(summary), Fix(f"Then delete pod {pod.name} and create it again", delete, Effect.DISRUPTS))


def _look_at_node(pod: Pod) -> tuple[Command, ...]:
    if not pod.spec.node_name:
        return ()
    line = kubectl("describe", "node", pod.spec.node_name)
    return (Command(line, "the node's labels, allocatable and allocated resources"),)
