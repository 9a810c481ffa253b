"""Node is short of memory, disk or PIDs (MemoryPressure, DiskPressure, PIDPressure).

## What it means
The kubelet measured that too little of a resource is left. The node accepts no new pods, and the kubelet evicts pods
until enough is free. Pods that use more than they request are evicted first.

## Why it happens
- MemoryPressure: pods use more memory than they request, or have no limits.
- DiskPressure: images, logs, container files or something outside Kubernetes fill the disk.
- PIDPressure: a pod starts too many processes.
- NetworkUnavailable: the network of the node was not set up.

## How to fix it
1. Find what uses the resource: `kubectl top pods`, `df -h` and `du` on the node.
2. Free it: remove unused images and old logs, or move the pod that uses most.
3. Set requests and limits, also for `ephemeral-storage`, so that it does not happen again.

## References
- https://kubernetes.io/docs/concepts/scheduling-eviction/node-pressure-eviction/
"""

from __future__ import annotations

from collections.abc import Iterator

from kubedoctor.cluster import Cluster, Node, Pod, condition, finished, has_path, quote, ref
from kubedoctor.findings import Command, Confidence, Explains, Finding, Fix, Severity, diagnostic

_PRESSURES = {
    "MemoryPressure": ("memory is short", "Free memory: move or limit the pods that use most"),
    "DiskPressure": ("disk space or inodes are short", "Free disk space: remove unused images, logs, container files"),
    "PIDPressure": ("process ids (PIDs) are short", "Find and stop the pod that starts too many processes"),
    "NetworkUnavailable": (
        "the node's network is not set up",
        "Check why the network plugin or the cloud's route is missing",
    ),
}


def pressed(node: Node) -> bool:
    """A pressure condition is True."""
    return any(
        (state := condition(node.status.conditions, kind)) is not None and state.status == "True" for kind in _PRESSURES
    )


@diagnostic(
    code="KD4002",
    subject=Node,
    severity=Severity.CRITICAL,
    reads=(Node, Pod),
    when=pressed,
    explains=(Explains("runs", ("KD1017", "KD1101", "KD1201")), Explains("same", ("KD1101",))),
    also_known_as=("DiskPressure", "MemoryPressure", "PIDPressure"),
    symptoms=(
        "NodeHasDiskPressure",
        "NodeHasInsufficientMemory",
        "EvictionThresholdMet",
        "FreeDiskSpaceFailed",
        "ImageGCFailed",
        "Evicted",
    ),
)
def node_pressure(node: Node, cluster: Cluster) -> Iterator[Finding]:
    pods = [pod for pod in cluster.maybe.pods_on(node.name) if not finished(pod)]
    for kind, (meaning, fix) in _PRESSURES.items():
        state = condition(node.status.conditions, kind)
        if state is None or state.status != "True":
            continue
        path = f"status.conditions[type={kind}]"
        fields = ("status", "reason", "message")
        consequence = "no new pods" if kind == "NetworkUnavailable" else "the kubelet evicts pods; no new pods"
        yield Finding(
            about=ref(node),
            aspect=kind,
            summary=f"{kind}: {meaning} ({' '.join(state.message.split()) or state.reason or 'no message'}); {consequence}",
            evidence=tuple(quote(node, f"{path}.{field}", "") for field in fields if has_path(node, f"{path}.{field}")),
            confidence=Confidence.CERTAIN,
            affects=tuple(ref(pod) for pod in pods),
            fixes=(Fix(fix),),
            commands=(
                Command(f"kubectl describe node {node.name}", "conditions of the node, and requests of its pods"),
                Command(
                    f"kubectl top pods -A --field-selector spec.nodeName={node.name}", "memory and CPU use of its pods"
                ),
            ),
        )
