"""Pod is bound to a node that does not exist.

## What it means
The pod is bound to a node, so the scheduler skips it. The node does not exist, so no kubelet runs or stops the pod.
Its status stays as it was, even `Running` and ready, because no kubelet updates it. Services may still send requests
to it.

## Why it happens
- The node was deleted by hand, by an autoscaler or by the cloud while pods were on it. The controller manager deletes
  such pods within a minute; if they stay, it is down, or a finalizer blocks the deletion.
- `nodeName` was set by hand and names a node that never existed.

## How to fix it
1. Check the spelling: `nodeName` must name a node that exists.
2. Check that kube-controller-manager runs: its pod garbage collector removes these pods.
3. Force-delete the pod; its controller creates another pod, which the scheduler places. If the machine may still run,
   switch it off first: a program that must run only once, as in a StatefulSet, would run twice.

## References
- https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#pod-garbage-collection
- https://kubernetes.io/docs/concepts/architecture/nodes/
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta

from kubedoctor.cluster import (
    REMOVALS,
    Cluster,
    Event,
    Node,
    Pod,
    Ref,
    condition,
    is_missing,
    misspellings,
    placed,
    quote,
    ref,
)
from kubedoctor.findings import (
    Command,
    Confidence,
    Effect,
    Explains,
    Finding,
    Fix,
    Severity,
    delete_by_force,
    diagnostic,
    kubectl,
)


def on_a_missing_node(cluster: Cluster) -> Callable[[Pod], bool]:
    """A predicate of the few pods that are on no known node."""
    existing = {node.name for node in cluster.maybe.all(Node)}
    return lambda pod: pod.spec.node_name not in existing


COLLECTED = timedelta(minutes=1)
"""The time that the pod garbage collector may take: it runs every 20 s, and waits 40 s for a node to come back
(`pkg/controller/podgc`)."""


@diagnostic(
    code="KD1104",
    subject=Pod,
    severity=Severity.WARNING,
    reads=(Pod, Node, Event),
    when=placed,
    among=on_a_missing_node,
    explains=(Explains("runs", ("KD1201", "KD1215", "KD2001", "KD2005")),),
    also_known_as=("orphaned pod", "node no longer exists"),
    symptoms=("NodeLost", "Unknown", "NodeNotFound"),
)
def node_gone(pod: Pod, cluster: Cluster) -> Iterator[Finding]:
    if not placed(pod) or not is_missing(pod.spec.node_name, cluster):
        return
    node = pod.spec.node_name
    removals = [event for event in cluster.events_about(Ref("Node", "", node)) if event.reason in REMOVALS]
    if _collected_soon(pod, removals, cluster):
        return
    nodes = cluster.maybe.all(Node)
    similar = () if pod.status.start_time is not None else misspellings(node, (existing.name for existing in nodes), 1)
    yield Finding(
        about=Ref("Node", "", node),
        summary="node does not exist, but pods are still bound to it"
        + (f"; did you mean {similar[0]}?" if similar else ""),
        evidence=(
            quote(pod, "spec.nodeName", "this node does not exist"),
            *((quote(pod, "status.phase", "no kubelet updates it"),) if pod.status.phase else ()),
            *(quote(event, "reason", "the node was removed") for event in removals[-1:]),
        ),
        severity=Severity.NOTICE if _left_behind(pod) else None,
        confidence=Confidence.CERTAIN,
        affects=(ref(pod),),
        fixes=(
            *(
                Fix(f"Delete and recreate the pod with nodeName {name}, or without nodeName so that it is scheduled")
                for name in similar
            ),
            Fix(
                "Force-delete the pod: no kubelet can confirm its end",
                delete_by_force(ref(pod)),
                Effect.DISRUPTS,
            ),
        ),
        commands=(
            Command(
                kubectl("get", "pods", "-A", "-o", "wide", "--field-selector", f"spec.nodeName={node}"),
                "all pods bound to it",
            ),
            Command("kubectl get nodes", "the nodes that exist"),
        ),
    )


def _collected_soon(pod: Pod, removals: list[Event], cluster: Cluster) -> bool:
    """The pod or its binding is new, or the node was deleted just now."""
    scheduled = condition(pod.status.conditions, "PodScheduled")
    times = [pod.metadata.creation_timestamp, scheduled.last_transition_time if scheduled is not None else None]
    times += [event.seen_at for event in removals]
    return any(at is not None and cluster.taken_at - at < COLLECTED for at in times)


def _left_behind(pod: Pod) -> bool:
    """A DaemonSet's pod or a mirror pod: a drain leaves them on the node, and no other node needs them."""
    owners = pod.metadata.owner_references or ()
    return bool(owners) and all(owner.kind in ("DaemonSet", "Node") for owner in owners)
