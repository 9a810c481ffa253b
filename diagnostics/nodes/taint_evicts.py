"""Pods will be evicted by a taint of their node (NoExecute, tolerationSeconds).

## What it means
A taint with the effect NoExecute removes pods from the node: those without a toleration at once, those with
`tolerationSeconds` after that time. Their controllers create them again, on other nodes if there is room.

## Why it happens
- A user tainted the node for a repair, and the pods have a toleration for a limited time.
- An operator or a cloud's agent taints nodes before it stops them.

## How to fix it
1. If the node should keep its pods: `kubectl taint nodes NODE KEY:NoExecute-`.
2. If a pod must stay: give it a toleration without `tolerationSeconds`.

## References
- https://kubernetes.io/docs/concepts/scheduling-eviction/taint-and-toleration/#taint-based-evictions
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from diagnostics.nodes.node_not_ready import unready
from kubedoctor.cluster import Cluster, Node, Pod, counted, finished, human_duration, listed, quote, ref, terminating
from kubedoctor.cluster.changes import Step, edit
from kubedoctor.findings import (
    Command,
    Confidence,
    Effect,
    Explains,
    Finding,
    Fix,
    Severity,
    command_line,
    diagnostic,
    kubectl,
)
from kubedoctor.replay.disruption.taint_evictions import NO_EXECUTE, taint_eviction


def evicting(node: Node) -> bool:
    """A taint that evicts, on a node that is Ready: a node that is not has such taints from Kubernetes itself."""
    return any(taint.effect == NO_EXECUTE for taint in node.spec.taints or ()) and not unready(node)


SOON: Final = timedelta(days=1)
"""A notice about a later eviction would be forgotten."""


@diagnostic(
    code="KD4006",
    subject=Node,
    severity=Severity.NOTICE,
    reads=(Node, Pod),
    when=evicting,
    explains=(Explains("blamed", ("KD1024", "KD1204")),),
    also_known_as=("taint-based eviction",),
    symptoms=("TaintManagerEviction", "NoExecute", "tolerationSeconds"),
)
def taint_evicts(node: Node, cluster: Cluster) -> Iterator[Finding]:
    taints = node.spec.taints or ()
    leaving: dict[int, list[tuple[Pod, str]]] = {}
    for pod in cluster.pods_on(node.name):
        eviction = taint_eviction(pod, taints) if not (finished(pod) or terminating(pod)) else None
        if eviction is not None and eviction.after:
            if eviction.at is None:
                at = f"{human_duration(eviction.after)} after it"
            elif cluster.taken_at < eviction.at <= cluster.taken_at + SOON:
                at = f"in {human_duration(eviction.at - cluster.taken_at)}"
            else:
                continue  # Far away, or the taint manager is about to act.
            leaving.setdefault(taints.index(eviction.taint), []).append((pod, at))
    for index, pods in leaving.items():
        taint = taints[index]
        text = f"{taint.key}{f'={taint.value}' if taint.value else ''}:{taint.effect}"
        names = listed((f"{pod.namespace}/{pod.name} {at}" for pod, at in pods), 3)
        yield Finding(
            about=ref(node),
            aspect=text,
            summary=f"the taint {text} will evict {counted(len(pods), 'pod')}: {names}",
            evidence=(
                quote(node, "spec.taints", "evicts what does not tolerate it"),
                quote(pods[0][0], "spec.tolerations", "for a limited time only"),
            ),
            confidence=Confidence.CERTAIN,
            affects=tuple(ref(pod) for pod, _ in pods),
            fixes=(
                Fix(
                    f"Remove the taint {text}, if the node should keep its pods",
                    command_line(edit(ref(node), Step(("spec", "taints", index), remove=True)), node),
                    Effect.CHANGES,
                ),
            ),
            commands=(Command(kubectl("describe", "node", node.name), "taints and events of the node"),),
        )
