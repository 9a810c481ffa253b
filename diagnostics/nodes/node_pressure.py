"""A node runs out of memory, disk or processes.

## What it means
The kubelet has measured that too little is left. It takes no new pods, and it evicts pods until there is enough again;
those that use more than they requested go first.

## Why it happens
- MemoryPressure: pods use more memory than they request, or have no limits.
- DiskPressure: images, logs or files of containers fill the disk; so may something outside Kubernetes.
- PIDPressure: a pod starts processes without end.
- NetworkUnavailable: the network of the node was never set up.

## How to fix it
1. Find what uses it: `kubectl top pods`, `df -h` and `du` on the node.
2. Free it: remove unused images and old logs, or move the pod that uses most.
3. Set requests and limits (`ephemeral-storage` too), so that it does not come back.

## References
- https://kubernetes.io/docs/concepts/scheduling-eviction/node-pressure-eviction/
"""

from __future__ import annotations

from collections.abc import Iterator

from kubedoctor.cluster import Cluster, Node, Pod, condition, finished, has_path, quote, ref
from kubedoctor.findings import Command, Confidence, Explains, Finding, Fix, Severity, diagnostic

_PRESSURES = {
    "MemoryPressure": ("memory is short", "free memory: move or limit the pods that use most"),
    "DiskPressure": ("disk space or inodes are short", "free disk space: unused images, logs, files of containers"),
    "PIDPressure": ("process numbers are short", "find the pod that starts too many processes"),
    "NetworkUnavailable": ("its network is not set up", "see why the network plugin or the cloud's route is missing"),
}


def pressed(node: Node) -> bool:
    """One of the pressures is on."""
    return any(
        (said := condition(node.status.conditions, kind)) is not None and said.status == "True" for kind in _PRESSURES
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
        said = condition(node.status.conditions, kind)
        if said is None or said.status != "True":
            continue
        path = f"status.conditions[type={kind}]"
        fields = ("status", "reason", "message")
        consequence = "it takes no new pods" if kind == "NetworkUnavailable" else "it evicts pods and takes no new ones"
        yield Finding(
            about=ref(node),
            aspect=kind,
            summary=f"{kind}: {meaning} ({' '.join(said.message.split()) or said.reason or 'no message'}); {consequence}",
            evidence=tuple(quote(node, f"{path}.{field}", "") for field in fields if has_path(node, f"{path}.{field}")),
            confidence=Confidence.CERTAIN,
            affects=tuple(ref(pod) for pod in pods),
            fixes=(Fix(fix),),
            commands=(
                Command(f"kubectl describe node {node.name}", "its conditions, and what its pods request"),
                Command(f"kubectl top pods -A --field-selector spec.nodeName={node.name}", "what its pods use"),
            ),
        )
