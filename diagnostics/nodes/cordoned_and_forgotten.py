"""Node is cordoned, and no drain is going on (SchedulingDisabled).

## What it means
A cordoned node gets no new pods; those that run there stay. It is meant for a drain or a repair, and only
`kubectl uncordon` ends it.

## Why it happens
- A drain or an upgrade was broken off, and the node was left as it was.
- The node was repaired, and it was left cordoned.
- It is kept out on purpose, for an investigation.

## How to fix it
1. Look who changed it and when: `kubectl get node NODE -o yaml --show-managed-fields`.
2. If the reason is over: `kubectl uncordon NODE`. If it is to go: drain and delete it.

## References
- https://kubernetes.io/docs/tasks/administer-cluster/safely-drain-node/
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from diagnostics.nodes._leaving import is_removed
from kubedoctor.cluster import (
    Cluster,
    Evidence,
    Node,
    Pod,
    condition,
    counted,
    finished,
    has_path,
    human_duration,
    listed,
    quote,
    ref,
    terminating,
    unscheduled,
)
from kubedoctor.cluster.changes import put
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
    own_command,
)
from kubedoctor.replay.scheduler.plugins.node_unschedulable import CORDONED
from kubedoctor.replay.scheduler.plugins.taint_toleration import TAINT
from kubedoctor.replay.scheduler.said.messages import parse_message

PATIENCE = timedelta(hours=24)
WHILE_PODS_WAIT = timedelta(hours=1)
_TAINT = "node.kubernetes.io/unschedulable"
_SCHEDULED = "status.conditions[type=PodScheduled].message"


def cordoned(node: Node) -> bool:
    """It accepts no new pods."""
    return node.spec.unschedulable


@diagnostic(
    code="KD4005",
    subject=Node,
    severity=Severity.WARNING,
    reads=(Node, Pod),
    when=cordoned,
    explains=tuple(Explains(relation, ("KD1101",)) for relation in ("same", "affects", "blamed")),
    also_known_as=("SchedulingDisabled",),
    symptoms=("cordoned", "unschedulable", "NodeNotSchedulable"),
)
def cordoned_and_forgotten(node: Node, cluster: Cluster) -> Iterator[Finding]:
    since = _since(node)
    if not node.spec.unschedulable or since is None or cluster.taken_at - since < WHILE_PODS_WAIT or is_removed(node):
        return
    here = [pod for pod in cluster.pods_on(node.name) if not finished(pod)]
    if any(_leaves(pod) for pod in here):
        return  # A drain is going on.
    waiting = [pod for pod in cluster.snapshot.of_kind("Pod") if isinstance(pod, Pod) and _waits_for_a_cordoned(pod)]
    if not waiting and cluster.taken_at - since < PATIENCE:
        return
    wait = ""
    if waiting:
        names = listed(sorted(f"{pod.namespace}/{pod.name}" for pod in waiting), 3)
        verb = "waits" if len(waiting) == 1 else "wait"
        wait = f"; {counted(len(waiting), 'pod')} {verb} for a node that is not cordoned: {names}"
    yield Finding(
        about=ref(node),
        summary=f"cordoned for {human_duration(cluster.taken_at - since)}, and no drain is going on;"
        f" {counted(len(here), 'pod')} on it{wait}",
        evidence=(
            quote(node, "spec.unschedulable", "it gets no new pods"),
            quote(node, "spec.taints", "since when"),
            *_waits(waiting),
        ),
        confidence=Confidence.CERTAIN if waiting else Confidence.LIKELY,
        severity=None if waiting else Severity.NOTICE,
        affects=tuple(ref(pod) for pod in waiting),
        fixes=(
            Fix(
                f"Uncordon {node.name}, if its repair is over",
                command_line(put(ref(node), ("spec", "unschedulable"), False), node),
                Effect.CHANGES,
            ),
        ),
        commands=(
            Command(
                kubectl("get", "node", node.name, "-o", "yaml", "--show-managed-fields"), "who cordoned it, and when"
            ),
            Command(own_command("can-drain", node.name), "which pods would leave, and what blocks a drain"),
        ),
    )


def _since(node: Node) -> datetime | None:
    """Kubernetes sets this taint together with the cordon."""
    return next((taint.time_added for taint in node.spec.taints or () if taint.key == _TAINT), None)


def _leaves(pod: Pod) -> bool:
    target = condition(pod.status.conditions, "DisruptionTarget")
    return terminating(pod) or (target is not None and target.status == "True")


def _waits_for_a_cordoned(pod: Pod) -> bool:
    """No node is left but cordoned ones, and those with a taint."""
    if not unscheduled(pod) or terminating(pod):
        return False
    stated = condition(pod.status.conditions, "PodScheduled")
    message = parse_message(stated.message) if stated is not None and stated.status == "False" else None
    obstacles = {reason.obstacle for reason in message.reasons} if message is not None else set()
    return CORDONED in obstacles and obstacles <= {CORDONED, TAINT}


def _waits(waiting: list[Pod]) -> tuple[Evidence, ...]:
    return tuple(quote(pod, _SCHEDULED, "the scheduler's message") for pod in waiting[:1] if has_path(pod, _SCHEDULED))
