"""Volume is not detached from a node, so that no other node gets it.

## What it means
Kubernetes has asked the driver to detach a volume (its VolumeAttachment is being deleted), and the driver fails each time.
A volume for one node (ReadWriteOnce) cannot be attached elsewhere before that: pods that mount it stay in
ContainerCreating with a Multi-Attach error.

## Why it happens
- The machine was deleted, and the driver does not find it.
- The node is down: the driver waits until the disk is safe to detach.
- The provider or the driver's controller does not answer, or the driver may not detach disks.

## How to fix it
1. Check at the provider whether the disk is still attached to a machine, and detach it there.
2. For a node that is off for certain: taint it `node.kubernetes.io/out-of-service`.
3. Only if the disk is attached nowhere: remove the finalizers of the VolumeAttachment. A disk that two machines write to is
   damaged.

## References
- https://kubernetes.io/docs/concepts/cluster-administration/node-shutdown/#non-graceful-node-shutdown
- https://kubernetes.io/docs/reference/kubernetes-api/config-and-storage-resources/volume-attachment-v1/
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from diagnostics.pods.starting.mounts._attached import OUT_OF_SERVICE
from kubedoctor.cluster import (
    Cluster,
    Evidence,
    Node,
    PersistentVolume,
    PersistentVolumeClaim,
    Pod,
    VolumeAttachment,
    condition,
    has_path,
    human_duration,
    pods_mounting,
    quote,
    ready,
    ref,
)
from kubedoctor.cluster.changes import drop
from kubedoctor.findings import (
    Command,
    Confidence,
    Effect,
    Explains,
    Finding,
    Fix,
    Ref,
    Severity,
    command_line,
    diagnostic,
    kubectl,
)
from kubedoctor.replay.messages.shown import shown_reason

_SLOW: Final = timedelta(minutes=7)
"""The controller waits six minutes for an unmount on a node that does not answer
(`pkg/controller/volume/attachdetach`, maxWaitForUnmountDuration, v1.37)."""
_LONGEST: Final = 240
_ERROR: Final = "status.detachError.message"


def being_detached(attachment: VolumeAttachment) -> bool:
    return attachment.metadata.deletion_timestamp is not None


@diagnostic(
    code="KD3008",
    subject=VolumeAttachment,
    severity=Severity.WARNING,
    reads=(VolumeAttachment, Node, PersistentVolume, PersistentVolumeClaim, Pod),
    when=being_detached,
    explains=(Explains("affects", ("KD1019", "KD1201", "KD1215")),),
    symptoms=("detachError", "Multi-Attach error", "external-attacher finalizer"),
)
def volume_not_detached(attachment: VolumeAttachment, cluster: Cluster) -> Iterator[Finding]:
    since = attachment.metadata.deletion_timestamp
    if since is None or cluster.taken_at - since < _SLOW:
        return
    name = attachment.spec.source.persistent_volume_name or "of a pod"
    node_name = attachment.spec.node_name
    node = cluster.maybe.get(Node, "", node_name)
    unseen = any(gap.kind == "Node" for gap in cluster.gaps)
    state = "" if node is None and unseen else _state(node)
    error = quote(attachment, _ERROR, "what the driver says") if has_path(attachment, _ERROR) else None
    why = f": {shown_reason(error.text, _LONGEST)}" if error is not None else ", and the driver does not say why"
    users = _waiting(name, node_name, cluster)
    late = human_duration(cluster.taken_at - since)
    yield Finding(
        about=ref(attachment),
        summary=f"volume {name} has not been detached from node {node_name}{state} for {late}{why}",
        evidence=(
            *((error,) if error is not None else ()),
            quote(attachment, "metadata.deletionTimestamp", "since when it is to be detached"),
            quote(attachment, "spec.nodeName", "where it is attached"),
            *_finalizers(attachment),
        ),
        confidence=Confidence.CERTAIN if error is not None else Confidence.LIKELY,
        affects=tuple(ref(pod) for pod in users),
        because_of=(ref(node),) if node is not None and not _is_ready(node) else (),
        severity=None if users or error is not None else Severity.NOTICE,
        fixes=tuple(_fixes(attachment, name, node, gone=node is None and not unseen)),
        commands=(Command(ref(attachment).describe_command, "the attachment and its errors"),),
    )


def _is_ready(node: Node) -> bool:
    stated = condition(node.status.conditions, "Ready")
    return stated is not None and stated.status == "True"


def _state(node: Node | None) -> str:
    if node is None:
        return " (no node of this cluster any more)"
    return "" if _is_ready(node) else " (not ready)"


def _finalizers(attachment: VolumeAttachment) -> tuple[Evidence, ...]:
    path = "metadata.finalizers"
    return (quote(attachment, path, "the driver removes it after the detach"),) if has_path(attachment, path) else ()


def _waiting(volume: str, node: str, cluster: Cluster) -> tuple[Pod, ...]:
    """The pods that mount the volume's claim on another node, or on none yet, and do not run."""
    disk = cluster.maybe.get(PersistentVolume, "", volume)
    held = disk.spec.claim_ref if disk is not None else None
    claim = cluster.maybe.get(PersistentVolumeClaim, held.namespace, held.name) if held is not None else None
    if claim is None:
        return ()
    return tuple(pod for pod in pods_mounting(claim, cluster.maybe) if pod.spec.node_name != node and not ready(pod))


def _fixes(attachment: VolumeAttachment, volume: str, node: Node | None, *, gone: bool) -> Iterator[Fix]:
    name: Ref = ref(attachment)
    if node is not None and not _is_ready(node):
        yield Fix(
            f"If machine {node.name} is off for certain, taint its node out of service: Kubernetes then ends its pods and"
            " detaches their volumes. A machine that still runs may go on writing and damage the data",
            kubectl("taint", "nodes", node.name, OUT_OF_SERVICE),
            Effect.DISRUPTS,
            changes=ref(node),
        )
        return
    yield Fix(
        f"Check at the provider whether the disk of volume {volume} is still attached to"
        f" {'the machine of the former node' if gone else 'node'} {attachment.spec.node_name}, and detach it there"
    )
    if gone:
        yield Fix(
            "If it is attached to no machine: remove the finalizers of the VolumeAttachment, so that another node gets the"
            " volume. A disk that two machines write to is damaged",
            command_line(drop(name, ("metadata", "finalizers")), attachment),
            Effect.DISRUPTS,
            changes=name,
        )
