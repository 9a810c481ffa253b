"""A local PersistentVolume whose directory or device is not on its node: nothing creates it there."""

from __future__ import annotations

from typing import NamedTuple

from kubedoctor.cluster import Cluster, PersistentVolume, Pod
from kubedoctor.findings import Evidence, Fix, has_path, quote
from kubedoctor.replay.messages.classes import MessageClass
from kubedoctor.replay.messages.message import Message
from kubedoctor.replay.messages.reader import read_message


class LocalDisk(NamedTuple):
    """`words`: to follow the kubelet's message."""

    words: str
    fixes: tuple[Fix, ...]
    evidence: tuple[Evidence, ...]


def missing_local_disk(pod: Pod, message: Message, volume: str, cluster: Cluster) -> LocalDisk | None:
    """None for a message of another kind, and for a volume that is not local (pkg/volume/local, NewMounter and SetUpAt).

    volume: as the message names it, which for a PersistentVolume is its own name."""
    reading = read_message(message)
    if reading is None or reading.message_class is not MessageClass.MOUNT_PATH_MISSING:
        return None
    disk = cluster.maybe.get(PersistentVolume, "", volume)
    if disk is None or not has_path(disk, "spec.local.path") or disk.spec.local is None:
        return None
    path, node = disk.spec.local.path, pod.spec.node_name
    return LocalDisk(
        words=f" on node {node}",
        fixes=(
            Fix(
                f"Create directory {path} on node {node}, or mount its disk there: the kubelet creates none for local volumes"
            ),
        ),
        evidence=(quote(disk, "spec.local.path", f"a local volume of node {node}"),),
    )
