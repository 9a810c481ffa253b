"""Volume of a claim is full, or has no inodes left.

## What it means
The kubelet measures how full the file systems of volumes are. This one has next to nothing left: programs that write to it fail
with `no space left on device`, databases stop or refuse writes. A file takes an inode, however small it is, so that many small
files fill a volume that still has space.

## Why it happens
- The data has grown: logs, backups, write-ahead logs, messages without a consumer.
- The program keeps what it no longer needs: no retention, a replication slot without a reader.
- Volumes of hostPath, local-path and NFS share one file system, so that others may have filled it.

## How to fix it
1. Free space: delete what is no longer needed, or shorten the retention.
2. Enlarge the claim, where its class allows that.
3. The measured numbers: `kubectl get --raw /api/v1/nodes/NODE/proxy/stats/summary`, or the kubelet's metrics
   `kubelet_volume_stats_available_bytes` and `kubelet_volume_stats_inodes_free`.

## References
- https://kubernetes.io/docs/reference/instrumentation/node-metrics/
- https://kubernetes.io/docs/concepts/storage/persistent-volumes/#expanding-persistent-volumes-claims
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from diagnostics.pods.crashes.taken._full_volume import growing
from kubedoctor.cluster import (
    WORKLOADS,
    Cluster,
    LogTail,
    Node,
    PersistentVolumeClaim,
    Pod,
    Ref,
    StorageClass,
    amount_of,
    claim_names,
    condition,
    finished,
    format_bytes,
    has_path,
    placed,
    pods_mounting,
    quote,
    ref,
)
from kubedoctor.findings import (
    Command,
    Confidence,
    Finding,
    Fix,
    Severity,
    at_fault,
    diagnostic,
    kubectl,
    quote_measured,
)
from kubedoctor.replay.storage.usage import LITTLE, VolumeUse, use_of

MOST_NODES: Final = 20
"""So many kubelets a scan asks."""
_SHARED: Final = 1.5
"""A file system so much larger than the claim is not the claim's alone."""


def bound(claim: PersistentVolumeClaim) -> bool:
    """It has a volume that pods may write to."""
    modes = claim.status.access_modes or claim.spec.access_modes or ()
    return claim.status.phase == "Bound" and modes != ("ReadOnlyMany",)


def on_a_node_to_ask(cluster: Cluster) -> Callable[[PersistentVolumeClaim], bool]:
    """A predicate of the claims whose kubelet is asked: in a recording of those that it has, in a scan of those on so many
    nodes."""
    snapshot = cluster.snapshot
    if snapshot.closed:
        tails = (snapshot.log(want) for want in snapshot.logs() if want.node)
        told = {line.partition(" ")[0] for tail in tails if tail is not None for line in tail.lines}
        return lambda claim: f"{claim.namespace}/{claim.name}" in told
    having: dict[str, set[tuple[str, str]]] = {}
    for pod in snapshot.of_kind("Pod"):
        if isinstance(pod, Pod) and placed(pod) and not finished(pod):
            for name in claim_names(pod):
                having.setdefault(pod.spec.node_name, set()).add((pod.namespace, name))
    nodes = [name for name in sorted(having) if _answers(name, cluster)][:MOST_NODES]
    claims = {claim for name in nodes for claim in having[name]}
    return lambda claim: (claim.namespace, claim.name) in claims


def _answers(name: str, cluster: Cluster) -> bool:
    """Whether its kubelet does, as far as that is known."""
    node = cluster.snapshot.get(Ref("Node", "", name))
    stated = condition(node.status.conditions, "Ready") if isinstance(node, Node) else None
    return stated is None or stated.status == "True"


@diagnostic(
    code="KD3014",
    subject=PersistentVolumeClaim,
    severity=Severity.CRITICAL,
    reads=(PersistentVolumeClaim, Pod, StorageClass, *WORKLOADS),
    when=bound,
    among=on_a_node_to_ask,
    symptoms=(
        "no space left on device",
        "ENOSPC",
        "kubelet_volume_stats_available_bytes",
        "KubePersistentVolumeFillingUp",
    ),
)
def volume_full(claim: PersistentVolumeClaim, cluster: Cluster) -> Iterator[Finding]:
    if not bound(claim):
        return
    users = [pod for pod in pods_mounting(claim, cluster.maybe) if placed(pod)]
    for name in sorted({pod.spec.node_name for pod in users if _answers(pod.spec.node_name, cluster)}):
        tail = cluster.volumes_of_node(name, _first(cluster))
        use = use_of(claim, tail) if tail is not None else None
        if tail is not None and use is not None and (found := _finding(claim, users, tail, use, cluster)) is not None:
            yield found
            return


def _first(cluster: Cluster) -> str:
    """The node that a scan asks first: the right to ask is the same for all."""
    names = (node.metadata.name for node in cluster.snapshot.of_kind("Node"))
    return next((name for name in names if _answers(name, cluster)), "")


def _finding(
    claim: PersistentVolumeClaim, users: list[Pod], tail: LogTail, use: VolumeUse, cluster: Cluster
) -> Finding | None:
    if not use.is_full:
        return None
    full = use.space_left is not None and use.space_left < LITTLE
    pod = users[0]
    free = Fix("Delete files on it that are no longer needed" + ("" if full else ": every file takes an inode"))
    larger = growing(pod, claim, at_fault(pod, cluster), cluster)[0]
    size = "status.capacity[storage]"
    return Finding(
        about=ref(claim),
        summary=_words(use, full=full) + _shared(claim, use),
        evidence=(
            quote_measured(tail, use.line, f"measured by the kubelet of {tail.pod.name}"),
            *((quote(claim, size, "size of the volume"),) if has_path(claim, size) else ()),
        ),
        confidence=Confidence.CERTAIN,
        severity=None if (use.available == 0 if full else use.inodes_free == 0) else Severity.WARNING,
        affects=tuple(ref(one) for one in users),
        fixes=(free,) if _is_shared(claim, use) else (larger, free),
        commands=(
            Command(
                kubectl("get", "--raw", f"/api/v1/nodes/{tail.pod.name}/proxy/stats/summary"),
                "how full the volumes of the node are",
            ),
        ),
    )


def _words(use: VolumeUse, *, full: bool) -> str:
    if full and use.available is not None and use.capacity is not None:
        left = f"{format_bytes(use.available)} of {format_bytes(use.capacity)}"
        return "its volume is full" + (
            f": 0 of {format_bytes(use.capacity)} are left" if not use.available else f" but for {left}"
        )
    which = "no inode is left" if not use.inodes_free else f"{use.inodes_free} of {use.inodes} inodes are left"
    space = f", while {format_bytes(use.available)} are free" if use.available else ""
    return f"its volume takes no more files: {which}{space}"


def _is_shared(claim: PersistentVolumeClaim, use: VolumeUse) -> bool:
    size = amount_of((claim.status.capacity or {}).get("storage"))
    return size is not None and use.capacity is not None and use.capacity > _SHARED * size.value()


def _shared(claim: PersistentVolumeClaim, use: VolumeUse) -> str:
    return "; it shares this file system with others, so a larger claim does not help" if _is_shared(claim, use) else ""
