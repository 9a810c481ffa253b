"""Node is overcommitted: its pods were promised more memory than it has.

## What it means
The scheduler counts requests, not limits. Pods whose limits are far above their requests, or that have none, fit on a node
that cannot give all of them what they may use. That goes well until several use it at the same time: then the kubelet
evicts pods, or the kernel kills.

## Why it happens
- Requests are much smaller than the real use, or missing.
- Limits are far above requests, so that one pod may use what others were promised.

## How to fix it
1. Set the memory request of the pods named near their real use: `kubectl top pods -A --sort-by=memory`.
2. Set limits close to requests for what must not be evicted.
3. A LimitRange with `maxLimitRequestRatio` keeps limits near requests in a namespace.

## References
- https://kubernetes.io/docs/concepts/configuration/manage-resources-containers/
- https://kubernetes.io/docs/concepts/scheduling-eviction/node-pressure-eviction/
"""

from __future__ import annotations

from collections.abc import Iterator

from diagnostics.nodes._events import recent_events
from diagnostics.nodes.shortage._commitment import overcommitted_memory
from diagnostics.nodes.shortage._pressure import was_evicted
from diagnostics.nodes.shortage._use import use_of_pods
from kubedoctor.cluster import (
    WORKLOADS,
    Cluster,
    Event,
    Node,
    Pod,
    condition,
    counted,
    finished,
    quote,
    ref,
    workload_of,
)
from kubedoctor.findings import Command, Confidence, Explains, Finding, Severity, diagnostic, kubectl
from kubedoctor.replay.kubelet.evictions import Pressure
from kubedoctor.replay.kubelet.node_events import SYSTEM_OOM

AGAIN_AND_AGAIN = 2
"""A workload whose pods alone were evicted may itself be the cause: it uses more than it requests."""


@diagnostic(
    code="KD4009",
    subject=Node,
    severity=Severity.WARNING,
    reads=(Node, Pod, Event, *WORKLOADS),
    explains=(Explains("blamed", ("KD1017",)),),
    also_known_as=("memory overcommit",),
    symptoms=("Evicted", "limits", "overcommitted"),
)
def overcommitted(node: Node, cluster: Cluster) -> Iterator[Finding]:
    state = condition(node.status.conditions, Pressure.MEMORY)
    if state is not None and state.status == "True":
        return  # The diagnostics of pressure and of the kernel's kills say it themselves.
    events = recent_events(node, cluster, SYSTEM_OOM)
    evicted = [pod for pod in cluster.pods_at_hand(node.name) if was_evicted(pod, Pressure.MEMORY, cluster)]
    if len({workload_of(pod, cluster) for pod in evicted}) < AGAIN_AND_AGAIN or events:
        return
    pods = tuple(pod for pod in cluster.pods_at_hand(node.name) if not finished(pod))
    promised = overcommitted_memory(node, pods, cluster)
    if promised is None:
        return
    yield Finding(
        about=ref(node),
        summary=f"overcommitted: {promised.clause}; {counted(len(evicted), 'pod')} evicted for memory in the last hour",
        evidence=(*promised.evidence, *(quote(pod, "status.message", "an evicted pod of it") for pod in evicted[:2])),
        confidence=Confidence.LIKELY,
        detail=promised.sentence,
        affects=tuple(map(ref, evicted)),
        fixes=promised.fixes,
        commands=(
            *use_of_pods(node, "memory"),
            Command(kubectl("describe", "node", node.name), "requests and limits of its pods"),
        ),
    )
