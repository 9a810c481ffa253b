"""Pod was evicted.

## What it means
The kubelet ended the pod because its node ran short of a resource, or because the pod exceeded a storage limit. An
evicted pod is not restarted: its controller creates a new pod, and the evicted pod stays as a record in phase `Failed`.
If the cause is the pod itself, the new pod will be evicted too.

## Why it happens
- The pod wrote more to its file system, its logs or an `emptyDir` than its limit allows.
- The node ran short of memory, disk, inodes or process ids (PIDs), and the pod used more than it requested.
- The template sets `nodeName`: each new pod goes back to the same node, past the scheduler and the node's pressure taint.

## How to fix it
1. Storage limit: find what is written and where; move data to a volume, or raise the `ephemeral-storage` limit.
2. Node short of a resource: set requests near the real use. Pods that stay within their requests are evicted last.
3. Delete the evicted pods: `kubectl delete pods --field-selector=status.phase=Failed -n NAMESPACE`.

## References
- https://kubernetes.io/docs/concepts/scheduling-eviction/node-pressure-eviction/
- https://kubernetes.io/docs/concepts/configuration/manage-resources-containers/#local-ephemeral-storage
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta

from diagnostics.pods._node import blamed_node
from diagnostics.pods.ended._pinned import pinned_by_template
from diagnostics.pods.ended._replacement import is_alone, is_replaced
from kubedoctor.cluster import WORKLOADS, Cluster, Event, Pod, ended_at, finished, visible
from kubedoctor.findings import (
    Command,
    Confidence,
    Evidence,
    Explains,
    Finding,
    Fix,
    Ref,
    Severity,
    at_fault,
    diagnostic,
    fix_by_hand,
    has_path,
    kubectl,
    look_at_pod,
    newest_event,
    quote,
    quote_spec,
    ref,
)
from kubedoctor.replay.messages.classes import MessageClass
from kubedoctor.replay.messages.message import Message
from kubedoctor.replay.messages.reader import read_message

RECENT = timedelta(hours=1)
"""The consequences of an older eviction show in the pods that the controller created since."""
_CONDITION = re.compile(r"node had condition: \[([\w, ]+)\]", re.IGNORECASE)
"""Of the kubelet that admits no pod while its node is short of something."""
_NODE = re.compile(r"node was low on resource: ([\w./-]*\w)", re.IGNORECASE)


@diagnostic(
    code="KD1017",
    subject=Pod,
    severity=Severity.WARNING,
    reads=(Event, *WORKLOADS),
    when=finished,
    explains=(Explains("same", ("KD1201", "KD1204", "KD1215")), Explains("selects", ("KD2001", "KD2005"))),
    symptoms=("Evicted", "Eviction", "Preempting"),
)
def evicted(pod: Pod, cluster: Cluster) -> Iterator[Finding]:
    if not finished(pod):
        return
    replaced = bool(pod.metadata.owner_references)
    ended = ended_at(pod) or (pod.metadata.creation_timestamp if replaced else None)
    old = ended is not None and cluster.taken_at - ended > RECENT
    if old and replaced:
        return
    message, evidence = "", []
    if pod.status.reason == "Evicted" and has_path(pod, "status.message"):
        message = pod.status.message
        fields = ("phase", "reason", "message")
        evidence = [quote(pod, f"status.{field}") for field in fields if has_path(pod, f"status.{field}")]
    elif pod.status.phase == "Failed" or pod.spec.restart_policy == "Always":
        # For a pod whose program exits with code 0 during the eviction, the event is the only evidence.
        event = newest_event(pod, cluster, "Evicted")
        if event is not None and has_path(event, "message"):
            message, evidence = event.message, [quote(event, "message")]
    if message:
        over = old or (replaced and is_replaced(pod, cluster) and is_alone(pod, cluster))
        yield _finding(pod, visible(" ".join(message.split()), 300), evidence, cluster, over)


def _finding(pod: Pod, message: str, evidence: list[Evidence], cluster: Cluster, over: bool) -> Finding:
    about = at_fault(pod, cluster)
    bare = about == ref(pod)
    who = "the pod" if bare else "a pod"
    node = _NODE.search(message)
    because: tuple[Ref, ...] = ()
    pinned = None
    reading = read_message(Message(text=message, reason="Evicted", kind="Pod"))
    if reading is not None and reading.message_class is MessageClass.EVICT_OWN_LIMIT:
        summary = f"{who} was evicted for its disk use: {message.rstrip('. ')}"
        fix = fix_by_hand(
            about, "Write less, use a volume, or raise the ephemeral-storage limit (for an emptyDir: sizeLimit)"
        )
        for container in pod.spec.containers:
            evidence += quote_spec(
                pod, cluster, about, container.name, "resources.limits[ephemeral-storage]", "the limit"
            )
    elif had := _CONDITION.search(message):
        summary = f"{who} was rejected by node {pod.spec.node_name}, which has {had[1]}: {message.rstrip('. ')}"
        because, pinned = blamed_node(pod), pinned_by_template(about, cluster)
        fix = Fix(f"End the {had[1]} of node {pod.spec.node_name}: the pod was not the cause")
    else:
        resource = node.group(1) if node else "a resource"
        summary = f"{who} was evicted because its node was short of {resource}: {message.rstrip('. ')}"
        because, pinned = blamed_node(pod), pinned_by_template(about, cluster)
        fix = fix_by_hand(about, f"Set the {node.group(1) if node else 'resource'} request near the real use")
    return Finding(
        about=about,
        summary=summary + (pinned.clause if pinned is not None else ""),
        confidence=Confidence.CERTAIN,
        evidence=(*evidence, *((pinned.evidence,) if pinned is not None else ())),
        fixes=(*((pinned.fix,) if pinned is not None else ()), fix),
        commands=(
            look_at_pod(pod, "the eviction message"),
            Command(kubectl("get", "pods", "-o", "wide", namespace=pod.namespace), "whether more pods are evicted"),
        ),
        because_of=because,
        detail=_detail(bare, over),
        severity=Severity.NOTICE if over else None,
    )


def _detail(bare: bool, over: bool) -> str:
    if bare:
        return "The pod has no controller: it is not replaced."
    return "Its controller has replaced it, and the replacement is ready." if over else ""
