"""The storage behind a volume that cannot be attached or mounted: what its system says of it, and the server that it is on."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from kubedoctor.cluster import (
    Cluster,
    CustomResource,
    Event,
    Node,
    PersistentVolume,
    PersistentVolumeClaim,
    Pod,
    Volume,
)
from kubedoctor.cluster import format_bytes as bytes_in_words
from kubedoctor.findings import Evidence, Fix, Ref, has_path, quote, ref
from kubedoctor.replay.messages.classes import MessageClass
from kubedoctor.replay.messages.message import Message
from kubedoctor.replay.messages.reader import read_message
from kubedoctor.replay.status.conditions import lasting_conditions

LONGHORN: Final = "Volume.longhorn.io"
_VOLUMES: Final = {
    "driver.longhorn.io": LONGHORN,
    "zfs.csi.openebs.io": "ZFSVolume.zfs.openebs.io",
    "local.csi.openebs.io": "LVMVolume.local.openebs.io",
    "topolvm.io": "LogicalVolume.topolvm.io",
}
"""Drivers that keep their volumes as objects, named as the volume's handle."""
VOLUME_KINDS: Final = tuple(_VOLUMES.values())
_NO_ROOM: Final = re.compile(r"insufficient storage|no (?:schedulable|available) disk|disks? (?:are|is) unavailable")
_FAULTED: Final = "faulted"
_EFS: Final = re.compile(r'Failed to resolve "?(?P<host>[\w.-]*(?P<id>fs-[0-9a-f]+)\.efs\.[\w.-]+?)"?(?:\s|$)')
"""`aws/efs-utils`, `src/mount_efs/__init__.py`, 2.0."""
_SERVERS: Final = (
    ("spec.nfs.server", "NFS", 2049),
    ("spec.csi.volumeAttributes.server", "NFS", 2049),
    ("spec.csi.volumeAttributes.source", "SMB", 445),
)
"""Where a PersistentVolume has its server: in tree, csi-driver-nfs, csi-driver-smb."""


