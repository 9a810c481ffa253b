"""What a node that does not report holds: pods that cannot end, volumes that stay attached."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NamedTuple

from kubedoctor.cluster import (
    Cluster,
    Evidence,
    Node,
    Pod,
    VolumeAttachment,
    controller_of,
    counted,
    finished,
    listed,
    quote,
    ref,
    terminating,
)
from kubedoctor.cluster.changes import Step, edit
from kubedoctor.findings import Effect, Fix, command_line
from kubedoctor.replay.disruption.taint_evictions import taint_eviction

OUT_OF_SERVICE = "node.kubernetes.io/out-of-service"
_TAINT = {"key": OUT_OF_SERVICE, "value": "nodeshutdown", "effect": "NoExecute"}
_MOST_NAMES = 3
_LONG = timedelta(minutes=5)
"""Before, a machine may only restart: pods tolerate it for as long by default."""


class HeldByNode(NamedTuple):
    """words: sentences of what it holds and when its pods are deleted; empty where it holds nothing."""

    words: tuple[str, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    fixes: tuple[Fix, ...] = ()


def held_by(node: Node, pods: list[Pod], silent: timedelta, cluster: Cluster) -> HeldByNode:
    """What the pods and volumes of a node wait for whose kubelet has not reported for that time."""
    attachments = [
        attachment
        for attachment in cluster.maybe.all(VolumeAttachment)
        if attachment.spec.node_name == node.name and attachment.status.attached
    ]
    ending = [pod for pod in pods if terminating(pod)]
    sets = sorted(
        {owner.title for pod in pods if (owner := controller_of(pod)) is not None and owner.kind == "StatefulSet"}
    )
    words = []
    if leave := _when_they_leave(node, pods, cluster.taken_at):
        words.append(leave)
    if ending:
        names = listed(sorted(ref(pod).title for pod in ending), _MOST_NAMES)
        words.append(f"Terminating until the kubelet confirms it or the node is removed: {names}.")
    if sets:
        words.append(f"{listed(sets, _MOST_NAMES)} creates no replacement before its pod here is gone.")
    volumes = sorted(attachment.spec.source.persistent_volume_name or "an inline volume" for attachment in attachments)
    if volumes:
        words.append(f"Still attached to it: {listed(volumes, _MOST_NAMES)}.")
    evidence = (
        *(quote(pod, "metadata.deletionTimestamp", "cannot end: the kubelet does not report") for pod in ending[:2]),
        *(quote(attachment, "spec.nodeName", "its volume stays attached") for attachment in attachments[:2]),
    )
    return HeldByNode(
        tuple(words), evidence, _released(node) if silent >= _LONG and (volumes or ending or sets) else ()
    )


def _released(node: Node) -> tuple[Fix, ...]:
    """The taint for a machine that is off: only then no second pod writes to the same volume."""
    if any(taint.key == OUT_OF_SERVICE for taint in node.spec.taints or ()):
        return ()
    change = edit(ref(node), Step(("spec", "taints", "-"), _TAINT))
    return (
        Fix(
            "Only if the machine is off and stays off: mark it out of service. Its pods are then deleted by force and its"
            " volumes detached, so that other nodes can take them. On a machine that still runs, two pods would write to"
            " one volume. Remove the taint when the machine is back",
            command_line(change, node),
            Effect.DISRUPTS,
        ),
    )


def _when_they_leave(node: Node, pods: list[Pod], now: datetime) -> str:
    """When the taints of the node have its pods deleted, those that still run."""
    evictions = [taint_eviction(pod, node.spec.taints) for pod in pods if not terminating(pod) and not finished(pod)]
    times = sorted(eviction.at for eviction in evictions if eviction is not None and eviction.at is not None)
    ahead = [time for time in times if time > now]
    if not ahead:
        return ""
    return f"{counted(len(ahead), 'pod')} on it will be deleted at {ahead[0]:%H:%M} UTC, unless it is Ready before."
