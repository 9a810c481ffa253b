"""What a pressure of a node comes from, as far as it can be seen, and which pods are evicted next."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from typing import NamedTuple

from kubedoctor.cluster import (
    Cluster,
    Evidence,
    Node,
    NodeMetrics,
    Pod,
    PodMetrics,
    Quantity,
    Ref,
    amount_of,
    counted,
    ended_at,
    finished,
    format_bytes,
    has_path,
    listed,
    quote,
    ref,
    times,
    workload_of,
)
from kubedoctor.replay.kubelet.evictions import EvictionCandidate, Pressure, eviction_order

_RECENT = timedelta(hours=1)
_MOST = 3
_NAMESPACES = 6
_SIGNS = {
    Pressure.MEMORY: ("SystemOOM", "EvictionThresholdMet"),
    Pressure.DISK: ("FreeDiskSpaceFailed", "ImageGCFailed", "EvictionThresholdMet"),
    Pressure.PID: ("EvictionThresholdMet",),
}
"""Events of the kubelet about its node, what tells most first."""
_SHORT_OF = {
    Pressure.MEMORY: ("memory",),
    Pressure.DISK: ("ephemeral-storage", "inodes"),
    Pressure.PID: ("pids",),
}
_LOW = re.compile(
    r"node was low on resource: ([\w-]+)\.(?: Threshold quantity: (\w[\w.]*\w), available: (\w[\w.]*\w)\.)?",
    re.IGNORECASE,
)


_RECLAIMS = re.compile(r"attempting to reclaim ([\w-]+)", re.IGNORECASE)


class PressureFacts(NamedTuple):
    """inodes: what is quoted names them as what is short. threshold: a clause on a threshold that most of the resource does not reach, empty where none is known."""

    sentences: tuple[str, ...]
    evidence: tuple[Evidence, ...]
    next: tuple[EvictionCandidate, ...]
    threshold: str = ""
    inodes: bool = False


def shortage(node: Node, pressure: Pressure, pods: tuple[Pod, ...], cluster: Cluster) -> PressureFacts:
    """What the kubelet reports of it, and whom it evicts next by its own rules."""
    usages = dict(_measured(pods, cluster)) if pressure is Pressure.MEMORY else {}
    ranked = eviction_order(pods, pressure, usages)
    evicted = [pod for pod in pods if was_evicted(pod, pressure, cluster)]
    sentences = []
    if evicted:
        sentences.append(f"{counted(len(evicted), 'pod')} evicted from it in the last hour.")
    if ranked:
        sentences.append(_next(ranked, pressure))
    events = [event for event in cluster.maybe.events_about(ref(node)) if event.reason in _SIGNS[pressure]]
    events.sort(key=lambda event: _SIGNS[pressure].index(event.reason))
    evidence = [
        quote(event, "message", f"{event.reason}, seen {times(event.times)}")
        for event in events[:1]
        if has_path(event, "message")
    ]
    if pressure is Pressure.MEMORY:
        evidence += [
            quote(metrics, "usage[memory]", "memory in use on the node now")
            for metrics in cluster.measured(NodeMetrics, "", node.name)
            if has_path(metrics, "usage[memory]")
        ]
    evidence += [quote(pod, "status.message", "an evicted pod of it") for pod in evicted[:1]]
    evidence += [
        quote(metrics, f"containers[name={usage.name}].usage[memory]", "memory in use now")
        for candidate in ranked[:1]
        if isinstance(metrics := cluster.snapshot.get(_metrics_of(candidate.pod)), PodMetrics)
        for usage in (metrics.containers or ())[:2]
        if has_path(metrics, f"containers[name={usage.name}].usage[memory]")
    ]
    stated = [_RECLAIMS.search(event.message) for event in events[:1]]
    stated += [_LOW.search(pod.status.message) for pod in evicted[:1]]
    inodes = any(match is not None and match[1].lower() == "inodes" for match in stated)
    return PressureFacts(tuple(sentences), tuple(evidence), ranked, _threshold(node, pressure, evicted), inodes)


def _measured(pods: tuple[Pod, ...], cluster: Cluster) -> Iterator[tuple[Ref, int]]:
    """The memory that pods of a node use, where it is measured: of the namespaces with most pods on it, because a large
    cluster's are many."""
    often = Counter(pod.namespace for pod in pods if not finished(pod))
    namespaces = [namespace for namespace, _ in sorted(often.items(), key=lambda pair: (-pair[1], pair[0]))][
        :_NAMESPACES
    ]
    cluster.together(*(partial(cluster.measured, PodMetrics, namespace) for namespace in namespaces))
    usage = {ref(metrics): metrics for namespace in namespaces for metrics in cluster.measured(PodMetrics, namespace)}
    for pod in pods:
        metrics = usage.get(_metrics_of(pod))
        if metrics is not None and metrics.containers:
            amounts = [amount_of(usage.usage.get("memory")) or Quantity() for usage in metrics.containers]
            yield ref(pod), sum(amount.value() for amount in amounts)


