"""Node has no CPU left, and its programs answer too late.

## What it means
The CPUs of the node are in use almost completely, as metrics-server measures. Nothing is evicted for that: programs only get
slower. Probes time out, containers are restarted, leases are renewed late.

## Why it happens
- Pods without a CPU request, or with one far below their use, were placed there, and use what is left.
- Something outside Kubernetes uses the CPUs of the machine.

A node that is busy and whose probes are answered is not reported.

## How to fix it
1. `kubectl top pods -A --sort-by=cpu`: who uses them.
2. Give what uses most a CPU request near its use, so that the scheduler counts it, or a limit; restart it to have it moved.

## References
- https://kubernetes.io/docs/concepts/configuration/manage-resources-containers/
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from diagnostics.nodes.shortage._use import use_of_pods
from kubedoctor.cluster import (
    Cluster,
    Event,
    Node,
    NodeMetrics,
    Pod,
    amount_of,
    finished,
    has_path,
    listed,
    quote,
    ref,
    times,
)
from kubedoctor.findings import Command, Confidence, Explains, Finding, Fix, Severity, diagnostic, kubectl

_FULL: Final = 0.95
_LATELY: Final = timedelta(minutes=10)
_SEVERAL: Final = 2
"""A single pod whose probe times out is more likely slow by itself."""
_MOST: Final = 3
_TIMED_OUT: Final = ("context deadline exceeded", "Client.Timeout", "timed out", "i/o timeout")


@diagnostic(
    code="KD4014",
    subject=Node,
    severity=Severity.WARNING,
    reads=(Pod, Event),
    explains=(Explains("affects", ("KD1012", "KD1013", "KD1014")),),
    also_known_as=("CPU starvation",),
    symptoms=("context deadline exceeded", "Liveness probe failed", "Unhealthy"),
)
def cpu_saturated(node: Node, cluster: Cluster) -> Iterator[Finding]:
    """Only where events have been read anyway."""
    if not cluster.has_all(Event, ""):
        return
    late = [
        (pod, events[-1])
        for pod in cluster.pods_at_hand(node.name)
        if not finished(pod) and (events := _timeouts(pod, cluster))
    ]
    whole = amount_of((node.status.capacity or {}).get("cpu"))
    if len(late) < _SEVERAL or whole is None:
        return
    metrics = next(iter(cluster.measured(NodeMetrics, "", node.name)), None)
    usage = amount_of(metrics.usage.get("cpu")) if metrics is not None else None
    if metrics is None or usage is None or usage.milli_value() < whole.milli_value() * _FULL:
        return
    names = listed((f"{pod.namespace}/{pod.name}" for pod, _ in late), _MOST)
    yield Finding(
        about=ref(node),
        summary=f"node has no CPU left: {usage.milli_value()}m of {whole.milli_value()}m are in use; probes of"
        f" {len(late)} of its pods timed out ({names})",
        evidence=(
            quote(metrics, "usage[cpu]", "CPU in use, measured"),
            quote(node, "status.capacity[cpu]", "what it has"),
            *(quote(event, "message", f"seen {times(event.times)}") for _, event in late[:_MOST]),
        ),
        confidence=Confidence.LIKELY,
        affects=tuple(ref(pod) for pod, _ in late),
        fixes=(
            Fix(
                "Give what uses most a CPU request near its use, or a limit, so that the scheduler places it elsewhere"
            ),
        ),
        commands=(
            *use_of_pods(node, "cpu"),
            Command(kubectl("describe", "node", node.name), "the requests of its pods"),
        ),
    )


def _timeouts(pod: Pod, cluster: Cluster) -> list[Event]:
    return [
        event
        for event in cluster.events_about(ref(pod))
        if event.reason == "Unhealthy"
        and any(words in event.message for words in _TIMED_OUT)
        and has_path(event, "message")
        and event.seen_at is not None
        and cluster.taken_at - event.seen_at <= _LATELY
    ]