class Backend(NamedTuple):
    """`words`: to follow the message. `affects`: objects that state the same trouble."""

    words: str = ""
    fixes: tuple[Fix, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    affects: tuple[Ref, ...] = ()


def backend_of(pod: Pod, event: Event, volume: Volume | None, name: str, cluster: Cluster) -> Backend:
    """name: as the message names the volume, which for a PersistentVolume is its own name; volume: that of the pod."""
    disk = _disk(pod, volume, name, cluster)
    if disk is None:
        return Backend()
    return _in_its_system(disk, cluster) or _at_its_server(pod, event, disk, cluster) or Backend()


def _disk(pod: Pod, volume: Volume | None, name: str, cluster: Cluster) -> PersistentVolume | None:
    claim_name = volume.claim_of(pod.name) if volume is not None else None
    if claim_name is not None:
        claim = cluster.maybe.get(PersistentVolumeClaim, pod.namespace, claim_name)
        name = claim.spec.volume_name if claim is not None else ""
    elif volume is not None:
        return None
    return cluster.maybe.get(PersistentVolume, "", name) if name else None


def system_of(pod: Pod, volume: Volume | None, name: str, cluster: Cluster) -> str:
    """Where a person looks at the volume: the objects of its storage system, else the system itself."""
    disk = _disk(pod, volume, name, cluster)
    driver = disk.spec.csi.driver if disk is not None and disk.spec.csi is not None else ""
    kind = _VOLUMES.get(driver, "")
    if kind and disk is not None and disk.spec.csi is not None:
        short, _, group = kind.partition(".")
        return f"its storage system (kubectl get {short.lower()}s.{group} -A, {disk.spec.csi.volume_handle})"
    return f"the storage of {driver}" if driver else "its storage system"


def _in_its_system(disk: PersistentVolume, cluster: Cluster) -> Backend | None:
    """The object of the storage system that stands for the volume, where it states trouble."""
    source = disk.spec.csi
    kind = _VOLUMES.get(source.driver) if source is not None else None
    if source is None or kind is None:
        return None
    short, _, group = kind.partition(".")
    rows = [row for row in cluster.maybe.custom(short, group) if row.name == source.volume_handle]
    for row in rows[:1]:
        for _, condition, _ in lasting_conditions(row, cluster.taken_at):
            path = f"{condition.path}.{'message' if condition.message else 'status'}"
            words = (
                f"; {short} {row.name}: {condition.type} is {condition.status}: {condition.message or condition.reason}"
            )
            fix = Fix(f"Fix what {ref(row).title} states")
            if kind == LONGHORN:
                words, fix = words + _wanted(row), _longhorn_fix(disk, condition.message)
            return Backend(words, (fix,), (quote(row, path, condition.reason),), (ref(row),))
        if kind == LONGHORN and (row.status or {}).get("robustness") == _FAULTED:
            words = f"; Volume {row.name} is faulted: none of its replicas is usable"
            fix = Fix("Salvage a replica in Longhorn, or restore the volume from a backup")
            return Backend(words, (fix,), (quote(row, "status.robustness"),), (ref(row),))
    return None


def _wanted(row: CustomResource) -> str:
    spec = row.spec or {}
    size, count = spec.get("size"), spec.get("numberOfReplicas")
    if not isinstance(size, str) or not size.isdigit() or not isinstance(count, int):
        return ""
    return f" ({count} {'replica' if count == 1 else 'replicas'} of {bytes_in_words(int(size))})"


def _longhorn_fix(disk: PersistentVolume, message: str) -> Fix:
    """Longhorn's reasons (`longhorn-manager`, `types/types.go`, ErrorReplicaSchedule*, 1.7)."""
    if not _NO_ROOM.search(message):
        return Fix("Correct what Longhorn's message names: tags, affinity or nodes that may take replicas")
    named = f" of StorageClass {disk.spec.storage_class_name}" if disk.spec.storage_class_name else ""
    return Fix(
        f"Give Longhorn another disk or node, or lower the size or numberOfReplicas{named}: a disk takes no more than its"
        " storage without the reserved part, times the over-provisioning percentage"
    )


def _at_its_server(pod: Pod, event: Event, disk: PersistentVolume, cluster: Cluster) -> Backend | None:
    reading = read_message(Message(text=event.message, reason=event.reason, kind="Pod"))
    match reading.message_class if reading is not None else None:
        case MessageClass.MOUNT_SERVER_UNREACHABLE:
            return _unreachable(pod, event, disk)
        case MessageClass.MOUNT_ACCESS_DENIED:
            return _denied(pod, disk, cluster)
        case MessageClass.MOUNT_FILESYSTEM:
            return _copied(event, disk, cluster)
    return None


def _denied(pod: Pod, disk: PersistentVolume, cluster: Cluster) -> Backend | None:
    """Whose credentials the server denies, or which node an export has to admit."""
    for path in ("spec.csi.nodeStageSecretRef", "spec.csi.nodePublishSecretRef"):
        if has_path(disk, f"{path}.name"):
            name = quote(disk, f"{path}.name", "the Secret with the credentials")
            secret = (
                f"Secret {quote(disk, f'{path}.namespace').text}/{name.text}"
                if has_path(disk, f"{path}.namespace")
                else name.text
            )
            return Backend(
                f"; the credentials are those of {secret}",
                (Fix(f"Correct the credentials in {secret}, or give their user access to the share"),),
                (name,),
            )
    for path in ("spec.nfs.server", "spec.csi.volumeAttributes.server"):
        if has_path(disk, path):
            server, node = quote(disk, path, "its server"), pod.spec.node_name
            address = _address(node, cluster)
            where = f"node {node}{f' ({address})' if address else ''}"
            return Backend(
                f"; the export of {server.text} has to admit {where}",
                (Fix(f"Admit {where} in the exports of NFS server {server.text}, and reload them"),),
                (server, quote(pod, "spec.nodeName", "where the mount is denied")),
            )
    return None


def _address(name: str, cluster: Cluster) -> str:
    node = cluster.maybe.get(Node, "", name)
    addresses = (node.status.addresses or ()) if node is not None else ()
    return next((one.address for one in addresses if one.type == "InternalIP"), "")


def _copied(event: Event, disk: PersistentVolume, cluster: Cluster) -> Backend | None:
    """An XFS volume that was restored or cloned: XFS mounts no two file systems of one UUID on a node."""
    held = disk.spec.claim_ref
    claim = cluster.maybe.get(PersistentVolumeClaim, held.namespace, held.name) if held is not None else None
    source = (claim.spec.data_source or claim.spec.data_source_ref) if claim is not None else None
    xfs = (disk.spec.csi is not None and disk.spec.csi.fs_type == "xfs") or " -t xfs " in event.message
    if not xfs or source is None or claim is None or _DAMAGED.search(event.message):
        return None
    origin = f"{source.get('kind', '')} {source.get('name', '')}".strip()
    path = "spec.dataSource.name" if has_path(claim, "spec.dataSource.name") else "spec.dataSourceRef.name"
    return Backend(
        f"; it is a copy of {origin} with XFS, which mounts no two file systems of the same UUID on one node",
        (
            Fix(
                "Run the pod on another node than the original, or set mount option nouuid in the StorageClass or the"
                " PersistentVolume"
            ),
        ),
        (quote(claim, path, "the volume is a copy of this"),) if has_path(claim, path) else (),
    )


_DAMAGED: Final = re.compile(r"needs cleaning|corrupt|fsck|xfs_repair|input/output", re.IGNORECASE)


def _unreachable(pod: Pod, event: Event, disk: PersistentVolume) -> Backend | None:
    node, efs = pod.spec.node_name, _EFS.search(" ".join(event.message.split()))
    if efs is not None:
        handle = "spec.csi.volumeHandle"
        return Backend(
            f"; the name exists only where file system {efs['id']} has a mount target in the VPC, in the zone of node {node}",
            (
                Fix(
                    f"Create a mount target of {efs['id']} in the VPC and zone of node {node}, and let the VPC resolve DNS names"
                    " (enableDnsSupport, enableDnsHostnames)"
                ),
            ),
            (quote(disk, handle, "the file system"),) if has_path(disk, handle) else (),
        )
    for path, protocol, port in _SERVERS:
        if has_path(disk, path):
            server = quote(disk, path, "its server")
            return Backend(
                f"; its server is {server.text} ({protocol}, port {port})",
                (Fix(f"Check that {server.text} runs, and open port {port} ({protocol}) to it from node {node}"),),
                (server,),
            )
    return None
