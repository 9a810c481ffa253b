"""What must be found in each recorded state of claims, volumes and their driver."""

from __future__ import annotations

EXPECTED_OF_DISKS: dict[str, tuple[str, str]] = {
    "disk-attached-to-another-machine": ("KD1019", "db-old-7"),
    "disk-attributes-refused": ("KD3009", "type must be standard or fast"),
    "disk-denied-to-the-driver": ("KD3001", "not allowed to create disks"),
    "disk-device-is-busy": ("KD1019", "mount point busy"),
    "disk-for-many-nodes": ("KD3001", "ReadWriteMany"),
    "disk-grown-too-large": ("KD3004", "maximum of 17179869184 bytes"),
    "disk-in-a-zone-without-nodes": ("KD1101", "zone-b"),
    "disk-is-full": ("KD1003", "8Mi"),
    "disk-larger-than-possible": ("KD3001", "maximum of 17179869184 bytes"),
    "disk-not-deleted": ("KD3007", "in use by snapshot daily-2026-11-30"),
    "disk-not-detached": ("KD3008", "machine node-1 is locked by task migrate-4711"),
    "disk-not-grown-while-attached": ("KD3004", "detach it from machine node-1"),
    "disk-of-a-dead-node": ("KD4001", "the kubelet stopped reporting"),
    "disk-of-an-unknown-parameter": ("KD3001", "tpye"),
    "disk-of-another-user": ("KD1003", "/data/orders.db"),
    "disk-used-on-two-nodes": ("KD1019", "pod import uses it on node node-2"),
    "disk-with-a-damaged-file-system": ("KD1019", "bad superblock"),
    "driver-controller-scaled-to-zero": ("KD1203", "scaled to 0"),
    "driver-left-the-node": ("KD1103", "disks=yes"),
    "driver-not-on-the-node": ("KD1103", "disks=yes"),
    "driver-without-attacher": ("KD3013", "without csi-attacher"),
    "file-system-not-grown": ("KD3004", "resize2fs: Permission denied"),
    "kept-volume-is-wanted-again": ("KD3001", "Released"),
    "node-has-its-last-disk": ("KD1101", "max volume count"),
    "restore-of-a-misspelled-snapshot": ("KD3001", "did you mean VolumeSnapshot daily"),
    "restore-smaller-than-its-snapshot": ("KD3001", "less than the size"),
    "snapshot-quota-exhausted": ("KD3015", "20 of 20 snapshots"),
    "snapshot-of-a-misspelled-class": ("KD3005", "did you mean disks"),
}
