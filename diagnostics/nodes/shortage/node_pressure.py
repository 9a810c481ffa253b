"""Node is short of memory, disk or PIDs (MemoryPressure, DiskPressure, PIDPressure).

## What it means
The kubelet measured that less of a resource is left than its eviction threshold. The node accepts no new pods, and the
kubelet evicts pods, one after the other, until enough is free: first those that use more than they request, of these the
lowest priority first, then what is most above its request. Critical and static pods are never evicted.

## Why it happens
- MemoryPressure: pods use more memory than they request, or have no limits.
- DiskPressure: images, logs, container files or something outside Kubernetes fill the disk.
- PIDPressure: a pod starts too many processes.
- The threshold itself is too high: the kubelet then calls short what is mostly free.
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

from diagnostics.nodes._network_unavailable import network_unavailable
from diagnostics.nodes.shortage._commitment import overcommitted_memory
from diagnostics.nodes.shortage._pressure import shortage, workload_to_limit
from diagnostics.nodes.shortage._use import use_of_pods
from kubedoctor.cluster import (
    WORKLOADS,
    Cluster,
    Condition,
    Event,
    Evidence,
    Node,
    Pod,
    capitalised,
    condition,
    finished,
    has_path,
    quote,
    ref,
)
from kubedoctor.findings import Command, Confidence, Explains, Finding, Fix, Severity, diagnostic, fix_by_hand, kubectl
from kubedoctor.replay.kubelet.evictions import Pressure

_PRESSURES = {
    Pressure.MEMORY: (
        "the memory that is available is below the kubelet's eviction threshold",
        "Free memory: move or limit the pods that use most",
    ),
    Pressure.DISK: (
        "free disk space or inodes are below the kubelet's eviction threshold",
        "Free disk space: remove unused images, logs, container files; if `df -h` shows enough, lower evictionHard in the"
        " kubelet's configuration",
    ),
    Pressure.PID: (
        "free process ids (PIDs) are below the kubelet's eviction threshold",
        "Find and stop the pod that starts too many processes",
    ),
}
_INODES = (
    "free inodes are below the kubelet's eviction threshold",
    "Remove directories of very many small files (caches, logs, unused images): `df -i` shows the file system that has no"
    " inodes left, however much space is free",
)
_NETWORK = "NetworkUnavailable"


def pressed(node: Node) -> bool:
    """A pressure condition is True."""
    return any(
        (state := condition(node.status.conditions, kind)) is not None and state.status == "True"
        for kind in (*_PRESSURES, _NETWORK)
    )


@diagnostic(
    code="KD4002",
    subject=Node,
    severity=Severity.CRITICAL,
    reads=(Node, Pod, Event, *WORKLOADS),
    when=pressed,
    explains=(Explains("runs", ("KD1017", "KD1101", "KD1201", "KD1215")), Explains("same", ("KD1101", "KD4008"))),
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
    pods = cluster.maybe.pods_on(node.name)
    for pressure in _PRESSURES:
        state = condition(node.status.conditions, pressure)
        if state is not None and state.status == "True":
            yield _pressure(node, pressure, state, pods, cluster)
    network = condition(node.status.conditions, _NETWORK)
    if network is not None and network.status == "True":
        why = network_unavailable(node, network, cluster)
        yield Finding(
            about=ref(node),
            aspect=_NETWORK,
            summary=f"{_NETWORK}: {why.summary} ({_stated(network)}); no new pods",
            evidence=(*_quoted(node, _NETWORK), *why.evidence),
            confidence=Confidence.CERTAIN,
            affects=tuple(ref(pod) for pod in pods if not finished(pod)),
            because_of=why.because_of,
            fixes=why.fixes,
            commands=(_describe(node),),
        )


def _pressure(node: Node, pressure: Pressure, state: Condition, pods: tuple[Pod, ...], cluster: Cluster) -> Finding:
    meaning, fix = _PRESSURES[pressure]
    short = shortage(node, pressure, pods, cluster)
    if pressure is Pressure.DISK and short.inodes:
        meaning, fix = _INODES
    fixes = [Fix(fix)]
    if short.threshold:
        meaning = short.threshold
        fixes.insert(0, Fix("Lower the eviction threshold in the kubelet's configuration (evictionHard)"))
    promised = overcommitted_memory(node, pods, cluster) if pressure is Pressure.MEMORY else None
    words = (f"{capitalised(promised.clause)}.",) if promised is not None else ()
    resource = pressure.resource
    if resource and (about := workload_to_limit(short.next, cluster)) is not None:
        fixes.append(fix_by_hand(about, f"Set a {resource} request near its real use, and a limit, for {about.title}"))
    return Finding(
        about=ref(node),
        aspect=pressure,
        summary=f"{pressure}: {meaning} ({_stated(state)}); the kubelet evicts pods; no new pods",
        evidence=(*_quoted(node, pressure), *short.evidence),
        confidence=Confidence.CERTAIN,
        affects=tuple(ref(pod) for pod in pods if not finished(pod)),
        detail=" ".join((*short.sentences, *words)),
        fixes=tuple(fixes),
        commands=(
            _describe(node),
            *_use(node, pressure),
        ),
    )


def _describe(node: Node) -> Command:
    return Command(kubectl("describe", "node", node.name), "conditions of the node, and requests of its pods")


def _use(node: Node, pressure: Pressure) -> tuple[Command, ...]:
    """Who uses what the node is short of; the metrics API knows neither disk space nor processes."""
    if pressure is Pressure.MEMORY:
        return use_of_pods(node, "memory")
    measured = {
        Pressure.DISK: "the kubelet's own figures: its disk (fs), its images (imageFs), each pod (ephemeral-storage)",
        Pressure.PID: "the kubelet's own figures: processes of the node (rlimit) and of each pod (process_stats)",
    }
    return (Command(kubectl("get", "--raw", f"/api/v1/nodes/{node.name}/proxy/stats/summary"), measured[pressure]),)


def _stated(state: Condition) -> str:
    return " ".join(state.message.split()) or state.reason or "no message"


def _quoted(node: Node, kind: str) -> tuple[Evidence, ...]:
    path = f"status.conditions[type={kind}]"
    fields = ("status", "reason", "message")
    return tuple(quote(node, f"{path}.{field}", "") for field in fields if has_path(node, f"{path}.{field}"))
