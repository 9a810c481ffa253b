"""Kubelet cannot free disk space (ImageGCFailed, FreeDiskSpaceFailed).

## What it means
The kubelet removes images that no container uses when their disk is fuller than `imageGCHighThresholdPercent` (85 %), and
containers that ended. It tried, and could not free enough, or the container runtime did not answer. The node still works.
The next step is DiskPressure: the node then takes no pods, and the kubelet evicts.

## Why it happens
- All images that are left are in use, and something else fills the disk: logs, files of containers, other programs.
- The disk is too small for the images of the pods on the node.
- The container runtime is slow or hangs, so that it cannot list or remove images.
- The kubelet cannot measure the disk: "invalid capacity 0 on image filesystem". Once, at its start, that is normal.

## How to fix it
1. See what fills the disk: `df -h`, `du -xsh /var/lib/* /var/log/*` and `crictl images` on the node.
2. Remove what is not needed, or give the node a larger disk.
3. If the runtime does not answer: restart it.

## References
- https://kubernetes.io/docs/concepts/architecture/garbage-collection/#containers-images
- https://kubernetes.io/docs/concepts/scheduling-eviction/node-pressure-eviction/
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from diagnostics.nodes._events import recent_events
from diagnostics.nodes.shortage._long_list import REPAIR, too_long
from kubedoctor.cluster import (
    Cluster,
    Event,
    Node,
    condition,
    has_path,
    human_duration,
    quote,
    ref,
    times,
    visible_end,
)
from kubedoctor.findings import Command, Confidence, Finding, Fix, Severity, diagnostic, kubectl
from kubedoctor.replay.kubelet.evictions import Pressure
from kubedoctor.replay.messages.classes import MessageClass
from kubedoctor.replay.messages.message import Message
from kubedoctor.replay.messages.reader import read_message

_REASONS = ("FreeDiskSpaceFailed", "ImageGCFailed", "ContainerGCFailed", "InvalidDiskCapacity")
"""What tells most first."""
STILL = timedelta(minutes=15)
"""The kubelet tries every five minutes to remove images, and every minute to remove containers."""
AGAIN = {"FreeDiskSpaceFailed": 1, "ImageGCFailed": 2, "ContainerGCFailed": 2, "InvalidDiskCapacity": 3}
"""How often it must fail: the kubelet writes some of them once when it starts before the container runtime."""
LONGEST_MESSAGE = 300


@diagnostic(
    code="KD4010",
    subject=Node,
    severity=Severity.WARNING,
    reads=(Node, Event),
    symptoms=(*_REASONS, "failed to garbage collect", "wanted to free"),
)
def garbage_collection_fails(node: Node, cluster: Cluster) -> Iterator[Finding]:
    disk = condition(node.status.conditions, Pressure.DISK)
    if disk is not None and disk.status == "True":
        return  # The pressure is what follows, and its diagnostic quotes these events.
    events = recent_events(node, cluster, *_REASONS, within=STILL)
    for reason in _REASONS:
        told = [event for event in events if event.reason == reason and has_path(event, "message")]
        if sum(event.times for event in told) >= AGAIN[reason]:
            yield _finding(node, told, cluster)
            return


def _finding(node: Node, told: list[Event], cluster: Cluster) -> Finding:
    newest = told[0]
    reading = read_message(Message(text=newest.message, reason=newest.reason, kind="Node"))
    message = visible_end(newest.message, LONGEST_MESSAGE).rstrip(". ")
    by_the_runtime = reading is not None and reading.message_class is MessageClass.NODE_RUNTIME_DOWN
    what, fix = _words(newest.reason, by_the_runtime=by_the_runtime)
    if long := too_long(newest.message):
        what, fix = long, REPAIR
    since = cluster.taken_at - newest.seen_at if newest.seen_at is not None else timedelta()
    return Finding(
        about=ref(node),
        summary=f"{what}, last {human_duration(since)} ago: {message}",
        evidence=(quote(newest, "message", f"{newest.reason}, seen {times(sum(event.times for event in told))}"),),
        confidence=Confidence.CERTAIN,
        fixes=(Fix(fix),),
        commands=(
            Command(kubectl("describe", "node", node.name), "its conditions and events"),
            Command(
                kubectl("get", "node", node.name, "-o", "jsonpath={.status.images[*].sizeBytes}"),
                "the largest images on it",
            ),
        ),
    )


def _words(reason: str, *, by_the_runtime: bool) -> tuple[str, str]:
    if by_the_runtime:
        what = "images" if reason.startswith("Image") else "containers"
        return (
            f"the container runtime does not answer when the kubelet removes {what}",
            "Restart the container runtime on the node; if it hangs again, look for a slow or full disk there",
        )
    if reason == "InvalidDiskCapacity":
        return (
            "the kubelet cannot measure the disk of images",
            "Check that the container runtime reports its image file system: `crictl imagefsinfo` on the node",
        )
    if reason == "ContainerGCFailed":
        return (
            "the kubelet cannot remove containers that ended",
            "Fix what the message names; `crictl ps -a` lists them",
        )
    return (
        "the kubelet cannot free enough disk space by removing images",
        "Free disk space on the node, or give it a larger disk: the images that are left are in use",
    )
