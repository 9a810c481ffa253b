"""What to do about a volume that is not attached or not mounted, by what the end of the message says."""

from __future__ import annotations

import re
from typing import Final

from kubedoctor.replay.messages.classes import MessageClass

_OTHER_TYPE: Final = re.compile(r'failed to mount the volume as "(?P<wanted>\w+)", it already contains (?P<has>\w+)')
"""`k8s.io/mount-utils`, `mount_linux.go`, formatAndMountSensitive, v0.37."""
_NOT_IN_THE_KERNEL: Final = re.compile(r"unknown filesystem type '?(?P<type>[\w.-]+)")
_NO_MKFS: Final = re.compile(r'format of disk .{0,120}type:\("(?P<type>\w+)"\).{0,200}executable file not found')
_HELPERS: Final = (
    (
        re.compile(r"-t nfs|mount\.nfs|nfs, cifs| on [\w.-]+:/|rpc\.statd"),
        "nfs-common (Debian, Ubuntu) or nfs-utils (Red Hat)",
    ),
    (re.compile(r"-t cifs|mount\.cifs| on //"), "cifs-utils"),
    (re.compile(r"iscsi", re.IGNORECASE), "open-iscsi (Debian, Ubuntu) or iscsi-initiator-utils (Red Hat)"),
)
"""The first that stands in the message: what has to be there on the node."""
_BY_WORDS: Final = (
    (
        re.compile(r"protocol not supported|NFS version or transport protocol", re.IGNORECASE),
        "Set an NFS version that the server offers in the mount options (nfsvers=4.1, for example), or enable the version there",
    ),
    (
        re.compile(r"operation with the given Volume|code = Aborted", re.IGNORECASE),
        "Find out why an earlier call for this volume does not end: in {system}, and in the log of the driver's pod on node {node}",
    ),
    (
        re.compile(r"wrong fs type|bad superblock", re.IGNORECASE),
        "Compare the file system on the disk (`blkid` on node {node}) with the volume's fsType; if they agree, stop the workload"
        " and check the file system",
    ),
)
_BY_CLASS: Final = {
    MessageClass.MOUNT_ACCESS_DENIED: "Allow node {node} at the storage server, or correct the credentials of the volume",
    MessageClass.MOUNT_SERVER_UNREACHABLE: "Check the storage server's address, and the way to it from node {node}",
    MessageClass.MOUNT_PATH_MISSING: "Create the path at the storage, or correct it in the volume",
    MessageClass.MOUNT_HELPER_MISSING: "Install the mount program or service of this file system on node {node}",
    MessageClass.MOUNT_DRIVER_MISSING: "Check that the CSI driver's pod runs on node {node}",
    MessageClass.MOUNT_FILESYSTEM: "Stop the workload, and repair the file system of the volume",
    MessageClass.MOUNT_BUSY: "Find what holds the device on node {node}: an earlier mount, multipathd, LVM or another pod",
    MessageClass.MOUNT_SECRET_STORE: "Correct the secret's name in the store, or the rights of the pod's identity there",
    MessageClass.ATTACH_LIMIT: "Move pods with volumes away from node {node}, or use a larger machine",
    MessageClass.ATTACH_ZONE: "Run the pod in the zone of the volume",
    MessageClass.ATTACH_DENIED: "Give the CSI driver's identity the permission that the message names",
    MessageClass.ATTACH_NOT_FOUND: "Check that the disk and the machine still exist at the provider",
    MessageClass.ATTACH_BUSY: "Wait until the operation that the message names has ended; if it does not, look at the disk at its provider",
    MessageClass.ATTACH_TIMEOUT: "Look at the volume in {system}, and at the log of the driver's controller",
    MessageClass.MOUNT_TIMEOUT: "Look at the volume in {system}, and at the log of the driver's pod on node {node}",
    MessageClass.MOUNT_DRIVER_ERROR: "Fix what the end of the message names; the log of the driver's pod on node {node} has more",
    MessageClass.ATTACH_DRIVER_MISSING: "Check that the CSI driver's pod runs on node {node}",
}


def repair_of(message: str, message_class: MessageClass | None, node: str, system: str) -> str:
    """An imperative; empty for messages of no known kind. system: where a person looks at the volume."""
    if message_class is MessageClass.MOUNT_HELPER_MISSING:
        return _helper(message, node)
    if (other := _OTHER_TYPE.search(message)) is not None:
        return (
            f"Create the PersistentVolume again with fsType {other['has']}, which the disk has, after its reclaim policy is"
            f" Retain; a new file system on it would delete its data"
        )
    if message_class is not None and message_class.value.startswith("mount/"):
        words = next((words for pattern, words in _BY_WORDS if pattern.search(message)), "")
        if words:
            return words.format(node=node, system=system)
    return _BY_CLASS.get(message_class, "").format(node=node, system=system) if message_class is not None else ""


def _helper(message: str, node: str) -> str:
    if (missing := _NO_MKFS.search(message)) is not None:
        return f"Use an fsType that the driver can make, in a new StorageClass: mkfs.{missing['type']} is not where it runs"
    if (unknown := _NOT_IN_THE_KERNEL.search(message)) is not None:
        return f"Load the kernel module of {unknown['type']} on node {node}, or use an fsType that its kernel has"
    package = next((package for pattern, package in _HELPERS if pattern.search(message)), "")
    named = f": {package}" if package else ""
    return f"Install the mount program or service of this file system on node {node}{named}"
