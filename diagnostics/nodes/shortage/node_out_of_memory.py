"""Node ran out of memory (SystemOOM).

## What it means
The memory of the machine was used up, and its kernel killed a process to go on. That is not a container at its own memory
limit: the victim is chosen among all processes of the machine, by size and by quality of service. Pods without requests go
first, but the kubelet or the container runtime may be hit too. The container's status may show exit code 137 without
`OOMKilled`.

## Why it happens
- Pods use more memory than they request, or have no memory limit, and the limits add up to more than the node has.
- A program outside Kubernetes uses memory that is not reserved: `systemReserved` and `kubeReserved` are too small.
- The use rises faster than the kubelet, which looks every 10 seconds, can evict pods.

## How to fix it
1. Find what uses the memory: `kubectl top pods -A --sort-by=memory`.
2. Set requests near the real use, and limits, on the pods that use most.
3. Reserve memory for the system in the kubelet's configuration (`systemReserved`), and raise `evictionHard` for
   `memory.available`, so that pods are evicted before the kernel must kill.

## References
- https://kubernetes.io/docs/concepts/scheduling-eviction/node-pressure-eviction/#node-out-of-memory-behavior
- https://kubernetes.io/docs/tasks/administer-cluster/reserve-compute-resources/
"""

from __future__ import annotations

from collections.abc import Iterator

from diagnostics.nodes._events import AN_HOUR, recent_events
from diagnostics.nodes.shortage._commitment import overcommitted_memory
from diagnostics.nodes.shortage._use import use_of_pods
from kubedoctor.cluster import (
    WORKLOADS,
    Cluster,
    Event,
    Node,
    Pod,
    capitalised,
    finished,
    has_path,
    human_duration,
    listed,
    quote,
    ref,
    times,
)
from kubedoctor.findings import Command, Confidence, Explains, Finding, Fix, Severity, diagnostic, kubectl
from kubedoctor.replay.kubelet.node_events import SYSTEM_OOM, seen_anew, victim_named

_MOST = 3


@diagnostic(
    code="KD4008",
    subject=Node,
    severity=Severity.WARNING,
    reads=(Node, Pod, Event, *WORKLOADS),
    explains=(Explains("blamed", ("KD1005", "KD1017")), Explains("same", ("KD4001", "KD4002"))),
    also_known_as=("System OOM encountered",),
    symptoms=("SystemOOM", "exit code 137", "OOMKilling", "out of memory"),
)
def node_out_of_memory(node: Node, cluster: Cluster) -> Iterator[Finding]:
    known = cluster.events_about(ref(node))
    kills = [
        (at, event)
        for event in recent_events(node, cluster, SYSTEM_OOM)
        if has_path(event, "message")
        and (at := seen_anew(event, known)) is not None
        and cluster.taken_at - at <= AN_HOUR
    ]
    if not kills:
        return
    newest, events = max(at for at, _ in kills), [event for _, event in kills]
    victims = [str(victim) for event in events if (victim := victim_named(event.message)) is not None]
    killed = f": the kernel killed {listed(dict.fromkeys(victims), _MOST)}" if victims else ""
    count = sum(event.times for event in events)
    pods = tuple(pod for pod in cluster.maybe.pods_on(node.name) if not finished(pod))
    promised = overcommitted_memory(node, pods, cluster)
    yield Finding(
        about=ref(node),
        summary=f"the node ran out of memory {times(count)} in the last hour, last {human_duration(cluster.taken_at - newest)}"
        f" ago{killed}",
        evidence=(
            *(quote(event, "message", f"seen {times(event.times)}") for event in events[:_MOST]),
            *(promised.evidence if promised is not None else ()),
        ),
        confidence=Confidence.CERTAIN,
        detail=f"{capitalised(promised.clause)}. {promised.sentence}" if promised is not None else "",
        fixes=(
            *(promised.fixes if promised is not None else ()),
            Fix("Reserve more memory for the system in the kubelet's configuration (systemReserved, evictionHard)"),
        ),
        commands=(
            *use_of_pods(node, "memory"),
            Command(kubectl("describe", "node", node.name), "requests and limits of its pods, and its events"),
        ),
    )
