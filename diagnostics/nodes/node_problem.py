"""Node reports a problem (KernelDeadlock, ReadonlyFilesystem, FrequentKubeletRestart).

## What it means
A program on the node, such as the node-problem-detector or a cloud's agent, reads the kernel's and the services' logs and
reports what it finds as a condition of the node. Kubernetes itself does not act on it: the node can be Ready, and pods are
still scheduled to it.

## Why it happens
- KernelDeadlock: a task of the kernel hangs, often of the container runtime.
- ReadonlyFilesystem: the kernel remounted a disk read-only after an error.
- FrequentKubeletRestart, FrequentContainerdRestart, FrequentDockerRestart: a service ends and is started repeatedly.
- Hardware: memory, disk or GPU errors; a cloud that plans to restart the machine.

## How to fix it
1. Read the condition's message, and the log that it was found in: `journalctl -k`, `journalctl -u kubelet`.
2. Cordon the node and drain it, then restart or replace the machine.

## References
- https://kubernetes.io/docs/tasks/debug/debug-cluster/monitor-node-health/
"""

from __future__ import annotations

from collections.abc import Iterator

from diagnostics.nodes._disk import REPAIR_DISK
from kubedoctor.cluster import Cluster, Condition, Node, has_path, human_duration, quote, ref
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
from kubedoctor.replay.messages.classes import MessageClass
from kubedoctor.replay.messages.message import Message
from kubedoctor.replay.messages.reader import read_message
from kubedoctor.replay.status.node_problems import node_problems

_SEVERE = frozenset({MessageClass.NODE_READ_ONLY_FILESYSTEM, MessageClass.NODE_KERNEL})
_FIXES = {
    MessageClass.NODE_READ_ONLY_FILESYSTEM: REPAIR_DISK.format(node="the node"),
    MessageClass.NODE_KERNEL: "Drain the node, and restart the machine; look for the kernel's message in `journalctl -k`",
    MessageClass.NODE_RUNTIME_DOWN: "Look why the container runtime ends: its log on the node (`journalctl -u containerd`)",
    MessageClass.NODE_KUBELET_SILENT: "Look why the kubelet ends: `journalctl -u kubelet` on the node",
    MessageClass.NODE_INTERRUPTION: "Drain the node before the machine is stopped",
}
_OTHERWISE = "Repair what the message names, or replace the machine"


def has_problem(node: Node) -> bool:
    """A condition of another program than the kubelet states a problem."""
    return next(node_problems(node), None) is not None


@diagnostic(
    code="KD4004",
    subject=Node,
    severity=Severity.WARNING,
    reads=(Node,),
    when=has_problem,
    explains=(Explains("same", ("KD4001", "KD1023")),),
    also_known_as=("node-problem-detector",),
    symptoms=(
        "KernelDeadlock",
        "ReadonlyFilesystem",
        "FrequentKubeletRestart",
        "FrequentContainerdRestart",
        "KernelOops",
    ),
)
def node_problem(node: Node, cluster: Cluster) -> Iterator[Finding]:
    for stated in node_problems(node):
        kind = _kind(stated)
        since = stated.last_transition_time
        age = f" for {human_duration(cluster.taken_at - since)}" if since is not None else ""
        message = " ".join(stated.message.split()).rstrip(". ") or stated.reason or "no message"
        path = f"status.conditions[type={stated.type}]"
        fields = ("status", "reason", "message")
        planned = kind is MessageClass.NODE_INTERRUPTION
        yield Finding(
            about=ref(node),
            aspect=stated.type,
            summary=f"{stated.type} is {stated.status}{age}: {message}",
            evidence=tuple(quote(node, f"{path}.{field}", "") for field in fields if has_path(node, f"{path}.{field}")),
            confidence=Confidence.CERTAIN,
            severity=Severity.NOTICE if planned else Severity.CRITICAL if kind in _SEVERE else None,
            fixes=(*_cordon(node), Fix(_FIXES.get(kind, _OTHERWISE) if kind is not None else _OTHERWISE)),
            commands=(
                Command(own_command("can-drain", node.name), "which pods would leave, and what blocks a drain"),
                Command(kubectl("describe", "node", node.name), "conditions and events of the node"),
            ),
        )


def _kind(stated: Condition) -> MessageClass | None:
    if stated.type.endswith("Scheduled"):
        return MessageClass.NODE_INTERRUPTION
    reading = read_message(Message(text=stated.message, reason=stated.reason, kind="Node"))
    return reading.message_class if reading is not None and reading.known else None


def _cordon(node: Node) -> tuple[Fix, ...]:
    if node.spec.unschedulable:
        return ()
    line = command_line(put(ref(node), ("spec", "unschedulable"), True), node)
    return (Fix("Cordon the node, so that it gets no more pods", line, Effect.CHANGES),)
