"""Node was restarted (Rebooted).

## What it means
The machine was started again. All its containers ended with it, and the kubelet started them again: each pod there shows a
restart, often with the reason `Unknown` and exit code 255. That is not a fault of these programs. Once they are ready
again the restart is history; a machine that keeps restarting is not.

## Why it happens
- A user, an automatic update (kured, unattended-upgrades) or the cloud restarted it.
- The kernel crashed (panic), a watchdog fired, or the power failed.
- The machine has a defect: memory, disk, power supply.

## How to fix it
1. Ask who restarted it: `journalctl --list-boots` and `journalctl -b -1 -e` on the node show the end of the last run.
2. If it keeps restarting, cordon and drain it, and replace the machine.

## References
- https://kubernetes.io/docs/concepts/architecture/nodes/
- https://kubernetes.io/docs/concepts/cluster-administration/node-shutdown/
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import NamedTuple

from diagnostics.nodes._events import recent_events
from kubedoctor.cluster import (
    Cluster,
    Event,
    Evidence,
    Node,
    Pod,
    counted,
    finished,
    has_path,
    human_duration,
    quote,
    ready,
    ref,
    terminating,
    times,
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
)
from kubedoctor.replay.kubelet.endings import LOST, last_ending
from kubedoctor.replay.kubelet.node_events import REBOOTED, boot_named

AGAIN_AND_AGAIN = 3
_AT_ONCE = timedelta(minutes=2)
"""The runtime finds all containers of before the restart dead when it starts."""
_FEWEST = 2
_BOOT_ID = "status.nodeInfo.bootID"


@diagnostic(
    code="KD4007",
    subject=Node,
    severity=Severity.NOTICE,
    reads=(Node, Pod, Event),
    explains=(Explains("blamed", ("KD1003", "KD1024", "KD1204")),),
    also_known_as=("node reboot",),
    symptoms=("Rebooted", "exit code 255", "Unknown", "ContainerStatusUnknown"),
)
def node_restarted(node: Node, cluster: Cluster) -> Iterator[Finding]:
    events = [event for event in recent_events(node, cluster, REBOOTED) if has_path(event, "message")]
    restart = _reported(node, events) if events else _by_its_pods(node, cluster)
    if restart is None:
        return
    pods = [pod for pod in cluster.pods_at_hand(node.name) if not finished(pod) and not terminating(pod)]
    left = [pod for pod in pods if not ready(pod)]
    state = f"{counted(len(left), 'pod')} on it not ready yet" if left else "all its pods are ready again"
    often = restart.number >= AGAIN_AND_AGAIN
    count = f"{times(restart.number)} in the last hour, last " if restart.number > 1 else ""
    yield Finding(
        about=ref(node),
        severity=Severity.WARNING if often else None,
        summary=f"the machine was restarted {count}{human_duration(cluster.taken_at - restart.at)} ago"
        f"{f'; {state}' if pods else ''}",
        evidence=restart.evidence,
        confidence=Confidence.CERTAIN if events else Confidence.LIKELY,
        would_disprove="" if events else "Other boot times on the node: `journalctl --list-boots`.",
        affects=tuple(map(ref, left)),
        fixes=_cordon(node) if often else (),
        commands=(
            Command(kubectl("describe", "node", node.name), "its events and boot id"),
            Command(
                kubectl("get", "pods", "-A", "-o", "wide", "--field-selector", f"spec.nodeName={node.name}"),
                "the pods on the node",
            ),
        ),
    )


class _Restart(NamedTuple):
    at: datetime
    number: int
    evidence: tuple[Evidence, ...]


def _reported(node: Node, events: list[Event]) -> _Restart | None:
    newest = events[0]
    boots = {boot_named(event.message) or event.metadata.name for event in events}
    same = boot_named(newest.message) == node.status.node_info.boot_id
    boot = (quote(node, _BOOT_ID, "of its present run"),) if same and has_path(node, _BOOT_ID) else ()
    return (
        _Restart(newest.seen_at, len(boots), (quote(newest, "message"), *boot)) if newest.seen_at is not None else None
    )


def _by_its_pods(node: Node, cluster: Cluster) -> _Restart | None:
    """All that ran on it ended at once, and the runtime had lost track of each: events expire sooner."""
    lost: list[tuple[datetime, Evidence]] = []
    for pod in cluster.pods_at_hand(node.name):
        if finished(pod) or terminating(pod):
            continue
        ends = list(_lost(pod))
        if ends:
            lost.append(min(ends, key=lambda end: end[0]))
        elif _ran_before(pod, lost):
            return None
    if len(lost) < _FEWEST:
        return None
    moments = [at for at, _ in lost]
    first, last = min(moments), max(moments)
    if last - first > _AT_ONCE or not timedelta() <= cluster.taken_at - last <= timedelta(hours=1):
        return None
    return _Restart(last, 1, tuple(fact for _, fact in lost[:3]))


def _lost(pod: Pod) -> Iterator[tuple[datetime, Evidence]]:
    for status in pod.status.container_statuses or ():
        ending = last_ending(status)
        if ending is None or ending.terminated.reason not in LOST or ending.terminated.finished_at is None:
            continue
        path = f"status.containerStatuses[name={status.name}].{ending.place}.reason"
        yield ending.terminated.finished_at, quote(pod, path, "ended with its node")


def _ran_before(pod: Pod, lost: list[tuple[datetime, Evidence]]) -> bool:
    """A container that went on running while those of other pods were lost: then the machine was not restarted."""
    starts = [
        status.state.running.started_at
        for status in pod.status.container_statuses or ()
        if status.state is not None and status.state.running is not None
    ]
    return any(start is not None and start < at - _AT_ONCE for start in starts for at, _ in lost)


def _cordon(node: Node) -> tuple[Fix, ...]:
    replace = Fix("Drain it, and look for the reason in the log of its last run: `journalctl -b -1 -e`")
    if node.spec.unschedulable:
        return (replace,)
    line = command_line(put(ref(node), ("spec", "unschedulable"), True), node)
    return (Fix("Cordon the node, so that it gets no more pods", line, Effect.CHANGES), replace)