def _metrics_of(pod: Pod) -> Ref:
    return Ref("PodMetrics", pod.namespace, pod.name)


def _bytes(text: str | None) -> int:
    return (amount_of(text) or Quantity()).value()


def was_evicted(pod: Pod, pressure: Pressure, cluster: Cluster) -> bool:
    if not finished(pod) or pod.status.reason != "Evicted":
        return False
    low = _LOW.search(pod.status.message)
    ended = ended_at(pod)
    recent = ended is None or cluster.taken_at - ended <= _RECENT
    return low is not None and low[1].lower() in _SHORT_OF[pressure] and recent


def _next(ranked: tuple[EvictionCandidate, ...], pressure: Pressure) -> str:
    names = listed((_words(candidate, pressure) for candidate in ranked), _MOST)
    rule = {
        Pressure.PID: "the lowest priority first, then the most processes; how many each has is not visible here",
        Pressure.MEMORY: "above its request first, then the lowest priority, then the most above the request",
        Pressure.DISK: "above its request first, then the lowest priority; how much each uses is not visible here",
    }[pressure]
    if pressure is Pressure.MEMORY and all(candidate.usage is None for candidate in ranked):
        rule = "without a request first, then the lowest priority; how much each uses was not measured"
    return f"Evicted next ({rule}): {names}."


def _words(candidate: EvictionCandidate, pressure: Pressure) -> str:
    resource = pressure.resource
    parts = [f"uses {format_bytes(candidate.usage)}"] if candidate.usage is not None else []
    if resource:
        parts.append(f"requests {format_bytes(candidate.request)}" if candidate.request else f"no {resource} request")
    if candidate.priority:
        parts.append(f"priority {candidate.priority}")
    known = f" ({', '.join(parts)})" if parts else ""
    return f"{candidate.pod.namespace}/{candidate.pod.name}{known}"


def _threshold(node: Node, pressure: Pressure, evicted: list[Pod]) -> str:
    """The kubelet's threshold, where it is so high that most of the resource may be free."""
    for pod in evicted:
        low = _LOW.search(pod.status.message)
        whole = _bytes((node.status.capacity or {}).get(pressure.resource))
        if low is None or not low[2] or not whole or low[1].lower() != pressure.resource:
            continue
        if _bytes(low[2]) * 2 >= whole:
            return f"the kubelet's threshold is {low[2]} of {format_bytes(whole)}, with {low[3]} available"
    return ""


def workload_to_limit(ranked: tuple[EvictionCandidate, ...], cluster: Cluster) -> Ref | None:
    """The workload of the pod that goes first, if it uses or may use more than it requests."""
    first = next(iter(ranked), None)
    return workload_of(first.pod, cluster) if first is not None and first.exceeds else None
